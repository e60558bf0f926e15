// Another name, typed where the old one stands. Enter keeps it, Escape leaves all as it was.
import { announce, nameOf, reason, refreshList } from "./page.js";
import { fill, texts } from "./texts.js";

export function rename(row) {
  const entry = row.querySelector("a.entry"), name = nameOf(row);
  const box = document.getElementById("renaming").content.firstElementChild.cloneNode(true);
  const input = box.querySelector("input"), problem = box.querySelector("p");
  let busy = false, over = false;

  const stop = () => {
    over = true; // taking the field away blurs it
    box.remove();
    entry.hidden = false;
    entry.focus();
  };
  const complain = (why) => {
    problem.textContent = why;
    problem.hidden = false;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };
  const save = async () => {
    if (busy)
      return;
    if (input.value === name || input.value === "") {
      stop();
      return;
    }
    busy = true;
    const why = await change(row.dataset.api, input.value);
    busy = false;
    if (why !== null) {
      complain(why);
      return;
    }
    stop();
    await refreshList();
    announce(fill(texts.renamed, { name: input.value }));
  };

  input.value = name;
  entry.hidden = true;
  entry.before(box);
  input.focus();
  input.setSelectionRange(0, name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault(); // the list is a form: it must not be sent
      save();
    }
    if (event.key === "Escape")
      stop();
  });
  input.addEventListener("blur", () => {
    if (!over && !busy && problem.hidden)
      save();
  });
}

// null: done; else why not.
async function change(address, name) {
  try {
    const answer = await fetch(address, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name }) });
    return answer.ok ? null : reason(answer.status, await answer.text());
  } catch {
    return texts.noConnection;
  }
}
