// The menu of a row: opens below its three dots. Without this script they lead to the page about the file or folder,
// which offers the same.
import { pick } from "./pick.js";
import { askToDelete } from "./remove.js";
import { rename } from "./rename.js";

let opener = null, menu = null;

export function menus() {
  const list = document.getElementById("list");

  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-menu]");
    if (link !== null && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      toggle(link);
    }
    const act = event.target.closest(".menu [data-do]")?.dataset.do;
    if (acts[act] !== undefined) {
      const row = opener.closest("tr");
      close(false);
      acts[act](row);
    }
  });
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest("tbody tr");
    if (menu?.contains(event.target))
      walk(event);
    else if (row !== null && event.target.matches("a.entry") && (event.key === "F2" || event.key === "Delete"))
      acts[event.key === "F2" ? "rename" : "delete"](row);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu !== null)
      close(true);
  });
  document.addEventListener("click", (event) => {
    if (menu !== null && !menu.contains(event.target) && !opener.contains(event.target))
      close(false);
  });
}

const acts = {
  rename,
  move: (row) => pick("move", [row], row.querySelector("[data-menu]")),
  copy: (row) => pick("copy", [row], row.querySelector("[data-menu]")),
  delete: (row) => askToDelete([row]),
};

function toggle(link) {
  const again = opener === link;
  close(false);
  if (again)
    return;
  opener = link;
  menu = document.getElementById("menu").content.firstElementChild.cloneNode(true);
  menu.querySelector("[data-do=about]").href = link.href;
  const download = link.closest("tr").querySelector("a[download]"), entry = menu.querySelector("[data-do=download]");
  if (download === null)
    entry.closest("li").remove();
  else
    entry.href = download.href;
  link.setAttribute("aria-expanded", "true");
  link.after(menu);
  menu.querySelector("a").focus();
  menu.scrollIntoView({ block: "nearest" });
}

function close(focus) {
  menu?.remove();
  opener?.setAttribute("aria-expanded", "false");
  if (focus)
    opener.focus();
  menu = opener = null;
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined)
    return;
  event.preventDefault();
  const entries = [...menu.querySelectorAll("[data-do]")];
  entries[(entries.indexOf(document.activeElement) + step + entries.length) % entries.length].focus();
}
