// Bundles the page: node build.mjs MODULES FOLDER
// MODULES is the node_modules folder of package-lock.json. FOLDER receives index.html, assets/ with names that contain the hash
// of their content, and the licenses of everything bundled. The same sources give the same bytes.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, folder] = process.argv.slice(2).map((it) => resolve(it));
const source = join(dirname(fileURLToPath(import.meta.url)), "source");
const { build } = createRequire(join(modules, "build.js"))("esbuild");

const { outputFiles, metafile } = await build({
  entryPoints: { app: join(source, "main.jsx"), style: join(source, "style.css") },
  absWorkingDir: modules,
  nodePaths: [modules],
  outdir: folder,
  bundle: true, minify: true, metafile: true, write: false,
  format: "esm", target: ["chrome109", "firefox115", "safari16.4"],
  jsx: "automatic", jsxImportSource: "preact",
  legalComments: "none", charset: "utf8", logLevel: "warning",
});

const assets = Object.fromEntries(outputFiles.map((file) => [relative(folder, file.path), file.contents]));
// The chart's own styles come with the script's imports; the page loads one file.
const style = Buffer.concat([assets["app.css"] ?? "", "\n", assets["style.css"]].map((it) => Buffer.from(it)));

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "assets"), { recursive: true });
const names = { script: asset("app.js", assets["app.js"]), style: asset("style.css", style), icon: asset("icon.svg", readFileSync(join(source, "icon.svg"))) };
const html = readFileSync(join(source, "index.html"), "utf8").replace(/\{(script|style|icon)\}/g, (_, name) => names[name]);
writeFileSync(join(folder, "index.html"), html);
writeFileSync(join(folder, "licences.txt"), licences());

/** Writes an asset, and returns its path relative to the page. */
function asset(name, contents) {
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 16);
  const path = `assets/${name.slice(0, -extname(name).length)}-${hash}${extname(name)}`;
  writeFileSync(join(folder, path), contents);
  return path;
}

/** The licenses require that their texts accompany copies. */
function licences() {
  const packages = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const [, name] = /^(?:.*node_modules\/)?((?:@[^/]+\/)?[^/]+)\//.exec(relative(modules, resolve(modules, input))) ?? [];
    if (name && !name.startsWith("..") && existsSync(join(modules, name, "package.json"))) packages.add(name);
  }
  return [...packages].sort().map((name) => {
    const at = join(modules, name);
    const { version, license } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
    const file = readdirSync(at).sort().find((it) => /^(licen[cs]e|copyright)/i.test(it));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(at, file), "utf8").trim() : ""}\n`;
  }).join(`\n${"-".repeat(80)}\n\n`);
}
