/** What caches on disk did, in the words of the terminal's report (src/jitscope/render/caching.py). */

import type { CacheOutcome, CacheReport } from "./data-caches";
import { counted, seconds } from "./text";

const TITLES: Record<string, string> = {
  jax: "JAX's persistent cache",
  fx_graph: "Inductor's FX graph cache",
  aot_autograd: "AOTAutograd's cache",
  triton: "Triton's cache",
};

/** What people call a cache. */
export function cacheTitle(name: string): string {
  return Object.hasOwn(TITLES, name) ? (TITLES[name] as string) : name;
}

export const RESULTS: Record<CacheOutcome["result"], string> = {
  hit: "found",
  miss: "not found",
  bypass: "not cached",
  off: "off",
  unknown: "unknown",
};

/** How often it was asked. */
export function asked(one: CacheReport): number {
  return one.hits + one.misses + one.bypassed;
}

/** What its hits saved; null: nothing was found, or its hits are not timed. */
export function savedText(one: CacheReport): string | null {
  if (one.hits === 0 || one.name === "triton") return null;
  return savedBy(one) + (one.name === "aot_autograd" ? ", Inductor's included" : "");
}

function savedBy(one: CacheReport): string {
  if (one.saved_unknown === 0) return exactly(one.saved_seconds);
  const least = Math.max(one.saved_at_least, 0);
  if (least === 0) return "saved an unknown time";
  const cut = counted(one.saved_unknown, "entry").replace(/entrys$/, "entries");
  return `saved at least ${seconds(least)} (${cut} stored without fractions of a second)`;
}

function exactly(saved: number): string {
  if (saved > 0) return `saved ${seconds(saved)}`;
  return saved < 0 ? `reading took ${seconds(-saved)} longer than compiling had` : "saved nothing";
}

/** Why a program that was found took its time all the same. */
export function slowTexts(one: CacheReport): string[] {
  const found: string[] = [];
  const rest = Object.entries(one.rest_seconds);
  const sum = rest.reduce((total, [, value]) => total + value, 0);
  if (rest.length > 0) {
    const why = one.name === "jax" ? "tracing and lowering are not cached" : "Dynamo's part is not cached";
    const phases = rest.map(([name, value]) => `${name} ${seconds(value)}`).join(", ");
    found.push(`what was found took ${seconds(sum)} more all the same: ${phases}; ${why}`);
  }
  if (one.hits > 0 && one.name === "fx_graph" && one.seconds >= 1) {
    found.push("reading loads the kernels: on a CPU, C++ code whose library is gone from the folder is built anew");
  }
  return found;
}

/** What a cache did for one compilation, after its name: `found, read in 12.3 ms, saved 3.21 s`. */
export function outcomeText(one: CacheOutcome): string {
  let text = RESULTS[one.result] ?? one.result;
  if (one.result === "hit" && one.read_seconds !== null) {
    const included = one.cache === "aot_autograd" ? ", Inductor's included" : "";
    text += `, read in ${seconds(one.read_seconds)}, ${savedByOne(one)}${included}`;
  }
  if (one.written) text += `, written${one.write_seconds === null ? "" : ` in ${seconds(one.write_seconds)}`}`;
  return one.why === null ? text : `${text}: ${one.why}`;
}

/** What a hit saved. */
export function savedByOne(one: CacheOutcome): string {
  if (one.saved_seconds !== null) {
    return exactly(one.saved_seconds) + (one.saved_from === "entry" ? "" : ", measured when the entry was made");
  }
  if (one.saved_at_most !== null && one.saved_at_least !== null) {
    const least = seconds(Math.max(one.saved_at_least, 0));
    return `saved between ${least} and ${seconds(one.saved_at_most)} (the entry has whole seconds)`;
  }
  return "saved an unknown time";
}
