/** The rows of a waterfall: parts of a whole, nested ones below, each with where its bar stands. */

import type { Part } from "./data-first";

export interface WaterfallRow {
  /** `small`: several parts told together; `rest`: what is in no part. */
  kind: "part" | "small" | "rest";
  /** What the program calls the step; colours go by it. */
  name: string;
  label: string;
  count: number;
  program: string | null;
  depth: number;
  /** Labels of the parts around it, the outermost first. */
  inside: readonly string[];
  /** Where the bar stands, from the start of the whole; null: nowhere, as these are several stretches. */
  at: number | null;
  /** Whether it began there; else only how long it took is known. */
  known: boolean;
  seconds: number;
  /** Of that, what is in none of its parts; null for several. */
  own: number | null;
}

/** Share of the whole below which parts are told together, as in `jitscope first` (render/waterfall.py). */
export const LEAST = 0.01;
/** Rows that are shown of one call, whatever it did. */
export const MOST = 400;

/** The rows of a whole of that many seconds; with `all`, small parts have rows of their own. */
export function waterfall(
  parts: readonly Part[],
  whole: { seconds: number; rest: number; restLabel: string },
  all: boolean,
): WaterfallRow[] {
  const rows: WaterfallRow[] = [];
  const add = (some: readonly Part[], inside: readonly string[], start: number): void => {
    const depth = inside.length;
    let small = all ? [] : some.filter((one) => one.seconds < LEAST * whole.seconds);
    // One alone takes no more room by its name.
    if (small.length === 1) small = [];
    const hidden = new Set(small);
    let follows = start;
    for (const one of some) {
      const at = one.start ?? follows;
      follows = at + one.seconds;
      if (hidden.has(one)) continue;
      const { name, label, count, seconds, own } = one;
      // Those that were compiled by themselves are listed apart, with their places.
      const program = name === "eager_op" || name === "unwatched" ? null : one.program;
      const known = one.start !== null;
      rows.push({ kind: "part", name, label, count, program, depth, inside, at, known, seconds, own });
      add(one.parts, [...inside, label], at);
    }
    if (small.length > 0) {
      const seconds = small.reduce((sum, one) => sum + one.seconds, 0);
      rows.push({ ...several, count: small.length, depth, inside, seconds });
    }
  };
  add(parts, [], 0);
  if (whole.rest > 0) {
    rows.push({ ...several, kind: "rest", label: whole.restLabel, seconds: whole.rest, own: whole.rest, inside: [] });
  }
  return rows;
}

const several: WaterfallRow = {
  kind: "small",
  name: "",
  label: "",
  count: 1,
  program: null,
  depth: 0,
  inside: [],
  at: null,
  known: false,
  seconds: 0,
  own: null,
};

/** Left edge, width and the width of the part's own time, as shares of the whole; null: no bar. */
export function bar(row: WaterfallRow, whole: number): { left: number; width: number; own: number } | null {
  if (row.at === null || !(whole > 0)) return null;
  const left = Math.min(Math.max(row.at / whole, 0), 1);
  const width = Math.min(Math.max(row.seconds / whole, 0), 1 - left);
  const own = Math.min(Math.max((row.own ?? row.seconds) / whole, 0), width);
  return { left, width, own };
}
