// Begins here. Every page works without this; the script adds progress, several files at once, dropping files, and
// answers in place.
import { chooser, dropping } from "./choose.js";
import { localTimes } from "./format.js";
import { forgetNotice, passwordButtons, showHints, tools } from "./page.js";
import { removal } from "./remove.js";
import { uploads } from "./uploads.js";

localTimes(document);
passwordButtons();
forgetNotice();

if (document.getElementById("list") !== null) {
  showHints(document);
  chooser();
  tools();
  dropping();
  uploads();
  removal();
}
