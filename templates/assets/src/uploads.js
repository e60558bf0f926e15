// The panel of uploads: a queue, three files at a time, what to do when a name is taken.
import { duration, size } from "./format.js";
import { announce, quiet, refreshList } from "./page.js";
import { fill, texts } from "./texts.js";
import { Cancelled, Transfer } from "./transfer.js";

const AT_ONCE = 3;
const DONE_SHOWN = 5;
const REFRESH_MS = 1500;

const panel = document.getElementById("uploads");
const items = { waiting: [], running: new Set(), asking: new Set(), failed: new Set() };
let all = 0, stored = 0, answerForAll = null, refreshTimer = 0;
const shownDone = [];

// A file and its row. name: as it will be called; folder: names below this page's folder, for dropped folders.
class Item {
  constructor({ file, folder }) {
    this.file = file;
    this.folder = folder;
    this.copies = 0;
    this.onlyNew = true;
  }

  get name() {
    if (this.copies === 0)
      return this.file.name;
    const dot = this.file.name.lastIndexOf(".");
    const stem = dot > 0 ? this.file.name.slice(0, dot) : this.file.name;
    return `${stem} (${this.copies})${dot > 0 ? this.file.name.slice(dot) : ""}`;
  }

  get address() {
    return panel.dataset.content + [...this.folder, this.name].map(encodeURIComponent).join("/");
  }

  show() {
    if (this.row)
      return;
    this.row = panel.querySelector("template").content.firstElementChild.cloneNode(true);
    this.row.querySelector(".title").textContent = [...this.folder, this.file.name].join("/");
    this.row.addEventListener("click", (event) => {
      const act = event.target.closest("[data-do]")?.dataset.do;
      if (act)
        this.act(act);
    });
    panel.querySelector("ul").append(this.row);
  }

  state(text, buttons) {
    this.row.querySelector(".state").textContent = text;
    const lost = this.row.contains(document.activeElement);
    for (const button of this.row.querySelectorAll("[data-do]"))
      button.hidden = !buttons.includes(button.dataset.do);
    if (lost && document.activeElement.hidden)
      (this.row.querySelector("[data-do]:not([hidden])") ?? panel.querySelector("ul")).focus();
  }

  act(what) {
    if (what === "cancel")
      this.transfer?.cancel();
    else
      answer(this, what);
  }

  gone() {
    const focused = this.row?.contains(document.activeElement);
    this.row?.remove();
    if (focused)
      panel.querySelector("ul").focus();
  }

  async run() {
    this.show();
    this.row.className = "";
    this.row.querySelector("progress").hidden = false;
    this.row.querySelector("progress").value = 0;
    this.state(texts.waiting, ["cancel"]);
    const meter = new Meter(this);
    this.transfer = new Transfer(this.file, meter);
    for (;;) {
      const result = await this.transfer.run(this.address, this.onlyNew);
      if (result.status === 412 && this.onlyNew && this.copies > 0)
        this.copies++;
      else
        return result;
    }
  }
}

// Speed over the last seconds, shown four times a second.
class Meter {
  constructor(item) {
    this.item = item;
    this.start();
  }

  start() {
    this.at = performance.now();
    this.shown = 0;
    this.sent = 0;
    this.speed = 0;
  }

  progress(sent) {
    const now = performance.now(), seconds = (now - this.at) / 1000, file = this.item.file;
    if (now - this.shown < 250)
      return;
    if (seconds > 0.2) {
      const current = (sent - this.sent) / seconds;
      this.speed = this.speed === 0 ? current : this.speed * 0.7 + current * 0.3;
      this.at = now;
      this.sent = sent;
    }
    this.shown = now;
    this.item.row.querySelector("progress").value = file.size > 0 ? Math.min(1, sent / file.size) : 1;
    const values = { sent: size(Math.min(sent, file.size)), size: size(file.size) };
    const fast = { ...values, speed: size(this.speed), left: duration((file.size - sent) / this.speed) };
    this.item.state(this.speed > 0 ? fill(texts.sendingFast, fast) : fill(texts.sending, values), ["cancel"]);
  }

  saving() {
    this.item.row.querySelector("progress").value = 1;
    this.item.state(texts.saving, ["cancel"]);
  }

  pausing(sentence) {
    this.item.row.querySelector("progress").value = 0;
    this.item.state(sentence, ["cancel"]);
    this.start();
  }
}

