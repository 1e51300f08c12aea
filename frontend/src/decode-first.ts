/** First calls out of the page's document (src/jitscope/render/html/first.py). */

import type { FirstCall, Part, ShownCall } from "./data-first";

/** A row of the table of parts: they are told in the order of a walk through their tree. */
export interface PartRow extends Omit<Part, "parts"> {
  call: number;
  later: boolean;
  depth: number;
}

export type CallRow = Omit<FirstCall, "parts" | "later"> & { costliest: [string, number][] };

/** The calls, each with its trees of parts. */
export function shownCalls(calls: readonly CallRow[], parts: readonly PartRow[]): ShownCall[] {
  const shown = calls.map(
    ({ costliest, ...row }): ShownCall => ({ call: { ...row, parts: [], later: [] }, costliest }),
  );
  /** Where the next part of each depth belongs. */
  let open: Part[][] = [];
  for (const { call, later, depth, ...row } of parts) {
    const owner = shown[call]?.call;
    if (owner === undefined) continue;
    const part: Part = { ...row, parts: [] };
    (depth === 0 ? (later ? owner.later : owner.parts) : open[depth])?.push(part);
    open = open.slice(0, depth + 1);
    open[depth + 1] = part.parts;
  }
  return shown;
}
