// Deleting from the list, asked about in a dialog. Without this script a page asks.
import { announce, complain, nameOf, quiet, reason, refreshList } from "./page.js";
import { fill, texts } from "./texts.js";

const NAMES_SHOWN = 5;

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
  dialog.querySelector("#delete-count").textContent = "";
  opener = one ? rows[0].querySelector("[data-menu]") : document.activeElement;
  dialog.querySelector(".name").textContent = one ? nameOf(rows[0]) : fill(texts.items, { n: rows.length });
  for (const words of dialog.querySelectorAll("[data-kind]"))
    words.hidden = words.dataset.kind !== kind;
  list(rows);
  dialog.returnValue = "";
  dialog.showModal();
  if (kind !== "file")
    count(rows);
}

// Which ones, when it is more than one.
function list(rows) {
  const names = rows.length > 1 ? rows.slice(0, NAMES_SHOWN).map(nameOf) : [];
  const lines = names.map((name) => Object.assign(document.createElement("bdi"), { className: "name", textContent: name }));
  if (rows.length > NAMES_SHOWN)
    lines.push(fill(texts.andMore, { n: rows.length - NAMES_SHOWN }));
  dialog.querySelector("#delete-names").replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.append(line);
    return item;
  }));
}

// How much that is with all that is in folders: said by the page that asks without this script. Nobody waits for it.
async function count(rows) {
  const fields = new URLSearchParams(rows.map((row) => ["ids", row.querySelector("input[name=ids]").value]));
  try {
    const answer = await fetch("/delete", { method: "POST", headers: { Accept: "text/html" }, body: fields });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (asked === rows)
      dialog.querySelector("#delete-count").textContent = page.getElementById("delete-all")?.textContent ?? "";
  } catch {
    // deleting will say that the server cannot be reached
  }
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
    const seen = row.dataset.etag ? { "If-Match": `"${row.dataset.etag}"` } : {}; // contents that nobody has seen are not deleted
    const answer = await fetch(row.dataset.api, { method: "DELETE", headers: seen });
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
