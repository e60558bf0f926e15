// Moving by dragging: what is ticked, or the one that is dragged, onto a folder of the list or of the path. The same with the
// keyboard and without this script: Move, in the menu of a row and below the list.
import { moveTo } from "./pick.js";
import { ticked } from "./select.js";

const KIND = "application/x-coffer-files";

let dragged = [], over = null;

export function dragging() {
  const list = document.getElementById("list");
  list.addEventListener("dragstart", (event) => {
    const row = event.target.closest?.("a.entry")?.closest("tr");
    if (!row)
      return;
    dragged = row.querySelector("input[name=ids]").checked ? ticked() : [row];
    event.dataTransfer.setData(KIND, "");
    event.dataTransfer.effectAllowed = "copyMove";
  });
  list.addEventListener("dragend", () => {
    mark(null);
    dragged = [];
  });
  for (const place of document.querySelectorAll("#list, nav.path")) {
    place.addEventListener("dragover", (event) => {
      const target = targetOf(event);
      mark(target);
      if (target === null)
        return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
    });
    place.addEventListener("dragleave", () => mark(null));
    place.addEventListener("drop", (event) => {
      const target = targetOf(event);
      mark(null);
      if (target === null)
        return;
      event.preventDefault();
      moveTo(folderOf(target), dragged);
    });
  }
}

// The row of a folder or a link of the path below the pointer, unless it is dragged itself.
function targetOf(event) {
  if (dragged.length === 0 || !event.dataTransfer.types.includes(KIND))
    return null;
  const target = event.target.closest?.("#list tbody tr, nav.path a[data-folder]") ?? null;
  return target === null || dragged.includes(target) || folderOf(target) === null ? null : target;
}

function folderOf(target) {
  if (target.matches("a"))
    return target.dataset.folder;
  return target.querySelector("[data-menu=folder]") !== null ? target.querySelector("input[name=ids]").value : null;
}

function mark(target) {
  over?.classList.remove("target");
  target?.classList.add("target");
  over = target;
}
