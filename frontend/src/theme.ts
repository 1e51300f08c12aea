/** Colours: all of them are custom properties of styles.css, one set for light and one for dark. */

import type { Theme } from "./charts/contract";

/** The phases in the order in which they run. */
export const PHASES = [
  "trace",
  "lower",
  "compile",
  "cache_read",
  "dynamo",
  "aot_autograd",
  "inductor",
  "codegen",
  "autotune",
  "backward",
] as const;

export const OUTCOMES = [
  "hit",
  "compile",
  "eager_fallback",
  "dispatch_miss",
  "python_path",
  "waited",
  "nested",
  "error",
] as const;

/** Custom property of a phase's colour. A phase that this page does not know has one of its own. */
export function phaseProperty(name: string): string {
  return (PHASES as readonly string[]).includes(name) ? `--phase-${name}` : "--phase-other";
}

/** Steps inside of phases that have their colour. */
const LIKE: Readonly<Record<string, string>> = {
  cache_write: "cache_read",
  inductor_codecache_torch_key: "cache_read",
  build_guards: "dynamo",
  compile_file: "codegen",
  "GraphLowering.codegen": "codegen",
  "async_compile.wait": "codegen",
  "async_compile.precompile": "codegen",
};

/** Custom property of the colour of a part of a call: its phase's, else the one of bars. */
export function partProperty(name: string): string {
  const phase = Object.hasOwn(LIKE, name) ? (LIKE[name] as string) : name;
  return (PHASES as readonly string[]).includes(phase) ? `--phase-${phase}` : "--bar";
}

export function outcomeProperty(name: string): string {
  return (OUTCOMES as readonly string[]).includes(name) ? `--outcome-${name}` : "--outcome-other";
}

/** What the document shows at this moment. */
export function currentTheme(root: HTMLElement = document.documentElement): Theme {
  const styles = getComputedStyle(root);
  const color = (name: string): string => styles.getPropertyValue(name).trim() || "#888";
  const chosen = root.dataset.theme;
  return {
    dark: chosen === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark",
    still: matchMedia("(prefers-reduced-motion: reduce)").matches,
    color,
    phase: (name) => color(phaseProperty(name)),
    outcome: (name) => color(outcomeProperty(name)),
  };
}
