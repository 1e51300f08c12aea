/**
 * A digest of all that the bundle is made of, kept beside it: whether it is current can be checked without Node
 * (tests/unit/test_page_bundle.py computes the same).
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

const SINGLE = ["licenses.ts", "package-lock.json", "package.json", "sources.ts", "tsconfig.json", "vite.config.ts"];

function under(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? under(path) : [path];
  });
}

/** SHA-256 of names and contents, in the order of the names. */
function digestOf(root: string): string {
  const files = [...SINGLE.map((name) => join(root, name)), ...under(join(root, "src"))];
  const named = files.map((path) => [relative(root, path).split(sep).join("/"), path] as const);
  const hash = createHash("sha256");
  for (const [name, path] of named.sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

/** Write `sources.sha256` into the bundle. */
export function sourcesDigest(root: string, output: string): Plugin {
  return {
    name: "sources-digest",
    apply: "build",
    closeBundle() {
      writeFileSync(join(root, output, "sources.sha256"), `${digestOf(root)}\n`);
    },
  };
}
