/** Drawing of the timeline's lanes on a canvas: plain functions of what is shown. */

import { seconds as duration, count as number } from "../text";
import { timeTicks } from "./axis";
import { columns, type Density, densities, marks } from "./bins";
import { CAUSE_GROUPS, type CauseGroup } from "./causes";
import type { Theme } from "./contract";
import type { Block, Lane } from "./lanes";
import { drawGlyph, hatch } from "./paint";
import type { Span } from "./window";

export const AXIS = 24;
const FONT = 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif';

/** Heights of the parts of a lane, in pixels. */
export interface Rows {
  /** Above the blocks: the title, where there is no gutter. */
  readonly title: number;
  readonly marks: number;
  readonly blocks: number;
  readonly calls: number;
  readonly lane: number;
  /** Width of the gutter with the titles; 0: titles are in the lanes. */
  readonly gutter: number;
}

export function rowsFor(width: number, compact: boolean): Rows {
  const gutter = width >= 620 ? Math.min(Math.round(width * 0.2), 230) : 0;
  const title = gutter === 0 ? 16 : 0;
  const parts = compact ? { marks: 0, blocks: 11, calls: 6 } : { marks: 11, blocks: 18, calls: 13 };
  return { ...parts, title, gutter, lane: title + parts.marks + parts.blocks + parts.calls + (compact ? 5 : 8) };
}

export interface Scene {
  readonly lanes: readonly Lane[];
  readonly rows: Rows;
  readonly span: Span;
  /** The end of the run. */
  readonly end: number;
  readonly warm: number | null;
  readonly width: number;
  readonly height: number;
  /** How far the lanes are scrolled, in pixels. */
  readonly scroll: number;
  readonly chosen: ReadonlySet<number>;
  readonly chosenFunction: number | null;
  readonly focused: { readonly lane: number; readonly block: number } | null;
  /** Calls a second that fill the band. */
  readonly most: number;
}

/** Where a time is, in pixels from the left edge. */
export function xOf(scene: Scene, time: number): number {
  const { gutter } = scene.rows;
  return gutter + ((time - scene.span.start) / (scene.span.end - scene.span.start)) * (scene.width - gutter);
}

export function timeAt(scene: Scene, x: number): number {
  const { gutter } = scene.rows;
  return scene.span.start + ((x - gutter) / (scene.width - gutter)) * (scene.span.end - scene.span.start);
}

export function drawScene(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  const { rows, width, height } = scene;
  context.clearRect(0, 0, width, height);
  const first = Math.max(Math.floor(scene.scroll / rows.lane), 0);
  const last = Math.min(Math.ceil((scene.scroll + height - AXIS) / rows.lane), scene.lanes.length);
  context.save();
  context.beginPath();
  context.rect(0, AXIS, width, height - AXIS);
  context.clip();
  for (let n = first; n < last; n++) {
    const top = AXIS + n * rows.lane - scene.scroll;
    if (n % 2 === 1) {
      context.fillStyle = theme.color("--panel");
      context.fillRect(0, top, width, rows.lane);
    }
  }
  drawGrid(context, scene, theme);
  for (let n = first; n < last; n++) drawLane(context, scene, theme, n);
  if (rows.gutter > 0) {
    for (let n = first; n < last; n++) drawGutter(context, scene, theme, n);
    line(context, theme.color("--line"), rows.gutter - 0.5, AXIS, rows.gutter - 0.5, height);
  }
  context.restore();
  drawAxis(context, scene, theme);
}

function line(context: CanvasRenderingContext2D, colour: string, x1: number, y1: number, x2: number, y2: number): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function ticksOf(scene: Scene): ReturnType<typeof timeTicks> {
  const pixels = scene.width - scene.rows.gutter;
  return timeTicks(scene.span, pixels, pixels < 500 ? 72 : 96);
}

function drawGrid(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  for (const tick of ticksOf(scene)) {
    const x = Math.round(xOf(scene, tick.at)) + 0.5;
    line(context, theme.color("--sunken"), x, AXIS, x, scene.height);
  }
  if (scene.warm === null) return;
  const x = Math.round(xOf(scene, scene.warm)) + 0.5;
  if (x < scene.rows.gutter || x > scene.width) return;
  context.setLineDash([4, 3]);
  line(context, theme.color("--good"), x, AXIS, x, scene.height);
  context.setLineDash([]);
}

