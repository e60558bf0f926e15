// One file on its way: a raw PUT, which the web server stores without Coffer's touching a byte. Broken connections and
// a busy server are waited out; whatever else the server says is handed back.
import { reason } from "./page.js";
import { fill, texts } from "./texts.js";
import { size } from "./format.js";

const PAUSES_S = [1, 2, 4, 8, 15, 30];
const ASK_FIRST_BYTES = 200000; // larger bodies are not sent before it is known that the name is free

export class Cancelled extends Error {}

// What a transfer calls: progress(sentBytes), saving(), pausing(sentence).
export class Transfer {
  constructor(file, watcher) {
    this.file = file;
    this.watcher = watcher;
    this.cancelled = false;
  }

  cancel() {
    this.cancelled = true;
    this.request?.abort();
    this.wake?.();
  }

  // {status, why}: 201 or 200 stored, 412 the name is taken (only when asked for a new file), else a failure.
  async run(address, onlyNew) {
    const taken = onlyNew && this.file.size > ASK_FIRST_BYTES && await this.#exists(address);
    this.#checkCancelled();
    if (taken)
      return { status: 412 };
    for (let round = 0; ; round++) {
      const answer = await this.#send(`${address}?parents=1&mtime=${(this.file.lastModified / 1000).toFixed(3)}`, onlyNew);
      this.#checkCancelled();
      const again = answer.status === 0 || [429, 502, 503, 504].includes(answer.status);
      if (!again)
        return { status: answer.status, why: reason(answer.status, answer.body) };
      const hopeless = answer.status === 0 ? await this.#hopeless() : null;
      this.#checkCancelled();
      if (hopeless !== null)
        return hopeless;
      if (round === PAUSES_S.length)
        return { status: answer.status, why: answer.status === 0 ? texts.broke : reason(answer.status, answer.body) };
      await this.#pause(answer, PAUSES_S[round]);
    }
  }

  // After each wait: who cancelled meanwhile is not asked, told or sent anything more.
  #checkCancelled() {
    if (this.cancelled)
      throw new Cancelled();
  }

  #send(address, onlyNew) {
    return new Promise((resolve) => {
      const request = this.request = new XMLHttpRequest();
      request.open("PUT", address);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      if (onlyNew)
        request.setRequestHeader("If-None-Match", "*");
      request.upload.onprogress = (event) => this.watcher.progress(event.loaded);
      request.upload.onload = () => this.watcher.saving();
      request.onloadend = () => resolve({
        status: request.status, body: request.responseText, after: Number(request.getResponseHeader("Retry-After")),
      });
      request.send(this.file);
    });
  }

  async #exists(address) {
    try {
      return (await fetch(address, { method: "HEAD" })).ok;
    } catch {
      return false; // the transfer itself will meet the same network and wait
    }
  }

  // A server that refuses early closes the connection, and the browser may tell no more than that: ask what it was.
  async #hopeless() {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      return { status: 0, why: texts.unreadable };
    }
    try {
      const answer = await fetch("/api/v1/me");
      if (answer.status === 401)
        return { status: 401, why: texts.signedOut };
      const { quota, used } = await answer.json();
      if (typeof quota === "number" && used + this.file.size > quota)
        return { status: 507, why: fill(texts.tooBig, { free: size(Math.max(0, quota - used)) }) };
    } catch {
      // not reachable, or not well: wait
    }
    return null;
  }

  // Until the time is over or the network is back.
  async #pause(answer, fallback) {
    const n = answer.after > 0 ? Math.min(answer.after, 60) : fallback;
    const sentence = answer.status !== 0 ? texts.busy : navigator.onLine ? texts.retry : texts.offline;
    this.watcher.pausing(fill(sentence, { n }));
    await new Promise((resolve) => {
      this.wake = resolve;
      addEventListener("online", resolve, { once: true });
      setTimeout(resolve, n * 1000);
    });
    this.#checkCancelled();
  }
}
