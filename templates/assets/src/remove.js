// Deleting from the list, asked about in a dialog. Without this script the same links lead to a page that asks.
import { announce, complain, quiet, reason, refreshList } from "./page.js";
import { fill, texts } from "./texts.js";

export function removal() {
  const list = document.getElementById("list");
  const dialog = document.getElementById("delete");
  let row = null;

  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-delete]");
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey)
      return;
    event.preventDefault();
    row = link.closest("tr");
    dialog.querySelector(".name").textContent = nameOf(row);
    for (const words of dialog.querySelectorAll("[data-kind]"))
      words.hidden = words.dataset.kind !== link.dataset.delete;
    dialog.returnValue = "";
    dialog.showModal();
  });

  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "delete")
      remove(row);
  });
}

function nameOf(row) {
  return row.querySelector(".name").textContent;
}

async function remove(row) {
  const name = nameOf(row);
  const next = (row.nextElementSibling ?? row.previousElementSibling)?.dataset.api;
  quiet();
  try {
    const answer = await fetch(row.dataset.api, { method: "DELETE" });
    if (!answer.ok && answer.status !== 404)
      throw new Error(reason(answer.status, await answer.text()));
  } catch (error) {
    complain(fill(texts.notDeleted, { name, why: error instanceof TypeError ? texts.noConnection : error.message }));
    return;
  }
  if (!await refreshList()) {
    location.reload();
    return;
  }
  announce(fill(texts.deleted, { name }));
  const neighbour = next && document.querySelector(`tr[data-api="${CSS.escape(next)}"] a`);
  (neighbour ?? document.getElementById("main")).focus();
}
