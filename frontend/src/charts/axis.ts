/** Ticks of axes, with their units. */

import { ticks as roundNumbers, tickStep } from "d3-array";
import type { Span } from "./window";

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/**
 * Round times in `span`, about one in `gap` of `pixels`, all in one unit: µs, ms or s by what the largest needs;
 * from two minutes on as `m:ss`.
 */
export function timeTicks(span: Span, pixels: number, gap = 90): Tick[] {
  const most = Math.max(Math.floor(pixels / gap), 1);
  const length = span.end - span.start;
  if (!(length > 0)) return [];
  if (span.end >= 120) return minuteTicks(span, most);
  const [scale, unit] = span.end < 1e-3 ? [1e6, "µs"] : span.end < 1 ? [1e3, "ms"] : [1, "s"];
  const step = tickStep(span.start * scale, span.end * scale, most);
  return roundNumbers(span.start * scale, span.end * scale, most).map((value) => ({
    at: value / scale,
    text: `${value.toFixed(decimals(step))} ${unit}`,
  }));
}

const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

function minuteTicks(span: Span, most: number): Tick[] {
  const wanted = (span.end - span.start) / most;
  const step = wanted < 1 ? tickStep(span.start, span.end, most) : (MINUTES.find((one) => one >= wanted) ?? 86400);
  const found: Tick[] = [];
  for (let n = Math.ceil(span.start / step); n * step <= span.end; n++) {
    found.push({ at: n * step, text: clock(n * step, decimals(step)) });
  }
  return found;
}

/** `2:05`, `1:02:05`, `2:05.250`. */
export function clock(seconds: number, places = 0): string {
  const unit = 10 ** places;
  const whole = Math.round(seconds * unit);
  const rest = whole % (60 * unit);
  const minutes = (whole - rest) / (60 * unit);
  const tail = (rest / unit).toFixed(places).padStart(places > 0 ? places + 3 : 2, "0");
  if (minutes < 60) return `${minutes}:${tail}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
}

/** Decimals that tell neighbouring multiples of `step` apart. */
function decimals(step: number): number {
  return Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
}

/** Round durations from 0 to `most`, for a bar's axis; the largest may lie below it. */
export function durationTicks(most: number, pixels: number): Tick[] {
  return timeTicks({ start: 0, end: most }, pixels, 80);
}
