// Finding a name in the folder while it is typed. Without this script the form asks for a page of its own.
import { showList } from "./page.js";

const PAUSE_MS = 200;

let form = null, timer = 0, round = 0;

export function finding() {
  form = document.getElementById("find");
  form.querySelector("button").hidden = true; // the list follows what is typed
  const input = form.querySelector("[type=search]");
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    look();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      document.querySelector("#list a.entry")?.focus();
    }
    if (event.key === "Escape" && input.value !== "") {
      event.preventDefault();
      input.value = "";
      look();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog, [contenteditable]") !== null;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
    }
  });
}

// The address follows, so that loading the page again and going back show the same list.
async function look() {
  const mine = ++round, address = new URL(form.action);
  for (const [name, value] of new FormData(form))
    address.searchParams.set(name, value);
  if (address.searchParams.get("q") === "")
    address.searchParams.delete("q");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== round)
      return; // more was typed meanwhile
    history.replaceState(null, "", address);
    if (!showList(page, false))
      location.reload();
  } catch {
    form.submit(); // the browser says what is wrong with the connection
  }
}