function drawAxis(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  const { gutter } = scene.rows;
  context.fillStyle = theme.color("--paper");
  context.fillRect(0, 0, scene.width, AXIS);
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  let taken: [number, number] = [-1, -1];
  if (scene.warm !== null) {
    const x = xOf(scene, scene.warm);
    if (x >= gutter && x <= scene.width) {
      const text = `▾ all compiled once, ${duration(scene.warm)}`;
      context.fillStyle = theme.color("--good");
      const size = context.measureText(text).width;
      const left = x - 4 + size > scene.width ? x + 4 - size : x - 4;
      const shown = left < gutter ? `▾ ${duration(scene.warm)}` : text;
      const start = left < gutter ? x - 4 : left;
      context.fillText(left > x - 5 || left < gutter ? shown : `${text.slice(2)} ▾`, start, AXIS / 2);
      taken = [start - 8, start + context.measureText(shown).width + 8];
    }
  }
  context.fillStyle = theme.color("--soft");
  for (const tick of ticksOf(scene)) {
    const size = context.measureText(tick.text).width;
    const x = Math.min(Math.max(xOf(scene, tick.at) - size / 2, gutter), scene.width - size);
    if (x < taken[1] && x + size > taken[0]) continue;
    context.fillText(tick.text, x, AXIS / 2);
  }
  line(context, theme.color("--line"), 0, AXIS - 0.5, scene.width, AXIS - 0.5);
}

function drawLane(context: CanvasRenderingContext2D, scene: Scene, theme: Theme, n: number): void {
  const { rows, span } = scene;
  const lane = scene.lanes[n] as Lane;
  const top = AXIS + n * rows.lane - scene.scroll + 3;
  const pixels = scene.width - rows.gutter;
  const y = top + rows.title + rows.marks;
  context.save();
  context.beginPath();
  context.rect(rows.gutter, top - 3, pixels, rows.lane);
  context.clip();
  context.translate(rows.gutter, 0);
  for (const one of densities(lane.stretches, span, pixels, scene.end)) {
    drawCalls(context, scene, theme, one, y + rows.blocks + 1, pixels);
  }
  const drawn = columns(lane.blocks, lane.reach, span, pixels);
  const scale = pixels / (span.end - span.start);
  for (const column of drawn) {
    if (column.phases === null) {
      drawBlock(context, scene, theme, lane.blocks[column.first] as Block, y, scale);
    } else drawShares(context, theme, column.phases, column.x, column.width, y, rows.blocks);
  }
  if (rows.marks > 0) drawMarks(context, theme, lane, drawn, y - 6);
  if (scene.chosen.size > 0) {
    for (const column of drawn) {
      for (let k = column.first; k < column.first + column.count; k++) {
        if (!scene.chosen.has((lane.blocks[k] as Block).compilation)) continue;
        outline(context, theme.color("--ink"), Math.max(column.x, 0), y, Math.min(column.width, pixels), rows.blocks);
        break;
      }
    }
  }
  if (scene.focused?.lane === n) {
    const block = lane.blocks[scene.focused.block];
    if (block !== undefined) {
      const x = (block.start - span.start) * scale;
      outline(
        context,
        theme.color("--focus"),
        x,
        y - 2,
        Math.max((block.end - block.start) * scale, 3),
        rows.blocks + 4,
      );
    }
  }
  context.restore();
  if (rows.gutter === 0) drawTitle(context, scene, theme, lane, top);
}

function outline(context: CanvasRenderingContext2D, colour: string, x: number, y: number, w: number, h: number): void {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.strokeRect(x - 1, y - 1, w + 2, h + 2);
}

