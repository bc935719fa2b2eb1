// Copies what the pages load out of node_modules/ into static/vendor/, which git ignores.
// The folder is built beside its place and moved there whole, so that an interrupted build leaves nothing behind.

import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const vendor = join(root, "static", "vendor");
const fresh = join(root, "static", `vendor.new-${process.pid}`);

// Norwegian, Sami and English need these two; the other alphabets of the font would only weigh.
const subsets = ["latin", "latin-ext"];

const files = {
  "leaflet/dist/leaflet.css": "leaflet/leaflet.css",
  "leaflet/dist/images": "leaflet/images",
  "leaflet/LICENSE": "leaflet/LICENSE",
  "exifreader/LICENSE": "exifreader/LICENSE",
  "htmx.org/dist/htmx.min.js": "htmx.min.js",
  "@digdir/designsystemet-css/dist/src/index.css": "designsystemet/index.css",
  "@digdir/designsystemet-css/dist/theme/designsystemet.css": "designsystemet/theme.css",
  "@digdir/designsystemet-css/LICENSE": "designsystemet/LICENSE",
  "@fontsource-variable/inter/LICENSE": "inter/LICENSE",
};

const scripts = {
  "leaflet/dist/leaflet.js": "leaflet/leaflet.js",
  "exifreader/dist/exif-reader.js": "exifreader/exif-reader.js",
};

function build() {
  for (const [from, to] of Object.entries(files)) {
    const target = join(fresh, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(modules, from), target, { recursive: true });
  }
  // The source maps are not shipped, so their mention would only make browsers ask for a page that is not there.
  for (const [from, to] of Object.entries(scripts)) {
    const script = readFileSync(join(modules, from), "utf8");
    writeFileSync(join(fresh, to), script.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
  }
  buildFont();
}

function buildFont() {
  const source = join(modules, "@fontsource-variable/inter");
  const faces = readFileSync(join(source, "index.css"), "utf8").match(/@font-face\s*{[^}]*}/g) ?? [];
  const kept = [];
  for (const subset of subsets) {
    const name = `inter-${subset}-wght-normal.woff2`;
    const face = faces.find((text) => text.includes(`/${name})`));
    if (!face) throw new Error(`the font's stylesheet does not mention ${name} any more`);
    kept.push(face.replace("./files/", "./"));
    cpSync(join(source, "files", name), join(fresh, "inter", name));
  }
  writeFileSync(join(fresh, "inter", "index.css"), kept.join("\n") + "\n");
}

/** Every url() and @import of every stylesheet: either it is a file of ours, or it names no file. Returns the faults. */
function brokenLinks(folder) {
  const faults = [];
  for (const entry of readdirSync(folder, { recursive: true }).map(String)) {
    if (!entry.endsWith(".css")) continue;
    // Comments go first: examples in them are no links.
    const css = readFileSync(join(folder, entry), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    const links = [
      ...css.matchAll(/url\(\s*(?:"([^"]*)"|'([^']*)'|([^'")\s]*))\s*\)/g),
      ...css.matchAll(/@import\s+(?:"([^"]*)"|'([^']*)')/g),
    ].map((match) => match[1] ?? match[2] ?? match[3]);
    for (const link of links) {
      if (link.startsWith("data:") || link.startsWith("#")) continue;
      const remote = /^([a-z]+:)?\/\//i.test(link);
      const file = join(folder, dirname(entry), link.split(/[?#]/)[0]);
      if (remote || !existsSync(file)) faults.push(`${entry}: ${link}`);
    }
  }
  return faults;
}

try {
  for (const left of existsSync(join(root, "static")) ? readdirSync(join(root, "static")) : []) {
    if (left.startsWith("vendor.new-")) rmSync(join(root, "static", left), { recursive: true });
  }
  build();
  const faults = brokenLinks(fresh);
  if (faults.length > 0) throw new Error(`stylesheets link to what is not there:\n  ${faults.join("\n  ")}`);
  writeFileSync(join(fresh, ".stamp"), "");
  rmSync(vendor, { recursive: true, force: true });
  renameSync(fresh, vendor);
} catch (error) {
  rmSync(fresh, { recursive: true, force: true });
  console.error(`static/vendor/ was not built: ${error.message}`);
  process.exit(1);
}
