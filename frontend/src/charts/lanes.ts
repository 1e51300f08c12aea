/**
 * The lanes of the timeline: one for each function and each thread that compiled it, and one for what nobody watched.
 *
 * The slices of a compilation are own times, and a slice that encloses others is not where they are: each is laid at
 * its start, or after the one before it where that has not ended. So a block's length is what compiling took, and its
 * parts are exact; how nested phases interleave is not recorded.
 */

import type { CompilationReport, Extent, FunctionReport, PageData, Slice, State, Stretch } from "../data";
import { type Filter, matchesExtent, matchesFunction } from "../filter";
import { functionName, place, short } from "../text";
import { type CauseGroup, mainGroup } from "./causes";

/** One phase of a block. */
export interface Part {
  readonly phase: string;
  readonly start: number;
  readonly end: number;
}

/** What was compiled in one go. */
export interface Block {
  readonly compilation: number;
  readonly start: number;
  readonly end: number;
  readonly parts: readonly Part[];
  /** Null: of a program that nobody watched, whose cause is not known. */
  readonly cause: CauseGroup | null;
  readonly recompile: boolean;
  readonly failed: boolean;
  /** A phase that came later than the rest: a backward graph. */
  readonly late: boolean;
}

export interface Lane {
  readonly key: string;
  /** Null: what nobody watched. */
  readonly function: number | null;
  readonly title: string;
  /** `train.py:12 · rank 3 · thread loader`. */
  readonly detail: string;
  readonly state: State | null;
  /** Of the blocks. */
  readonly seconds: number;
  readonly compilations: number;
  /** By start. */
  readonly blocks: readonly Block[];
  /** For each block, the latest end up to it: what makes the first visible one quick to find. */
  readonly reach: Float64Array;
  readonly stretches: readonly Stretch[];
}

/** A phase that begins so many seconds after the one before it, and after its call or as a backward graph, is apart. */
const APART = 1e-3;

/** All lanes that `filter` leaves, the costliest first. */
export function lanes(data: PageData, filter: Filter): Lane[] {
  const slices = slicesByCompilation(data.timeline.slices);
  const groups = new Map<string, { extent: Extent; blocks: Block[]; seconds: number; count: number }>();
  for (const extent of data.timeline.compilations) {
    if (!matchesExtent(data, filter, extent)) continue;
    const key = laneKey(extent);
    let group = groups.get(key);
    if (group === undefined) {
      group = { extent, blocks: [], seconds: 0, count: 0 };
      groups.set(key, group);
    }
    const own = slices.get(extent.compilation) ?? [];
    for (const slice of own) group.seconds += slice.seconds;
    group.count += 1;
    group.blocks.push(...blocksOf(extent, own, data.compilations.get(extent.compilation)));
  }
  const most = busiestLanes(groups);
  const stretches = stretchesByFunction(data.timeline.stretches);
  const found = [...groups.entries()].map(([key, group]) => {
    const owner = group.extent.function === null ? undefined : data.functions.get(group.extent.function);
    // The calls of a function are not known by thread: they are drawn once, where most was compiled.
    const calls = owner !== undefined && most.get(owner.id) === key ? (stretches.get(owner.id) ?? []) : [];
    return lane(key, data, group.extent, owner, group, calls);
  });
  const drawn = new Set(found.map((one) => one.function));
  for (const owner of data.report.functions) {
    const calls = stretches.get(owner.id);
    if (drawn.has(owner.id) || calls === undefined || !matchesFunction(data, filter, owner)) continue;
    const extent = { compilation: -1, function: owner.id, start: 0, end: 0, process: owner.process, thread: null };
    found.push(lane(laneKey(extent), data, extent, owner, { blocks: [], seconds: 0, count: 0 }, calls));
  }
  return found.sort((a, b) => b.seconds - a.seconds || (a.key < b.key ? -1 : 1));
}

function laneKey(extent: Extent): string {
  return JSON.stringify([extent.function, extent.process, extent.thread]);
}

function busiestLanes(
  groups: ReadonlyMap<string, { extent: Extent; seconds: number }>,
): Map<number, string> {
  const best = new Map<number, { key: string; seconds: number }>();
  for (const [key, { extent, seconds }] of groups) {
    if (extent.function === null) continue;
    const known = best.get(extent.function);
    if (known === undefined || seconds > known.seconds) best.set(extent.function, { key, seconds });
  }
  return new Map([...best].map(([id, { key }]) => [id, key]));
}