function drawBlock(
  context: CanvasRenderingContext2D,
  scene: Scene,
  theme: Theme,
  block: Block,
  y: number,
  scale: number,
): void {
  const height = scene.rows.blocks;
  const from = (block.start - scene.span.start) * scale;
  const to = (block.end - scene.span.start) * scale;
  const limit = scene.width - scene.rows.gutter;
  context.fillStyle = theme.color("--line");
  context.fillRect(Math.max(from, -2), y, Math.min(to, limit + 2) - Math.max(from, -2), height);
  for (const part of block.parts) {
    const left = Math.max((part.start - scene.span.start) * scale, -2);
    const right = Math.min((part.end - scene.span.start) * scale, limit + 2);
    if (right <= left) continue;
    context.fillStyle = theme.phase(part.phase);
    context.fillRect(left, y, right - left, height);
    if (right - left < 34 || height < 14) continue;
    const long = `${part.phase} ${duration(part.end - part.start)}`;
    context.font = `11px ${FONT}`;
    const room = right - Math.max(left, 0) - 8;
    const text = [long, part.phase, duration(part.end - part.start)].find(
      (one) => context.measureText(one).width <= room,
    );
    if (text === undefined) continue;
    context.fillStyle = readable(theme.phase(part.phase));
    context.textBaseline = "middle";
    context.fillText(text, Math.max(left, 0) + 4, y + height / 2 + 0.5);
  }
  if (block.failed)
    hatch(context, theme.color("--paper"), Math.max(from, 0), y, Math.min(to, limit) - Math.max(from, 0), height, 5);
  context.fillStyle = theme.color("--paper");
  // A gap of half a pixel keeps neighbours apart.
  context.fillRect(to - 0.5, y, 0.5, height);
  if (block.late) {
    context.setLineDash([2, 2]);
    line(context, theme.color("--ink"), Math.max(from, 0), y + 0.5, Math.min(to, limit), y + 0.5);
    context.setLineDash([]);
  }
}