export function enqueue(list) {
  if (list.length === 0)
    return;
  quiet();
  if (idle()) {
    all = items.failed.size;
    stored = 0;
    answerForAll = null;
    for (const item of shownDone.splice(0))
      item.gone();
  }
  all += list.length;
  items.waiting.push(...list.map((one) => new Item(one)));
  panel.hidden = false;
  announce(fill(texts.started, { n: list.length }));
  pump();
}

function idle() {
  return items.waiting.length + items.running.size + items.asking.size === 0;
}

function pump() {
  while (items.running.size < AT_ONCE && items.waiting.length > 0)
    start(items.waiting.shift());
  head();
}

async function start(item) {
  items.running.add(item);
  try {
    settle(item, await item.run());
  } catch (error) {
    if (error instanceof Cancelled) {
      all--;
      item.gone();
    } else {
      settle(item, { status: 0, why: error.message });
    }
  }
  items.running.delete(item);
  pump();
  if (idle())
    finish();
}

function settle(item, { status, why }) {
  if (status === 200 || status === 201)
    done(item);
  else if (status === 412 && item.onlyNew)
    ask(item);
  else
    fail(item, why);
}

function done(item) {
  const words = item.copies > 0 ? texts.doneAs : texts.done;
  stored++;
  item.row.className = "done";
  item.row.querySelector("progress").hidden = true;
  item.state(fill(words, { name: item.name, size: size(item.file.size) }), []);
  shownDone.push(item);
  if (shownDone.length > DONE_SHOWN)
    shownDone.shift().gone();
  refreshTimer ||= setTimeout(refresh, REFRESH_MS);
}

function ask(item) {
  items.asking.add(item);
  if (answerForAll !== null) {
    answer(item, answerForAll);
    return;
  }
  item.row.querySelector("progress").hidden = true;
  item.state(texts.conflict, ["rename", "replace", "skip"]);
  item.row.scrollIntoView({ block: "nearest" });
  announce(fill(texts.asks, { name: item.file.name }));
}

// An answer to the question, or "again" and "skip" of a failed one.
function answer(item, what) {
  items.asking.delete(item);
  items.failed.delete(item);
  if (what === "skip") {
    all--;
    item.gone();
    if (idle())
      finish();
    head();
    return;
  }
  if (what === "rename")
    item.copies++;
  if (what === "replace")
    item.onlyNew = false;
  items.waiting.unshift(item);
  pump();
}

function fail(item, why) {
  items.failed.add(item);
  item.row.className = "failed";
  item.row.querySelector("progress").hidden = true;
  item.state(why, ["again", "skip"]);
  announce(fill(texts.failedOne, { name: item.file.name, why }));
}

function head() {
  const title = panel.querySelector("h2"), failed = items.failed.size;
  const busy = items.waiting.length + items.running.size > 0;
  const values = { n: stored, failed };
  title.textContent = busy ? fill(texts.titleRunning, { n: Math.min(stored + failed + 1, all), all })
    : items.asking.size > 0 ? texts.titleAsk
      : fill(failed > 0 ? texts.titleFailed : texts.titleDone, values);
  for (const button of panel.querySelectorAll("[data-all]"))
    button.hidden = button.dataset.all === "cancel" ? items.waiting.length === 0 : items.asking.size < 2;
  panel.querySelector("[data-close]").hidden = !idle();
}

function finish() {
  head();
  announce(panel.querySelector("h2").textContent);
  refresh();
}

// Should there be no list to show, the old one stays: the rows of the panel say what happened and can be tried again.
function refresh() {
  clearTimeout(refreshTimer);
  refreshTimer = 0;
  if (stored > 0)
    refreshList();
}

function close() {
  items.failed.clear();
  shownDone.length = 0;
  panel.querySelector("ul").replaceChildren();
  panel.hidden = true;
  document.getElementById("main").focus();
}

export function uploads() {
  for (const button of panel.querySelectorAll("[data-all]"))
    button.addEventListener("click", () => {
      if (button.dataset.all === "cancel") {
        all -= items.waiting.length;
        items.waiting.length = 0;
        head();
        return;
      }
      answerForAll = button.dataset.all;
      for (const item of [...items.asking])
        answer(item, answerForAll);
    });
  panel.querySelector("[data-close]").addEventListener("click", close);
  addEventListener("beforeunload", (event) => {
    if (!idle())
      event.preventDefault();
  });
}