function lane(
  key: string,
  data: PageData,
  extent: Extent,
  owner: FunctionReport | undefined,
  group: { blocks: Block[]; seconds: number; count: number },
  calls: readonly Stretch[],
): Lane {
  const blocks = group.blocks.sort((a, b) => a.start - b.start || b.end - a.end);
  const title = owner === undefined ? "not watched" : functionName(owner.name, 80);
  const details = [
    owner === undefined ? "eager operations" : place(owner.file, owner.line, 40),
    processName(data, extent.process),
    extent.thread === null ? "" : `thread ${short(extent.thread, 30)}`,
  ];
  return {
    key,
    function: owner?.id ?? null,
    title,
    detail: details.filter(Boolean).join(" · "),
    state: owner?.state ?? null,
    seconds: group.seconds,
    compilations: group.count,
    blocks,
    reach: reachOf(blocks),
    stretches: [...calls].sort((a, b) => a.from - b.from),
  };
}

/** `rank 3`; empty where there is one process. */
export function processName(data: PageData, process: number | null): string {
  const known = process === null ? undefined : data.report.run.processes[process];
  if (known === undefined) return "";
  if (known.rank !== null) return `rank ${known.rank}`;
  return known.process === null ? `pid ${known.pid}` : short(known.process, 40);
}

export function reachOf(blocks: readonly Block[]): Float64Array {
  const reach = new Float64Array(blocks.length);
  let latest = Number.NEGATIVE_INFINITY;
  for (const [n, block] of blocks.entries()) {
    latest = Math.max(latest, block.end);
    reach[n] = latest;
  }
  return reach;
}

/** The blocks of one compilation: one, and one more for each phase that came later. */
export function blocksOf(extent: Extent, slices: readonly Slice[], detail: CompilationReport | undefined): Block[] {
  const parts = laid(slices);
  const known = {
    compilation: extent.compilation,
    cause: detail === undefined ? null : mainGroup(detail.causes.map((cause) => cause.kind)),
    recompile: detail?.recompile ?? false,
    failed: (detail?.failed ?? null) !== null,
  };
  const runs: Part[][] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    const before = last?.at(-1);
    const gap = before === undefined ? 0 : part.start - before.end;
    const late = gap > APART && (part.phase === "backward" || part.start >= extent.end);
    if (last === undefined || late) runs.push([part]);
    else last.push(part);
  }
  if (runs.length === 0) return [{ ...known, start: extent.start, end: extent.end, parts: [], late: false }];
  return runs.map((run, n) => ({
    ...known,
    start: n === 0 ? Math.min(extent.start, run[0]?.start ?? extent.start) : (run[0]?.start ?? extent.start),
    end: run.at(-1)?.end ?? extent.end,
    parts: run,
    late: n > 0,
  }));
}

/** Each slice at its start, or after the one before it. */
export function laid(slices: readonly Slice[]): Part[] {
  let free = Number.NEGATIVE_INFINITY;
  return [...slices]
    .filter((slice) => slice.seconds > 0)
    .sort((a, b) => a.start - b.start)
    .map((slice) => {
      const start = Math.max(slice.start, free);
      free = start + slice.seconds;
      return { phase: slice.phase, start, end: free };
    });
}

function slicesByCompilation(slices: readonly Slice[]): Map<number, Slice[]> {
  const found = new Map<number, Slice[]>();
  for (const slice of slices) {
    const list = found.get(slice.compilation);
    if (list === undefined) found.set(slice.compilation, [slice]);
    else list.push(slice);
  }
  return found;
}

function stretchesByFunction(stretches: readonly Stretch[]): Map<number, Stretch[]> {
  const found = new Map<number, Stretch[]>();
  for (const one of stretches) {
    if (one.calls === 0) continue;
    const list = found.get(one.function);
    if (list === undefined) found.set(one.function, [one]);
    else list.push(one);
  }
  return found;
}

/** When the last function had been compiled for the first time: from there on, all that is compiled is compiled again. */
export function warmedUp(found: readonly Lane[]): number | null {
  let latest: number | null = null;
  let again = false;
  for (const one of found) {
    if (one.function === null) continue;
    for (const block of one.blocks) {
      if (block.recompile) again = true;
      else if (!block.late) latest = Math.max(latest ?? 0, block.end);
    }
  }
  return again ? latest : null;
}
