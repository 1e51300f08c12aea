/** What of a lane is drawn at a zoom: blocks that are wide enough each, narrower ones added up by pixel. */

import type { Stretch } from "../data";
import type { Block } from "./lanes";
import type { Span } from "./window";

/** Blocks narrower than this, in pixels, share a column. */
export const NARROW = 2;

export interface Column {
  /** Pixels from the left of the view. */
  readonly x: number;
  readonly width: number;
  /** The first of the blocks, and how many: they follow each other, but wide ones may lie between. */
  readonly first: number;
  readonly count: number;
  /** Seconds by phase, of columns with several blocks or a narrow one. */
  readonly phases: ReadonlyMap<string, number> | null;
}

/** The index of the first block that ends at or after `time`. */
export function firstVisible(reach: Float64Array, time: number): number {
  let low = 0;
  let high = reach.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((reach[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The columns of the blocks in `span`, drawn `pixels` wide. */
export function columns(blocks: readonly Block[], reach: Float64Array, span: Span, pixels: number): Column[] {
  const scale = pixels / (span.end - span.start);
  const found: Column[] = [];
  let open: { x: number; first: number; count: number; phases: Map<string, number> } | null = null;
  const close = (): void => {
    if (open !== null) found.push({ ...open, width: NARROW });
    open = null;
  };
  for (let n = firstVisible(reach, span.start); n < blocks.length; n++) {
    const block = blocks[n] as Block;
    if (block.start > span.end) break;
    if (block.end < span.start) continue;
    const x = (block.start - span.start) * scale;
    const width = (block.end - block.start) * scale;
    if (width >= NARROW) {
      close();
      found.push({ x, width, first: n, count: 1, phases: null });
      continue;
    }
    const at: number = Math.floor(x / NARROW) * NARROW;
    if (open === null || open.x !== at) {
      close();
      open = { x: at, first: n, count: 0, phases: new Map() };
    }
    open.count += 1;
    for (const part of block.parts) {
      open.phases.set(part.phase, (open.phases.get(part.phase) ?? 0) + part.end - part.start);
    }
  }
  close();
  return found;
}

/** Calls between two pixels. */
export interface Density {
  readonly x: number;
  readonly width: number;
  readonly calls: number;
  readonly hits: number;
  readonly fallbacks: number;
  /** Calls a second, on average. */
  readonly rate: number;
  /** Its end is not recorded. */
  readonly open: boolean;
}

/** The stretches in `span`; those narrower than a pixel are added up. `end`: where the run ends. */
export function densities(stretches: readonly Stretch[], span: Span, pixels: number, end: number): Density[] {
  const scale = pixels / (span.end - span.start);
  const found: Density[] = [];
  let sum: { at: number; from: number; to: number; calls: number; hits: number; fallbacks: number } | null = null;
  const close = (): void => {
    if (sum === null) return;
    const { at, from, to, calls, hits, fallbacks } = sum;
    const seconds = Math.max(to - from, 1 / scale);
    found.push({
      x: at,
      width: Math.max((to - from) * scale, 1),
      calls,
      hits,
      fallbacks,
      rate: calls / seconds,
      open: false,
    });
    sum = null;
  };
  for (const one of stretches) {
    const to = one.end ?? end;
    if (to < span.start) continue;
    if (one.start > span.end) break;
    const x = (one.start - span.start) * scale;
    const width = (to - one.start) * scale;
    if (width >= NARROW) {
      close();
      const { calls, hits, eager_fallbacks: fallbacks } = one;
      found.push({ x, width, calls, hits, fallbacks, rate: calls / (to - one.start), open: one.end === null });
      continue;
    }
    const at: number = Math.floor(x / NARROW) * NARROW;
    if (sum === null || sum.at !== at) {
      close();
      sum = { at, from: one.start, to, calls: 0, hits: 0, fallbacks: 0 };
    }
    sum.to = Math.max(sum.to, to);
    sum.calls += one.calls;
    sum.hits += one.hits;
    sum.fallbacks += one.eager_fallbacks;
  }
  close();
  return found;
}

/** A mark for one or several blocks. */
export interface Mark<T> {
  readonly x: number;
  readonly count: number;
  /** What most of them have. */
  readonly kind: T;
}

/** Marks from left to right that have room: those nearer to each other than their width become one with a count. */
export function marks<T>(points: Iterable<{ x: number; kind: T; count: number }>, digit = 7): Mark<T>[] {
  const found: Mark<T>[] = [];
  let x = 0;
  let count = 0;
  let kinds = new Map<T, number>();
  const close = (): void => {
    if (count === 0) return;
    const [kind] = [...kinds].reduce((best, one) => (one[1] > best[1] ? one : best));
    found.push({ x, count, kind });
    count = 0;
    kinds = new Map();
  };
  for (const point of points) {
    const room = count === 1 ? 11 : 22 + digit * String(count).length;
    if (count > 0 && point.x >= x + room) close();
    if (count === 0) x = point.x;
    count += point.count;
    kinds.set(point.kind, (kinds.get(point.kind) ?? 0) + point.count);
  }
  close();
  return found;
}

/** Seconds of compiling by phase in each of `pixels` columns of the whole run. */
export function overview(blocks: Iterable<Block>, span: Span, pixels: number): Map<string, Float64Array> {
  const scale = pixels / (span.end - span.start);
  const found = new Map<string, Float64Array>();
  for (const block of blocks) {
    for (const part of block.parts) {
      let sums = found.get(part.phase);
      if (sums === undefined) {
        sums = new Float64Array(pixels);
        found.set(part.phase, sums);
      }
      const from = (part.start - span.start) * scale;
      const to = (part.end - span.start) * scale;
      for (let x = Math.max(Math.floor(from), 0); x < Math.min(to, pixels); x++) {
        sums[x] = (sums[x] as number) + (Math.min(to, x + 1) - Math.max(from, x)) / scale;
      }
    }
  }
  return found;
}
