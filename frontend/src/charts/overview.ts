/** The strip below the timeline: compiling over the whole run, and the part that is in view, which can be dragged. */

import { overview } from "./bins";
import type { Theme } from "./contract";
import { html } from "./dom";
import type { Lane } from "./lanes";
import { sized } from "./paint";
import { inside, length, panned, type Span } from "./window";

const HEIGHT = 34;
const GRIP = 8;

export class Overview {
  readonly canvas: HTMLCanvasElement;
  readonly #moved: (span: Span) => void;
  #lanes: readonly Lane[] = [];
  #whole: Span = { start: 0, end: 1 };
  #span: Span = this.#whole;
  #left = 0;
  #width = 0;
  #background: HTMLCanvasElement | null = null;
  #drag: { mode: "move" | "start" | "end" | "new"; at: number; span: Span } | null = null;

  constructor(moved: (span: Span) => void) {
    this.#moved = moved;
    this.canvas = html("canvas", { class: "plot-overview", "aria-hidden": "true" });
    this.canvas.addEventListener("pointerdown", this.#down);
    this.canvas.addEventListener("pointermove", this.#move);
    this.canvas.addEventListener("pointerup", this.#up);
    this.canvas.addEventListener("pointercancel", this.#up);
    this.canvas.addEventListener("dblclick", () => this.#moved(this.#whole));
  }

  /** New lanes, size or colours: the background is drawn anew. */
  reset(lanes: readonly Lane[], whole: Span, left: number, width: number): void {
    this.#lanes = lanes;
    this.#whole = whole;
    this.#left = left;
    this.#width = width;
    this.#background = null;
  }

  draw(span: Span, theme: Theme): void {
    this.#span = span;
    const context = sized(this.canvas, this.#width, HEIGHT);
    if (context === null) return;
    this.#background ??= this.#paint(theme);
    context.clearRect(0, 0, this.#width, HEIGHT);
    context.drawImage(this.#background, 0, 0, this.#width, HEIGHT);
    const from = this.#x(span.start);
    const to = Math.max(this.#x(span.end), from + 2);
    context.fillStyle = theme.color("--paper");
    context.globalAlpha = 0.62;
    context.fillRect(this.#left, 0, from - this.#left, HEIGHT);
    context.fillRect(to, 0, this.#width - to, HEIGHT);
    context.globalAlpha = 1;
    context.strokeStyle = theme.color("--focus");
    context.lineWidth = 1.5;
    context.strokeRect(from + 0.75, 0.75, to - from - 1.5, HEIGHT - 1.5);
    context.fillStyle = theme.color("--focus");
    for (const x of [from, to - 4]) context.fillRect(x, HEIGHT / 2 - 7, 4, 14);
  }

  #x(time: number): number {
    return this.#left + ((time - this.#whole.start) / length(this.#whole)) * (this.#width - this.#left);
  }

  #time(x: number): number {
    return this.#whole.start + ((x - this.#left) / (this.#width - this.#left)) * length(this.#whole);
  }

  #paint(theme: Theme): HTMLCanvasElement {
    const made = document.createElement("canvas");
    const context = sized(made, this.#width, HEIGHT);
    const pixels = Math.max(this.#width - this.#left, 1);
    if (context === null) return made;
    context.fillStyle = theme.color("--panel");
    context.fillRect(this.#left, 0, pixels, HEIGHT);
    context.font = '11px system-ui, "DejaVu Sans", sans-serif';
    context.textBaseline = "middle";
    context.fillStyle = theme.color("--soft");
    if (this.#left > 0) context.fillText("whole run, compiling", 6, HEIGHT / 2);
    const sums = overview(
      this.#lanes.flatMap((lane) => lane.blocks),
      this.#whole,
      pixels,
    );
    const second = length(this.#whole) / pixels;
    const totals = new Float64Array(pixels);
    for (const each of sums.values())
      each.forEach((value, x) => {
        totals[x] = (totals[x] as number) + value;
      });
    // Full height: a whole core compiling all the time, or as many as there are at once.
    const most = totals.reduce((a, b) => Math.max(a, b), second);
    const tops = new Float64Array(pixels);
    for (const [phase, each] of sums) {
      context.fillStyle = theme.phase(phase);
      each.forEach((value, x) => {
        if (value <= 0) return;
        const height = Math.max((value / most) * (HEIGHT - 2), 1);
        context.fillRect(this.#left + x, HEIGHT - (tops[x] as number) - height, 1, height);
        tops[x] = (tops[x] as number) + height;
      });
    }
    return made;
  }

  readonly #down = (event: PointerEvent): void => {
    const x = event.offsetX;
    const [from, to] = [this.#x(this.#span.start), this.#x(this.#span.end)];
    const grip = event.pointerType === "touch" ? GRIP * 2 : GRIP;
    const whole = length(this.#span) >= length(this.#whole) * 0.999;
    const mode =
      Math.abs(x - from) < grip && !whole
        ? "start"
        : Math.abs(x - to) < grip && !whole
          ? "end"
          : x > from && x < to && !whole
            ? "move"
            : "new";
    this.canvas.setPointerCapture(event.pointerId);
    this.#drag = { mode, at: this.#time(x), span: this.#span };
  };

  readonly #move = (event: PointerEvent): void => {
    const drag = this.#drag;
    if (drag === null) return;
    const time = this.#time(event.offsetX);
    if (drag.mode === "move") this.#moved(panned(drag.span, time - drag.at, this.#whole));
    else {
      const fixed = drag.mode === "start" ? drag.span.end : drag.mode === "end" ? drag.span.start : drag.at;
      const span = { start: Math.min(fixed, time), end: Math.max(fixed, time) };
      if (length(span) > length(this.#whole) / 2000) this.#moved(inside(span, this.#whole));
    }
  };

  readonly #up = (event: PointerEvent): void => {
    const drag = this.#drag;
    this.#drag = null;
    if (drag?.mode !== "new" || Math.abs(this.#time(event.offsetX) - drag.at) > length(this.#whole) / 200) return;
    // A click beside the view brings it there.
    this.#moved(panned(this.#span, drag.at - (this.#span.start + this.#span.end) / 2, this.#whole));
  };
}
