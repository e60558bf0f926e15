// The page about a file: the arrow keys lead to the files beside it.
const WAYS = { ArrowLeft: "before", ArrowRight: "after" };

export function preview() {
  document.addEventListener("keydown", (event) => {
    const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (held || event.defaultPrevented || event.target.closest("input, audio, video, pre") !== null)
      return; // there the arrows have a meaning of their own
    document.getElementById(WAYS[event.key])?.click();
  });
}
