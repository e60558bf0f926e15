// Begins here. Every page works without this; the script adds progress, several files at once, dropping files, and
// answers in place.
import { chooser, dropping } from "./choose.js";
import { dragging } from "./drag.js";
import { finding } from "./find.js";
import { localTimes } from "./format.js";
import { menus } from "./menu.js";
import { forgetNotice, passwordButtons, showHints, tools } from "./page.js";
import { picker } from "./pick.js";
import { preview } from "./preview.js";
import { removal } from "./remove.js";
import { selection } from "./select.js";
import { uploads } from "./uploads.js";

localTimes(document);
passwordButtons();
forgetNotice();
preview();

if (document.getElementById("list") !== null) {
  showHints(document);
  chooser();
  tools();
  dropping();
  dragging();
  finding();
  uploads();
  removal();
  picker();
  selection();
  menus();
}
