/** What is in the bundle belongs to others, too: their notices are kept beside it. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

/** The folder of the package that a module is of, or nothing for our own. */
function packageOf(module: string): string | null {
  if (!module.includes("/node_modules/")) return null;
  let folder = dirname(module.split("?")[0] ?? "");
  while (folder.includes("/node_modules/")) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf-8")).version !== undefined) return folder;
    folder = dirname(folder);
  }
  return null;
}

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf-8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf-8").trim()}\n`;
}

/** Write `licenses.txt` into the bundle. */
export function licenses(): Plugin {
  return {
    name: "licenses",
    apply: "build",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((each) => (each.type === "chunk" ? each.moduleIds : []));
      const folders = [...new Set(modules.map(packageOf))].filter((each): each is string => each !== null);
      const source = folders
        .map(notice)
        .sort()
        .join(`\n${"-".repeat(80)}\n\n`);
      this.emitFile({ type: "asset", fileName: "licenses.txt", source });
    },
  };
}
