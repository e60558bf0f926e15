// "Move to" and "Copy to" in a dialog: the very page that browsers without this script see, its form put here.
import { announce, complain, quiet, showList } from "./page.js";
import { texts } from "./texts.js";

let dialog = null, opener = null;

export function picker() {
  dialog = document.getElementById("picker");
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = new FormData(event.target);
    if (event.submitter !== null)
      fields.append(event.submitter.name, event.submitter.value);
    ask(event.target.action, fields);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-cancel]") === null)
      return;
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    if (opener?.isConnected)
      opener.focus();
  });
}

// verb: "move" or "copy"; back: what has the focus again when it was thought better of.
export function pick(verb, rows, back) {
  const fields = new FormData();
  for (const row of rows)
    fields.append("ids", row.querySelector("input[name=ids]").value);
  opener = back;
  quiet();
  ask(`/${verb}`, fields);
}

// Without asking: somebody dragged the rows onto that folder.
export function moveTo(folder, rows) {
  const fields = new FormData();
  for (const row of rows)
    fields.append("ids", row.querySelector("input[name=ids]").value);
  fields.append("at", folder);
  fields.append("go", "1");
  opener = null;
  quiet();
  ask("/move", fields);
}

async function ask(address, fields) {
  let answer, page;
  try {
    answer = await fetch(address, { method: "POST", headers: { Accept: "text/html" }, body: new URLSearchParams(fields) });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    fail(texts.noConnection);
    return;
  }
  const form = page.getElementById("pick");
  if (form !== null)
    show(form);
  else if (page.getElementById("list") !== null)
    done(page);
  else
    fail(sentence(page));
}

function show(form) {
  dialog.replaceChildren(form);
  if (!dialog.open)
    dialog.showModal();
  const make = form.querySelector("details");
  make.addEventListener("toggle", () => {
    if (make.open)
      make.querySelector("[name=name]").focus();
  });
  const first = ["[autofocus]", ".where ul button:not([disabled])", "[data-cancel]"];
  first.map((what) => form.querySelector(what)).find((element) => element !== null).focus();
}

function done(page) {
  const words = page.getElementById("notice").textContent.trim();
  dialog.close();
  showList(page, true);
  announce(words);
}

// What the page about what did not go well says: each one, or the one thing.
function sentence(page) {
  const each = [...page.querySelectorAll(".results li")].filter((li) => li.querySelector(".bad") !== null)
    .map((li) => `${li.querySelector(".name").textContent}: ${li.querySelector("span.bad").textContent}`);
  return each.join(" ") || page.querySelector("h1")?.textContent || texts.noConnection;
}

function fail(why) {
  dialog.close();
  complain(why);
}
