// Deleting from the list, asked about in a dialog. Without this script a page asks.
import { announce, complain, nameOf, quiet, reason, refreshList } from "./page.js";
import { fill, texts } from "./texts.js";

let dialog = null, asked = [], opener = null;

export function removal() {
  dialog = document.getElementById("delete");
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "delete")
      remove(asked);
    else
      opener?.focus();
  });
}

export function askToDelete(rows) {
  const one = rows.length === 1;
  const kind = one ? rows[0].querySelector("[data-menu]").dataset.menu : "many";
  asked = rows;
  opener = one ? rows[0].querySelector("[data-menu]") : document.activeElement;
  dialog.querySelector(".name").textContent = one ? nameOf(rows[0]) : fill(texts.items, { n: rows.length });
  for (const words of dialog.querySelectorAll("[data-kind]"))
    words.hidden = words.dataset.kind !== kind;
  dialog.returnValue = "";
  dialog.showModal();
}

async function remove(rows) {
  const name = rows.length === 1 ? nameOf(rows[0]) : fill(texts.items, { n: rows.length });
  const next = (rows.at(-1).nextElementSibling ?? rows[0].previousElementSibling)?.dataset.api;
  quiet();
  const why = rows.length === 1 ? await removeOne(rows[0]) : await removeAll(rows);
  if (why !== null)
    complain(why);
  if (!await refreshList()) {
    location.reload();
    return;
  }
  if (why === null)
    announce(fill(texts.deleted, { name }));
  const neighbour = next && document.querySelector(`tr[data-api="${CSS.escape(next)}"] a`);
  (neighbour ?? document.getElementById("main")).focus();
}

// null: done; else what to say. What was gone already is as wanted.
async function removeOne(row) {
  try {
    const answer = await fetch(row.dataset.api, { method: "DELETE" });
    return answer.ok || answer.status === 404 ? null
      : fill(texts.notDeleted, { name: nameOf(row), why: reason(answer.status, await answer.text()) });
  } catch {
    return fill(texts.notDeleted, { name: nameOf(row), why: texts.noConnection });
  }
}

async function removeAll(rows) {
  const ids = rows.map((row) => row.querySelector("input[name=ids]").value);
  try {
    const answer = await fetch("/api/v1/batch", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ delete: ids }),
    });
    if (!answer.ok)
      return reason(answer.status, await answer.text());
    const { items } = await answer.json();
    const failed = items.map((item, i) => ({ item, row: rows[i] })).filter(({ item }) => item.status >= 400 && item.status !== 404);
    return failed.length === 0 ? null
      : failed.map(({ item, row }) => fill(texts.notDeleted, { name: nameOf(row), why: item.detail })).join(" ");
  } catch {
    return texts.noConnection;
  }
}
