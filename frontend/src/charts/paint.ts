/** What the canvases share: glyphs, hatching, a canvas of a size. */

import type { CauseGroupWords } from "./causes";
import type { Theme } from "./contract";

const paths = new Map<string, Path2D>();

export function drawGlyph(
  context: CanvasRenderingContext2D,
  words: CauseGroupWords,
  theme: Theme,
  x: number,
  y: number,
): void {
  let path = paths.get(words.glyph);
  if (path === undefined) {
    path = new Path2D(words.glyph);
    paths.set(words.glyph, path);
  }
  context.save();
  context.translate(x, y);
  if (words.hollow) {
    context.strokeStyle = theme.color(words.colour);
    context.lineWidth = 1.4;
    context.stroke(path);
  } else {
    context.fillStyle = theme.color(words.colour);
    context.fill(path);
  }
  context.restore();
}

/** Diagonal lines over a rectangle. */
export function hatch(
  context: CanvasRenderingContext2D,
  colour: string,
  x: number,
  y: number,
  width: number,
  height: number,
  gap: number,
): void {
  if (width <= 0 || height <= 0) return;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.beginPath();
  // Aligned to whole gaps, so that the pattern does not creep while the view moves.
  for (let at = Math.floor((x - height) / gap) * gap; at < x + width; at += gap) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

/** Give a canvas a size in CSS pixels, sharp on dense screens. */
export function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.round(width * ratio);
  const high = Math.round(height * ratio);
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** A theme that asks the document for each colour once. */
export function remembered(theme: Theme): Theme {
  const known = new Map<string, string>();
  const once = (kind: string, name: string, ask: (name: string) => string): string => {
    const key = `${kind} ${name}`;
    let value = known.get(key);
    if (value === undefined) {
      value = ask(name);
      known.set(key, value);
    }
    return value;
  };
  return {
    dark: theme.dark,
    still: theme.still,
    color: (name) => once("color", name, theme.color),
    phase: (name) => once("phase", name, theme.phase),
    outcome: (name) => once("outcome", name, theme.outcome),
  };
}
