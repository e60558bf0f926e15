// How files come to the page: by the button, or dropped onto it (folders with all below them).
import { complain } from "./page.js";
import { fill, texts } from "./texts.js";
import { enqueue } from "./uploads.js";

// The form is for browsers that do not run this; here its buttons open the browser's own file chooser at once.
export function chooser() {
  const tool = document.getElementById("upload"), summary = tool.querySelector("summary");
  const [files, tree] = tool.querySelectorAll("input[type=file]");
  const button = opener(files, summary, [...summary.childNodes].map((node) => node.cloneNode(true)));
  const focused = document.activeElement === summary; // somebody was faster than this script
  const whole = opener(tree, summary, [texts.uploadFolder]);
  whole.classList.replace("btn-primary", "btn-line");
  whole.hidden = !("webkitdirectory" in tree) || matchMedia("(pointer: coarse)").matches; // phones have no folders to choose
  tool.replaceWith(whole, tree, button, files);
  if (focused)
    button.focus();
}

function opener(input, like, children) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = like.className;
  button.append(...children);
  button.addEventListener("click", () => input.click());
  input.hidden = true;
  input.removeAttribute("id");
  input.addEventListener("change", () => {
    enqueue([...input.files].map((file) => ({ file, folder: file.webkitRelativePath.split("/").slice(0, -1) })));
    input.value = ""; // the same file may be chosen again
  });
  return button;
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
    const { list, leftOut } = await collect(event.dataTransfer);
    enqueue(list);
    if (leftOut.length > 0)
      complain(fill(texts.leftOut, { names: leftOut.join(", ") }));
  });
}

// The entries must be taken before the first wait: the event's data is gone afterwards.
async function collect(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0)
    return { list: [...transfer.files].map((file) => ({ file, folder: [] })), leftOut: [] };
  const list = [], leftOut = [];
  for (const entry of entries)
    await walk(entry, [], list, leftOut);
  return { list, leftOut };
}

// leftOut: folders with nothing in them, and what cannot be read.
async function walk(entry, folder, list, leftOut) {
  const path = [...folder, entry.name];
  try {
    if (entry.isFile) {
      list.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), folder });
      return;
    }
    const inside = await entriesOf(entry.createReader());
    for (const one of inside)
      await walk(one, path, list, leftOut);
    if (inside.length === 0)
      leftOut.push(path.join("/"));
  } catch {
    leftOut.push(path.join("/"));
  }
}

// A reader gives a hundred at a time, and none at the end.
async function entriesOf(reader) {
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0)
      return all;
    all.push(...some);
  }
}
