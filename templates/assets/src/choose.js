// How files come to the page: by the button, or dropped onto it (folders with all below them).
import { enqueue } from "./uploads.js";

// The form is for browsers that do not run this; here its button opens the browser's own file chooser at once.
export function chooser() {
  const tool = document.getElementById("upload"), summary = tool.querySelector("summary");
  const input = tool.querySelector("input[type=file]"), button = document.createElement("button");
  button.type = "button";
  button.className = summary.className;
  button.append(...summary.childNodes);
  input.removeAttribute("required");
  input.hidden = true;
  input.removeAttribute("id");
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    enqueue([...input.files].map((file) => ({ file, folder: [] })));
    input.value = ""; // the same file may be chosen again
  });
  const focused = document.activeElement === summary; // somebody was faster than this script
  tool.replaceWith(button, input);
  if (focused)
    button.focus();
}

export function dropping() {
  const sign = document.getElementById("drop");
  let depth = 0; // enter and leave come for every element below the pointer

  const show = (on) => {
    depth = on ? depth : 0;
    sign.hidden = !on;
  };
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event))
      return;
    depth++;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0)
      show(false);
  });
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event))
      return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", async (event) => {
    if (!carriesFiles(event))
      return;
    event.preventDefault();
    show(false);
    enqueue(await collect(event.dataTransfer));
  });
}

// The entries must be taken before the first wait: the event's data is gone afterwards.
async function collect(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0)
    return [...transfer.files].map((file) => ({ file, folder: [] }));
  const list = [];
  for (const entry of entries)
    await walk(entry, [], list);
  return list;
}

async function walk(entry, folder, list) {
  if (entry.isFile) {
    list.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), folder });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives a hundred at a time, and none at the end
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0)
      return;
    for (const one of some)
      await walk(one, [...folder, entry.name], list);
  }
}
