/** A function's calls in order, made short enough to be drawn: equal neighbours as one, turns folded, widths, rows. */

import type { HistoryRun } from "../data";

/** Calls with one fate. */
export interface Run {
  readonly kind: "run";
  readonly outcome: string;
  /** Null: not read, or several (`signatures`). */
  readonly signature: number | null;
  /** How many different signatures were added up. */
  readonly signatures: number;
  readonly count: number;
  /** Ordinal of the first of these calls, from 1. */
  readonly first: number;
  readonly compilation: number | null;
}

/** The same runs again and again. */
export interface Turns {
  readonly kind: "turns";
  readonly parts: readonly Run[];
  readonly times: number;
  /** All calls of all turns. */
  readonly count: number;
  readonly first: number;
}

/** Neighbouring runs, too many to be drawn apart: calls by outcome. */
export interface Mixed {
  readonly kind: "mixed";
  readonly outcomes: ReadonlyMap<string, number>;
  readonly runs: number;
  readonly count: number;
  readonly first: number;
}

export type Segment = Run | Turns | Mixed;

/** Longest turn that is looked for, in runs. */
const LONGEST_TURN = 6;
/** Fewest times that a turn is repeated to be folded. */
const FEWEST_TIMES = 3;

/** Runs with their ordinals. Nested calls have none: they do not count as calls, and stand where they happened. */
export function runsOf(history: readonly HistoryRun[]): Run[] {
  let first = 1;
  return history.map((one) => {
    const run: Run = {
      kind: "run",
      outcome: one.outcome,
      signature: one.signature,
      signatures: 1,
      count: one.count,
      first,
      compilation: one.compilation,
    };
    if (one.outcome !== "nested") first += one.count;
    return run;
  });
}

/** Fold what is repeated at least three times in a row; single long runs are no turns. */
export function folded(runs: readonly Run[]): (Run | Turns)[] {
  const found: (Run | Turns)[] = [];
  for (let at = 0; at < runs.length; ) {
    let best: { size: number; times: number } | null = null;
    for (let size = 1; size <= LONGEST_TURN && at + size * FEWEST_TIMES <= runs.length; size++) {
      let times = 1;
      while (repeats(runs, at, size, times)) times += 1;
      if (times < FEWEST_TIMES) continue;
      // The shortest turn that covers most.
      if (best === null || size * times > best.size * best.times) best = { size, times };
    }
    const run = runs[at] as Run;
    if (best === null) {
      found.push(run);
      at += 1;
      continue;
    }
    const covered = runs.slice(at, at + best.size * best.times);
    const count = covered.reduce((sum, one) => sum + one.count, 0);
    found.push({ kind: "turns", parts: covered.slice(0, best.size), times: best.times, count, first: run.first });
    at += covered.length;
  }
  return found;
}

function repeats(runs: readonly Run[], at: number, size: number, times: number): boolean {
  const start = at + size * times;
  if (start + size > runs.length) return false;
  for (let n = 0; n < size; n++) {
    const [a, b] = [runs[at + n] as Run, runs[start + n] as Run];
    if (a.outcome !== b.outcome || a.signature !== b.signature || a.count !== b.count) return false;
  }
  return true;
}

/** Neighbours with the same outcome as one, whatever their signatures. */
export function byOutcome(runs: readonly Run[]): Run[] {
  const found: Run[] = [];
  let seen = new Set<number | null>();
  for (const run of runs) {
    const last = found.at(-1);
    if (last === undefined || last.outcome !== run.outcome) {
      found.push(run);
      seen = new Set([run.signature]);
      continue;
    }
    seen.add(run.signature);
    const signature = seen.size === 1 ? run.signature : null;
    found[found.length - 1] = {
      ...last,
      count: last.count + run.count,
      signature,
      signatures: seen.size,
      compilation: null,
    };
  }
  return found;
}

/** At most `most` segments: folded; if that is too many by outcome; if that is still too many neighbours are mixed. */
export function compressed(runs: readonly Run[], most: number): Segment[] {
  const exact = folded(runs);
  if (exact.length <= most) return exact;
  const outcomes = folded(byOutcome(runs));
  if (outcomes.length <= most) return outcomes;
  const size = Math.ceil(outcomes.length / most);
  const found: Segment[] = [];
  for (let at = 0; at < outcomes.length; at += size) found.push(mixed(outcomes.slice(at, at + size)));
  return found;
}

function mixed(parts: readonly (Run | Turns)[]): Segment {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const outcomes = new Map<string, number>();
  let runs = 0;
  for (const part of parts) {
    for (const run of part.kind === "run" ? [part] : part.parts) {
      const times = part.kind === "run" ? 1 : part.times;
      outcomes.set(run.outcome, (outcomes.get(run.outcome) ?? 0) + run.count * times);
      runs += times;
    }
  }
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  return { kind: "mixed", outcomes, runs, count, first: parts[0]?.first ?? 1 };
}

/** A segment in its place: what does not fit into a row goes on in the next. */
export interface Placed {
  readonly segment: number;
  readonly row: number;
  readonly x: number;
  readonly width: number;
}

/** Least width of a segment, in pixels. */
const LEAST = 5;
const GAP = 1;

/**
 * Places in rows of `width` pixels. `log`: each segment is as wide as the logarithm of its calls; `linear`: as its
 * calls, so that all of them fill about one row, but none is narrower than can be seen.
 */
export function placed(segments: readonly Segment[], width: number, scale: "log" | "linear"): Placed[] {
  const total = segments.reduce((sum, one) => sum + one.count, 0);
  const widths = segments.map((one) =>
    scale === "log" ? LEAST + 9 * Math.log2(one.count) : (width * one.count) / Math.max(total, 1),
  );
  // A short history is drawn wider, but a call no wider than a bar.
  const sum = widths.reduce((a, b) => a + b, 0);
  const factor = scale === "log" ? Math.min(Math.max(width / Math.max(sum + segments.length, 1), 1), 2.5) : 1;
  const found: Placed[] = [];
  let row = 0;
  let x = 0;
  for (const [segment, wanted] of widths.entries()) {
    const own = Math.min(Math.max(wanted * (wanted > LEAST ? factor : 1), LEAST) - GAP, width);
    if (x > 0 && x + own > width + 0.5) {
      row += 1;
      x = 0;
    }
    found.push({ segment, row, x, width: own });
    x += own + GAP;
  }
  return found;
}
