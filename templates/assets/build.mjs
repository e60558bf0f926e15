// The second half of ./build: runs beside node_modules, writes the bundle into the folder it is given.
import { createHash } from "node:crypto";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as esbuild from "esbuild";
import * as sass from "sass";

// The icons the templates, view code and script use, by their name in Bootstrap Icons.
const ICONS = [
  "arrow-down", "arrow-up", "check-circle-fill", "chevron-left", "chevron-right", "cloud-arrow-up", "copy", "download",
  "exclamation-triangle-fill", "file-earmark", "file-earmark-code", "file-earmark-image", "file-earmark-music",
  "file-earmark-pdf", "file-earmark-play", "file-earmark-spreadsheet", "file-earmark-text", "file-earmark-zip", "folder-fill",
  "folder-plus", "folder-symlink", "folder2-open", "info-circle", "pencil", "person-circle", "search", "three-dots", "trash3", "upload", "x-lg",
];

const out = process.argv[2];

function hashed(name, text) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 10);
  return name.replace(/(\.\w+)$/, `-${hash}$1`);
}

// One <symbol> per icon: a page shows it by <use href="...#name">, in the colour of the text around it.
async function sprite() {
  const symbols = await Promise.all(ICONS.map(async (name) => {
    const svg = await readFile(`node_modules/bootstrap-icons/icons/${name}.svg`, "utf8");
    const body = svg.replace(/^<svg[^>]*>\s*/, "").replace(/\s*<\/svg>\s*$/, "").replace(/\n\s*/g, "");
    return `<symbol id="${name}" viewBox="0 0 16 16" fill="currentColor">${body}</symbol>`;
  }));
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}

async function style() {
  const { css } = sass.compile("src/coffer.scss", { loadPaths: ["node_modules"], quietDeps: true });
  const { code } = await esbuild.transform(css, { loader: "css", minify: true, legalComments: "none" });
  return `/*! Contains Bootstrap (MIT), see LICENSES.txt */\n${code}`;
}

async function script() {
  const result = await esbuild.build({
    entryPoints: ["src/coffer.js"], bundle: true, minify: true, write: false,
    format: "iife", target: ["chrome94", "firefox93", "safari15"], legalComments: "none",
  });
  return result.outputFiles[0].text;
}

async function licences() {
  const parts = ["Parts of these files were written by others, under the licences below.\n"];
  for (const name of ["bootstrap", "bootstrap-icons"]) {
    const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
    parts.push(`==== ${name} ${version} ====\n\n${await readFile(`node_modules/${name}/LICENSE`, "utf8")}`);
  }
  return parts.join("\n");
}

const files = {
  "coffer.css": await style(),
  "coffer.js": await script(),
  "icons.svg": await sprite(),
  "favicon.svg": await readFile("src/favicon.svg", "utf8"),
};

// Written under their new names first, named by the manifest next, the former ones removed last: whoever reads
// the manifest at any moment finds the files it names.
const manifest = {};
for (const [name, text] of Object.entries(files)) {
  manifest[name] = hashed(name, text);
  await writeFile(join(out, manifest[name]), text);
}
await writeFile(join(out, "LICENSES.txt"), await licences());
await writeFile(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");

const current = new Set(Object.values(manifest));
for (const name of await readdir(out)) {
  if (/^(coffer|icons|favicon)-[0-9a-f]{10}\.(css|js|svg)$/.test(name) && !current.has(name))
    await rm(join(out, name));
}
for (const [name, text] of Object.entries(files))
  console.log(`${manifest[name].padEnd(28)} ${(Buffer.byteLength(text) / 1000).toFixed(1).padStart(7)} kB`);
