// Packs what was built with gzip, for the server to embed, and fails when the script of a first load has
// grown beyond its bound.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const MOST_SCRIPT = 200_000; // bytes, packed
const app = new URL("../dist/app/", import.meta.url).pathname;

const manifestPath = join(app, "manifest.json");
const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
rmSync(manifestPath);

const packed = new Map();
for (const entry of readdirSync(app, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
  const file = join(entry.parentPath, entry.name);
  const bytes = gzipSync(readFileSync(file), { level: 9 });
  writeFileSync(`${file}.gz`, bytes);
  packed.set(file, bytes.length);
}

/** What is loaded with a chunk: itself, and what it imports at once. */
function scriptOf(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const imported of manifest[key].imports ?? []) scriptOf(imported, seen);
  return seen;
}

// A first load is the entry and one view.
const views = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry);
let worst = 0;
for (const view of views) {
  const files = scriptOf(view, scriptOf("index.html"));
  const size = [...files].reduce((sum, key) => sum + (packed.get(join(app, manifest[key].file)) ?? 0), 0);
  worst = Math.max(worst, size);
  process.stdout.write(`first load of ${view}: ${(size / 1000).toFixed(1)} kB of script, packed\n`);
}
if (views.length === 0 || worst > MOST_SCRIPT) {
  rmSync(app, { recursive: true });
  process.stderr.write(`The script of a first load is over ${MOST_SCRIPT / 1000} kB, packed.\n`);
  process.exit(1);
}
