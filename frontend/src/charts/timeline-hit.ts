/** What lies under a point of the timeline, what comes next by keys, and what is told of it. */

import type { PageData, Stretch } from "../data";
import { seconds as duration, functionName, count as number, short } from "../text";
import { firstVisible } from "./bins";
import type { Block, Lane } from "./lanes";
import { callsText } from "./outcomes";
import { AXIS, type Scene, timeAt } from "./timeline-draw";

/** How near the pointer has to be to a block, in pixels. */
const NEAR = 4;

export interface Hit {
  readonly lane: number;
  /** Position in the lane's blocks; null: none there. */
  readonly block: number | null;
  readonly stretch: Stretch | null;
  /** The point is in the gutter or on the title. */
  readonly title: boolean;
}

export function hit(scene: Scene, x: number, y: number): Hit | null {
  const { rows } = scene;
  const lane = Math.floor((y - AXIS + scene.scroll) / rows.lane);
  const found = scene.lanes[lane];
  if (y < AXIS || found === undefined) return null;
  const within = y - AXIS + scene.scroll - lane * rows.lane;
  if (x < rows.gutter || within < rows.title) return { lane, block: null, stretch: null, title: true };
  const time = timeAt(scene, x);
  const margin = timeAt(scene, x + NEAR) - time;
  const calls = within > rows.title + rows.marks + rows.blocks + 3;
  const block = calls ? null : blockAt(found, time, margin);
  const stretch =
    block === null
      ? (found.stretches.find((one) => one.start <= time && time <= (one.end ?? scene.end)) ?? null)
      : null;
  return {
    lane,
    block: block ?? (stretch === null && calls ? blockAt(found, time, margin) : null),
    stretch,
    title: false,
  };
}

/** The innermost block at `time`, or the nearest within `margin`. */
export function blockAt(lane: Lane, time: number, margin: number): number | null {
  let best: number | null = null;
  let distance = margin;
  for (let n = firstVisible(lane.reach, time - margin); n < lane.blocks.length; n++) {
    const block = lane.blocks[n] as Block;
    if (block.start > time + margin) break;
    const away = Math.max(block.start - time, time - block.end, 0);
    if (away <= distance) {
      best = n;
      distance = away;
    }
  }
  return best;
}

/** The block that an arrow key leads to, from lane and block; null at the end. */
export function neighbour(
  lanes: readonly Lane[],
  from: { lane: number; block: number },
  key: string,
): { lane: number; block: number } | null {
  const lane = lanes[from.lane];
  if (lane === undefined) return null;
  if (key === "ArrowLeft") return from.block > 0 ? { lane: from.lane, block: from.block - 1 } : null;
  if (key === "ArrowRight") {
    return from.block + 1 < lane.blocks.length ? { lane: from.lane, block: from.block + 1 } : null;
  }
  const time = lane.blocks[from.block]?.start ?? 0;
  const step = key === "ArrowUp" ? -1 : 1;
  for (let n = from.lane + step; n >= 0 && n < lanes.length; n += step) {
    const other = lanes[n] as Lane;
    if (other.blocks.length > 0) return { lane: n, block: nearest(other, time) };
  }
  return null;
}

function nearest(lane: Lane, time: number): number {
  let best = 0;
  for (const [n, block] of lane.blocks.entries()) {
    if (Math.abs(block.start - time) < Math.abs((lane.blocks[best] as Block).start - time)) best = n;
  }
  return best;
}

/** What a block is, in lines: the first is its title. */
export function blockLines(data: PageData, lane: Lane, block: Block): string[] {
  const own = block.parts.map((part) => `${short(part.phase, 30)} ${duration(part.end - part.start)}`).join(", ");
  const total = block.parts.reduce((sum, part) => sum + part.end - part.start, 0);
  const detail = data.compilations.get(block.compilation);
  if (detail === undefined) {
    const known = data.timeline.unwatched.find((one) => one.compilation === block.compilation);
    const name = known === undefined ? undefined : data.report.eager_ops[known.op]?.name;
    return [name === undefined ? lane.title : short(name, 60), `at ${duration(block.start)}, ${duration(total)}`, own];
  }
  const causes = detail.causes.slice(0, 3).map((cause) => {
    const path = cause.path === null ? "" : ` ${short(cause.path, 40)}`;
    const change = cause.old === null && cause.new === null ? "" : `: ${sideText(cause.old)} → ${sideText(cause.new)}`;
    return `${short(cause.kind, 40)}${path}${change}`;
  });
  if (detail.causes.length > 3) causes.push(`… ${detail.causes.length - 3} more causes`);
  const position = lane.blocks.indexOf(block) + 1;
  return [
    `${lane.title}${detail.call === null ? "" : `, call ${number(detail.call)}`}`,
    `at ${duration(block.start)}, ${duration(total)}${block.late ? " (later phase)" : ""} · block ${position} of ${lane.blocks.length}`,
    own,
    ...causes,
    ...(detail.failed === null ? [] : [`no code came of it: ${short(detail.failed, 80)}`]),
    ...(detail.root === null ? [] : [`follows from ${rootName(data, detail.root)}`]),
  ].filter(Boolean);
}

function sideText(text: string | null): string {
  return text === null ? "absent" : short(text, 40);
}

function rootName(data: PageData, root: number): string {
  const owner = data.owner.get(root);
  return owner === undefined ? "another compilation" : `a compilation of ${functionName(owner.name)}`;
}

export function stretchLines(lane: Lane, one: Stretch, end: number): string[] {
  const to = one.end ?? end;
  const rest = one.calls - one.hits - one.eager_fallbacks;
  return [
    lane.title,
    [
      one.hits > 0 ? callsText("hit", one.hits) : "",
      one.eager_fallbacks > 0 ? callsText("eager_fallback", one.eager_fallbacks) : "",
      rest > 0 ? `${number(rest)} other calls` : "",
    ]
      .filter(Boolean)
      .join(", "),
    `between ${duration(one.start)} and ${one.end === null ? "the end, which is not recorded" : duration(to)}`,
    ...(to > one.start ? [`${rate(one.calls / (to - one.start))} on average; when each was is not recorded`] : []),
  ];
}

function rate(perSecond: number): string {
  if (perSecond >= 1) return `${number(Number(perSecond.toPrecision(3)))} calls a second`;
  return `a call every ${duration(1 / perSecond)}`;
}
