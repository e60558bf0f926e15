import { localTimes } from "./format.js";
import { count } from "./select.js";
import { fill, texts } from "./texts.js";

const LATER_MS = 2000;

// For people who listen: said once, after what is being said.
export function announce(text) {
  document.getElementById("live").textContent = text;
}

export function complain(text) {
  const box = document.getElementById("alert");
  box.textContent = text;
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
}

export function quiet() {
  document.getElementById("alert").hidden = true;
}

// The sentence of a problem document (RFC 9457), or what can be said without one.
export function reason(status, body) {
  try {
    const problem = JSON.parse(body);
    if (status === 401)
      return texts.signedOut;
    return problem.detail || problem.title;
  } catch {
    return status === 0 ? texts.noConnection : fill(texts.failed, { status });
  }
}

function withoutNotice() {
  const address = new URL(location.href);
  for (const name of ["done", "n"])
    address.searchParams.delete(name);
  return address;
}

// What a form did is said once, not again when the page is loaded again or kept as a bookmark.
export function forgetNotice() {
  if (withoutNotice().href !== location.href)
    history.replaceState(null, "", withoutNotice());
}

// The list as the server shows it now, put where the old one stood; nothing else on the page moves. False when there is
// none: signed out meanwhile, the folder gone, no connection. A name that is being typed is not taken away.
export async function refreshList() {
  try {
    const answer = await fetch(withoutNotice(), { headers: { Accept: "text/html" } });
    return showList(new DOMParser().parseFromString(await answer.text(), "text/html"), false);
  } catch {
    return false;
  }
}

export function showList(page, withNotice) {
  const list = document.getElementById("list"), fresh = page.getElementById("list");
  if (fresh === null)
    return false;
  if (list.querySelector(".renaming, .menu") !== null) {
    setTimeout(refreshList, LATER_MS);
    return true;
  }
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const ticked = new Set([...list.querySelectorAll("input[name=ids]:checked")].map((box) => box.value));
  localTimes(fresh);
  showHints(fresh);
  list.replaceChildren(...fresh.childNodes);
  for (const box of list.querySelectorAll("input[name=ids]"))
    box.checked = ticked.has(box.value);
  count();
  if (focused !== null)
    list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  if (withNotice)
    document.getElementById("notice").replaceWith(page.getElementById("notice"));
  return true;
}

export function nameOf(row) {
  return row.querySelector(".name").textContent;
}

export function showHints(root) {
  const hint = root.querySelector("#hint-drop");
  if (hint !== null)
    hint.hidden = false;
}

export function passwordButtons() {
  for (const button of document.querySelectorAll("[data-show-password]")) {
    const input = document.getElementById(button.getAttribute("aria-controls"));
    const words = button.querySelectorAll("[data-when]");
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      for (const word of words)
        word.hidden = (word.dataset.when === "visible") !== visible;
    };
    button.addEventListener("click", () => show(input.type === "password"));
    input.form.addEventListener("submit", () => show(false)); // so that browsers offer to keep it
    button.hidden = false;
  }
}

// The small forms that open below a button: the field is ready to type in, Escape and a click elsewhere close.
export function tools() {
  for (const tool of document.querySelectorAll("details.tool")) {
    tool.addEventListener("toggle", () => {
      if (tool.open)
        tool.querySelector("input:not([type=hidden])")?.focus();
    });
    tool.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !tool.open)
        return;
      tool.open = false;
      tool.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
      if (!tool.contains(event.target))
        tool.open = false;
    });
  }
}
