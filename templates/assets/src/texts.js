// Every word the script shows; {x} is filled in. All other words stand in the templates.
export const texts = {
  units: ["B", "kB", "MB", "GB", "TB", "PB"],
  seconds: "{n} s",
  minutes: "{n} min",
  hours: "{n} h {m} min",

  waiting: "Waiting",
  sending: "{sent} of {size}",
  sendingFast: "{sent} of {size} · {speed}/s · {left} left",
  saving: "Saving",
  done: "Uploaded, {size}",
  doneAs: "Uploaded as {name}, {size}",
  conflict: "This folder already has something of that name.",
  retry: "The connection broke. Trying again in {n} s.",
  offline: "No network. Going on as soon as it is back.",
  busy: "The server is busy. Trying again in {n} s.",
  broke: "The connection broke several times.",
  unreadable: "The file cannot be read; was it moved, or is it a folder?",
  signedOut: "You are signed out. Sign in in another tab, then try again.",
  tooBig: "Your storage has no room for it: {free} are free.",
  failed: "The server answered with error {status}.",

  titleRunning: "Uploading {n} of {all}",
  titleDone: "Uploaded: {n}",
  titleFailed: "Uploaded: {n}, not uploaded: {failed}",
  titleAsk: "Uploads need an answer",
  started: "Uploading {n} files.",
  asks: "{name}: this folder already has something of that name. Keep both, replace, or skip?",
  failedOne: "{name} was not uploaded. {why}",

  uploadFolder: "Upload folder",
  leftOut: "Left out, because there is nothing in it or it cannot be read: {names}",

  items: "{n} items",
  andMore: "and {n} more",
  chosen: "{n} selected",
  renamed: "Now called {name}.",
  deleted: "{name} was deleted.",
  notDeleted: "{name} was not deleted. {why}",
  noConnection: "The server cannot be reached.",
};

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
