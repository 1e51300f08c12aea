/**
 * The lanes of the timeline: one for each function, in each process and on each thread that compiled it, and one for
 * what nobody watched. Function objects of one source (a lambda made anew in a loop) share a lane.
 *
 * The slices of a compilation are own times, and a slice that encloses others is not where they are: each is laid at
 * its start, or after the one before it where that has not ended. So a block's length is what compiling took, and its
 * parts are exact; how nested phases interleave is not recorded.
 */

import type { CompilationReport, Extent, FunctionReport, PageData, Slice, State, Stretch } from "../data";
import { type Filter, matchesExtent, matchesFunction } from "../filter";
import { functionName, place, short } from "../text";
import { type CauseGroup, causeGroup } from "./causes";
import { mainCause } from "./main-cause";

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
  /** An episode after the first: a backward graph that was compiled later. */
  readonly late: boolean;
}

export interface Lane {
  readonly key: string;
  /** Null: what nobody watched. */
  readonly function: number | null;
  /** Position of its process; null where there is one. */
  readonly process: number | null;
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

/** How lanes are ordered: by seconds, by their first compile, or by process. */
export type Order = "seconds" | "start" | "process";

export function ordered(found: readonly Lane[], order: Order): Lane[] {
  const start = (one: Lane): number => one.blocks[0]?.start ?? Number.POSITIVE_INFINITY;
  const by: Readonly<Record<Order, (a: Lane, b: Lane) => number>> = {
    seconds: () => 0,
    start: (a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0),
    process: (a, b) => (a.process ?? -1) - (b.process ?? -1),
  };
  return [...found].sort((a, b) => by[order](a, b) || b.seconds - a.seconds || (a.key < b.key ? -1 : 1));
}

/** All lanes that `filter` leaves, the costliest first. */
export function lanes(data: PageData, filter: Filter): Lane[] {
  const slices = slicesByEpisode(data.timeline.slices);
  const groups = new Map<string, { extent: Extent; blocks: Block[]; seconds: number; count: number }>();
  for (const extent of data.timeline.extents) {
    if (!matchesExtent(data, filter, extent)) continue;
    const key = laneKey(data, extent);
    let group = groups.get(key);
    if (group === undefined) {
      group = { extent, blocks: [], seconds: 0, count: 0 };
      groups.set(key, group);
    }
    const own = slices.get(episodeKey(extent)) ?? [];
    for (const slice of own) group.seconds += slice.seconds;
    if (extent.episode === 0) group.count += 1;
    const detail = data.compilations.get(extent.compilation);
    const kind = detail === undefined ? null : mainCause(data, detail);
    group.blocks.push(blockOf(extent, own, detail, kind));
  }
  const calls = callsBySource(data, filter);
  const most = busiestLanes(data, groups);
  const found = [...groups.entries()].map(([key, group]) => {
    const { function: owner, process } = group.extent;
    // The calls of a function are not known by thread: they are drawn once, where most was compiled.
    const source = owner === null ? null : callsKey(data, owner, process);
    if (source === null || most.get(source) !== key) return lane(key, data, group.extent, group, []);
    const own = calls.get(source) ?? [];
    calls.delete(source);
    return lane(key, data, group.extent, group, own);
  });
  for (const [, own] of calls) {
    const owner = data.functions.get(own[0]?.function ?? -1);
    if (owner === undefined) continue;
    const extent = {
      compilation: -1,
      episode: 0,
      function: owner.id,
      start: 0,
      end: 0,
      process: owner.process,
      thread: null,
    };
    found.push(lane(laneKey(data, extent), data, extent, { blocks: [], seconds: 0, count: 0 }, own));
  }
  return ordered(found, "seconds");
}

function laneKey(data: PageData, extent: Extent): string {
  return JSON.stringify([sourceOf(data, extent.function), extent.process, extent.thread]);
}

/** Id of the first function of the same source; null: nobody's. */
export function sourceOf(data: PageData, owner: number | null): number | null {
  return owner === null ? null : (data.group.get(owner)?.id ?? owner);
}

function callsKey(data: PageData, owner: number, process: number | null): string {
  return JSON.stringify([sourceOf(data, owner), process]);
}

function busiestLanes(
  data: PageData,
  groups: ReadonlyMap<string, { extent: Extent; seconds: number }>,
): Map<string, string> {
  const best = new Map<string, { key: string; seconds: number }>();
  for (const [key, { extent, seconds }] of groups) {
    if (extent.function === null) continue;
    const source = callsKey(data, extent.function, extent.process);
    const known = best.get(source);
    if (known === undefined || seconds > known.seconds) best.set(source, { key, seconds });
  }
  return new Map([...best].map(([source, { key }]) => [source, key]));
}

function lane(
  key: string,
  data: PageData,
  extent: Extent,
  group: { blocks: Block[]; seconds: number; count: number },
  calls: readonly Stretch[],
): Lane {
  const owner = extent.function === null ? undefined : data.functions.get(extent.function);
  const blocks = group.blocks.sort((a, b) => a.start - b.start || b.end - a.end);
  const objects = owner === undefined ? [] : sameProcess(data, owner);
  const times = objects.length > 1 ? ` ×${objects.length}` : "";
  const details = [
    owner === undefined ? "eager operations" : place(owner.file, owner.line, 40),
    processName(data, extent.process),
    extent.thread === null ? "" : `thread ${short(extent.thread, 30)}`,
  ];
  return {
    key,
    function: sourceOf(data, owner?.id ?? null),
    process: extent.process,
    title: owner === undefined ? "not watched" : `${functionName(owner.name, 80)}${times}`,
    detail: details.filter(Boolean).join(" · "),
    state: objects.find((one) => one.state === "thrashing")?.state ?? owner?.state ?? null,
    seconds: group.seconds,
    compilations: group.count,
    blocks,
    reach: reachOf(blocks),
    stretches: united(calls),
  };
}

/** The function objects of one source in one process. */
function sameProcess(data: PageData, owner: FunctionReport): FunctionReport[] {
  const all = data.group.get(owner.id)?.functions ?? [owner];
  return all.filter((one) => one.process === owner.process);
}

/** Stretches in order; those of several function objects that overlap are one: so many calls from here to there. */
export function united(calls: readonly Stretch[]): Stretch[] {
  const found: Stretch[] = [];
  for (const one of [...calls].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last === undefined || (last.end !== null && one.start >= last.end) || last.function === one.function) {
      found.push(one);
      continue;
    }
    found[found.length - 1] = {
      function: last.function,
      start: last.start,
      end: last.end === null || one.end === null ? null : Math.max(last.end, one.end),
      calls: last.calls + one.calls,
      hits: last.hits + one.hits,
      eager_fallbacks: last.eager_fallbacks + one.eager_fallbacks,
    };
  }
  return found;
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

/** The block of one episode of a compilation; `kind` is that of its main cause. */
export function blockOf(
  extent: Extent,
  slices: readonly Slice[],
  detail: CompilationReport | undefined,
  kind: string | null,
): Block {
  const parts = laid(slices);
  return {
    compilation: extent.compilation,
    start: Math.min(extent.start, parts[0]?.start ?? extent.start),
    end: Math.max(extent.end, parts.at(-1)?.end ?? extent.end),
    parts,
    cause: kind === null ? null : causeGroup(kind),
    recompile: detail?.recompile ?? false,
    failed: (detail?.failed ?? null) !== null,
    late: extent.episode > 0,
  };
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

function episodeKey(one: { compilation: number; episode: number }): string {
  return `${one.compilation}/${one.episode}`;
}

function slicesByEpisode(slices: readonly Slice[]): Map<string, Slice[]> {
  const found = new Map<string, Slice[]>();
  for (const slice of slices) {
    const list = found.get(episodeKey(slice));
    if (list === undefined) found.set(episodeKey(slice), [slice]);
    else list.push(slice);
  }
  return found;
}

/** The calls of the functions that `filter` leaves, by source and process. */
function callsBySource(data: PageData, filter: Filter): Map<string, Stretch[]> {
  const found = new Map<string, Stretch[]>();
  for (const one of data.timeline.stretches) {
    const owner = data.functions.get(one.function);
    if (one.calls === 0 || owner === undefined || !matchesFunction(data, filter, owner)) continue;
    const key = callsKey(data, owner.id, owner.process);
    const list = found.get(key);
    if (list === undefined) found.set(key, [one]);
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
