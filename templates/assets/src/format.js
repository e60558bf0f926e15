import { fill, texts } from "./texts.js";

// As view_size in view.c.
export function size(bytes) {
  let unit = 0;
  while (bytes >= 999.5 && unit + 1 < texts.units.length) {
    bytes /= 1000;
    unit++;
  }
  const digits = unit === 0 || bytes >= 99.95 ? 0 : 1;
  return `${bytes.toFixed(digits)} ${texts.units[unit]}`;
}

export function duration(seconds) {
  if (seconds < 60)
    return fill(texts.seconds, { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600)
    return fill(texts.minutes, { n: Math.round(seconds / 60) });
  return fill(texts.hours, { n: Math.floor(seconds / 3600), m: Math.floor(seconds % 3600 / 60) });
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The server writes UTC; people read their own time.
export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]"))
    time.textContent = ("short" in time.dataset ? day : minute).format(new Date(time.dateTime));
}
