// Ticking files and folders, and what is done with all that are ticked. The boxes and buttons are a form; this counts,
// ticks whole ranges, and keeps the page where it is.
import { pick } from "./pick.js";
import { askToDelete } from "./remove.js";
import { fill, texts } from "./texts.js";

const list = document.getElementById("list");
let last = null; // where a range begins

const boxes = () => [...list.querySelectorAll("input[name=ids]")];
export const ticked = () => boxes().filter((box) => box.checked).map((box) => box.closest("tr"));

export function selection() {
  list.addEventListener("click", (event) => {
    if (event.target.matches("input[name=ids]"))
      range(event);
  });
  list.addEventListener("change", (event) => {
    if (event.target.id === "all")
      for (const box of boxes())
        box.checked = event.target.checked;
    count();
  });
  list.addEventListener("reset", () => setTimeout(() => {
    count();
    document.getElementById("main").focus();
  }));
  list.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter, rows = ticked();
    if (rows.length === 0)
      return;
    if ("delete" in button.dataset)
      askToDelete(rows);
    else
      pick(new URL(button.formAction).pathname.slice(1), rows, button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && document.querySelector("dialog[open], .menu, .renaming") === null)
      document.getElementById("chosen")?.reset();
  });
  count();
}

function range(event) {
  const all = boxes(), from = all.indexOf(last), to = all.indexOf(event.target);
  if (event.shiftKey && from >= 0)
    for (const box of all.slice(Math.min(from, to), Math.max(from, to) + 1))
      box.checked = event.target.checked;
  last = event.target;
}

export function count() {
  const all = document.getElementById("all"), n = ticked().length;
  if (all === null)
    return;
  all.hidden = false;
  all.checked = n > 0 && n === boxes().length;
  all.indeterminate = n > 0 && !all.checked;
  list.querySelector("#chosen-n").textContent = fill(texts.chosen, { n });
}