/** Black or white, whichever is easier to read on `colour` (`#rgb` or `#rrggbb`). */
export function readable(colour: string): string {
  const hex = colour.replace("#", "");
  const full = hex.length === 3 ? [...hex].map((one) => one + one).join("") : hex;
  const [r, g, b] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(full.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
}

function drawShares(
  context: CanvasRenderingContext2D,
  theme: Theme,
  phases: ReadonlyMap<string, number>,
  x: number,
  width: number,
  y: number,
  height: number,
): void {
  let sum = 0;
  for (const seconds of phases.values()) sum += seconds;
  if (sum === 0) {
    context.fillStyle = theme.color("--faint");
    context.fillRect(x, y, width, height);
    return;
  }
  let at = y;
  for (const [phase, seconds] of phases) {
    const share = (height * seconds) / sum;
    context.fillStyle = theme.phase(phase);
    context.fillRect(x, at, width, share);
    at += share;
  }
}

function drawMarks(
  context: CanvasRenderingContext2D,
  theme: Theme,
  lane: Lane,
  drawn: readonly { x: number; first: number; count: number }[],
  y: number,
): void {
  const points: { x: number; kind: CauseGroup; count: number }[] = [];
  for (const column of drawn) {
    for (let n = column.first; n < column.first + column.count; n++) {
      const block = lane.blocks[n] as Block;
      if (block.late || block.cause === null) continue;
      points.push({ x: Math.max(column.x, 0) + 5, kind: block.cause, count: 1 });
    }
  }
  context.font = `10px ${FONT}`;
  context.textBaseline = "middle";
  for (const mark of marks(points)) {
    drawGlyph(context, CAUSE_GROUPS[mark.kind], theme, mark.x, y);
    if (mark.count === 1) continue;
    context.fillStyle = theme.color("--soft");
    context.fillText(`×${mark.count}`, mark.x + 6, y + 0.5);
  }
}

function drawCalls(
  context: CanvasRenderingContext2D,
  scene: Scene,
  theme: Theme,
  one: Density,
  y: number,
  pixels: number,
): void {
  const room = scene.rows.calls;
  const height = Math.max((room * Math.log1p(one.rate)) / Math.log1p(Math.max(scene.most, one.rate, 1e-9)), 2);
  const x = Math.max(one.x, -1);
  const width = Math.min(one.x + one.width, pixels + 1) - x;
  const hits = one.hits / one.calls;
  const fallbacks = one.fallbacks / one.calls;
  context.fillStyle = theme.outcome("hit");
  context.fillRect(x, y, width, height * hits);
  context.fillStyle = theme.outcome("other");
  context.fillRect(x, y + height * hits, width, height * (1 - hits - fallbacks));
  if (one.fallbacks > 0) {
    const top = y + height * (1 - fallbacks);
    context.fillStyle = theme.outcome("eager_fallback");
    context.fillRect(x, top, width, height * fallbacks);
    if (width > 6) hatch(context, theme.color("--paper"), x, top, width, height * fallbacks, 6);
  }
  if (one.open && width > 12) {
    context.setLineDash([2, 3]);
    line(context, theme.color("--ink"), x + width - 0.5, y, x + width - 0.5, y + room);
    context.setLineDash([]);
  }
  if (room < 12 || width < 26) return;
  context.font = `10px ${FONT}`;
  const parts = [
    one.hits > 0 ? `${number(one.hits)} ${one.hits === 1 ? "hit" : "hits"}` : "",
    one.fallbacks > 0 ? `${number(one.fallbacks)} eager` : "",
  ].filter(Boolean);
  const texts = [parts.join(", "), number(one.calls)];
  const text = texts.find((each) => each !== "" && context.measureText(each).width + 6 <= width);
  if (text === undefined) return;
  const left = Math.max(x, 0) + 3;
  const size = context.measureText(text).width;
  // A light ground keeps the number legible on a hatched or a low band.
  context.fillStyle = theme.color("--paper");
  context.globalAlpha = 0.78;
  context.fillRect(left - 2, y + 1, size + 4, room - 2);
  context.globalAlpha = 1;
  context.fillStyle = theme.color("--ink");
  context.textBaseline = "middle";
  context.fillText(text, left, y + room / 2 + 0.5);
}

/** `text`, shortened until it fits into `room` pixels: its end is kept, which tells qualified names apart. */
function fitted(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`…${text.slice(text.length - middle)}`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? "" : `…${text.slice(text.length - low)}`;
}

/** What is told beside a lane's title: its time, and how often it compiled. */
export function laneNumbers(lane: Lane): string {
  return lane.compilations === 0 ? "" : `${duration(lane.seconds)} · ${number(lane.compilations)}×`;
}

function drawGutter(context: CanvasRenderingContext2D, scene: Scene, theme: Theme, n: number): void {
  const { rows } = scene;
  const lane = scene.lanes[n] as Lane;
  const top = AXIS + n * rows.lane - scene.scroll;
  const chosen = scene.chosenFunction !== null && lane.function === scene.chosenFunction;
  context.fillStyle = chosen ? theme.color("--mark") : n % 2 === 1 ? theme.color("--panel") : theme.color("--paper");
  context.fillRect(0, top, rows.gutter, rows.lane);
  context.textBaseline = "middle";
  const small = rows.marks === 0;
  const y = small ? top + rows.lane / 2 : top + 14;
  context.font = `11px ${FONT}`;
  const numbers = laneNumbers(lane);
  const size = context.measureText(numbers).width;
  context.fillStyle = theme.color("--soft");
  context.fillText(numbers, rows.gutter - 8 - size, y);
  context.font = `600 12px ${FONT}`;
  context.fillStyle = theme.color("--ink");
  context.fillText(fitted(context, lane.title, rows.gutter - size - 22), 6, y);
  if (small) return;
  context.font = `11px ${FONT}`;
  let left = 6;
  if (lane.state === "thrashing" || lane.state === "megamorphic") {
    context.fillStyle = theme.color(lane.state === "thrashing" ? "--bad" : "--warn");
    const badge = lane.state === "thrashing" ? "⟳ thrashing" : "megamorphic";
    context.fillText(badge, left, y + 18);
    left += context.measureText(badge).width + 8;
  }
  context.fillStyle = theme.color("--faint");
  context.fillText(fitted(context, lane.detail, rows.gutter - left - 8), left, y + 18);
}

function drawTitle(context: CanvasRenderingContext2D, scene: Scene, theme: Theme, lane: Lane, top: number): void {
  context.textBaseline = "middle";
  const y = top + 8;
  const bad = lane.state === "thrashing";
  const numbers = `${bad ? "⟳ " : ""}${laneNumbers(lane)}`;
  context.font = `11px ${FONT}`;
  const size = context.measureText(numbers).width;
  context.fillStyle = theme.color(bad ? "--bad" : "--soft");
  context.fillText(numbers, scene.width - size - 2, y);
  context.font = `600 12px ${FONT}`;
  context.fillStyle = theme.color("--ink");
  const title = fitted(context, lane.title, scene.width - size - 12);
  context.fillText(title, 0, y);
  const used = context.measureText(title).width + 8;
  context.font = `11px ${FONT}`;
  context.fillStyle = theme.color("--faint");
  context.fillText(fitted(context, lane.detail, scene.width - size - used - 12), used, y);
}
