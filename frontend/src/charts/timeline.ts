/** The timeline of the run: what was compiled when, lane by lane, with the calls in between. */

import "./charts.css";
import type { PageData } from "../data";
import type { Filter } from "../filter";
import { counted, seconds as duration } from "../text";
import { PHASES } from "../theme";
import { CAUSE_ORDER } from "./causes";
import type { Chart, ChartOptions, RenderChart, Selection, Theme } from "./contract";
import { followWidth, html, NextFrame } from "./dom";
import { followGestures } from "./gestures";
import { type Block, type Lane, lanes, type Order, ordered, sourceOf, warmedUp } from "./lanes";
import { causeItem, legend, legendItem, phaseItems, swatch } from "./legend";
import { Overview } from "./overview";
import { remembered, sized } from "./paint";
import { AXIS, drawScene, rowsFor, type Scene, timeAt } from "./timeline-draw";
import { blockLines, hit, neighbour, stretchLines } from "./timeline-hit";
import { timelineTable } from "./timeline-table";
import { Tooltip } from "./tooltip";
import { around, inside, length, panned, revealing, type Span, zoomed } from "./window";

/** Most height of the lanes, in pixels; what is more is scrolled. */
const TALLEST = 560;
/** From how many lanes on they are drawn small. */
const MANY = 40;

export const render: RenderChart = (container, data, options) => new TimelineChart(container, data, options);

class TimelineChart implements Chart {
  readonly #data: PageData;
  readonly #options: ChartOptions;
  readonly #root = html("div", { class: "plot plot-timeline" });
  readonly #legend = html("div");
  readonly #scroller = html("div", { class: "plot-scroll" });
  readonly #spacer = html("div", { class: "plot-spacer" });
  readonly #canvas = html("canvas", { class: "plot-canvas", tabindex: 0, role: "application" });
  readonly #said = html("p", { class: "plot-said", "aria-live": "polite" });
  readonly #table = html("details", { class: "plot-table" });
  readonly #density = html("button", { type: "button", "aria-pressed": "false" }, "small lanes");
  readonly #tip: Tooltip;
  readonly #overview: Overview;
  readonly #frame = new NextFrame(() => this.#draw());
  readonly #stops: (() => void)[] = [];
  #theme: Theme;
  #filter: Filter;
  #whole: Span;
  #span: Span;
  #width = 0;
  #compact: boolean;
  #order: Order = "seconds";
  #lanes: readonly Lane[] = [];
  #warm: number | null = null;
  #most = 0;
  #chosen: ReadonlySet<number> = new Set();
  #chosenFunction: number | null = null;
  #focused: { lane: number; block: number } | null = null;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#data = data;
    this.#options = options;
    this.#theme = remembered(options.theme);
    this.#filter = options.filter;
    this.#whole = { start: 0, end: wholeEnd(data) };
    this.#span = this.#whole;
    this.#tip = new Tooltip(this.#root);
    this.#overview = new Overview((span) => this.#show(span));
    this.#setLanes();
    this.#compact = this.#lanes.length > MANY;
    this.#density.setAttribute("aria-pressed", String(this.#compact));
    this.#density.addEventListener("click", () => this.#toggle());
    this.#spacer.append(this.#canvas);
    this.#scroller.append(this.#spacer);
    this.#root.append(this.#legend, this.#buttons(), this.#scroller, this.#overview.canvas, this.#said, this.#table);
    container.append(this.#root);
    this.#describe();
    this.#stops.push(
      followWidth(this.#root, (width) => this.#resize(width)),
      followGestures(this.#canvas, {
        zoom: (factor, x) => this.#show(zoomed(this.#span, factor, timeAt(this.#scene(), x), this.#whole)),
        pan: (pixels) => this.#pan(pixels),
        hover: (x, y) => this.#hover(x, y),
        leave: () => this.#tip.hide(),
        click: (x, y) => this.#click(x, y),
      }),
    );
    this.#scroller.addEventListener("scroll", () => this.#frame.ask(), { passive: true });
    this.#canvas.addEventListener("keydown", this.#key);
    this.#canvas.addEventListener("blur", () => this.#tip.hide());
  }

  update(filter: Filter, theme: Theme, selection: Selection | null): void {
    this.#theme = remembered(theme);
    if (filter !== this.#filter) {
      this.#filter = filter;
      this.#focused = null;
      this.#setLanes();
      this.#describe();
    }
    this.#chosen = selection?.kind === "compilation" ? new Set([selection.id]) : new Set();
    this.#chosenFunction = selection?.kind === "function" ? sourceOf(this.#data, selection.id) : null;
    if (selection?.kind === "finding") this.#chosen = new Set(this.#data.report.findings[selection.id]?.compilations);
    this.#layout();
  }

  destroy(): void {
    for (const stop of this.#stops) stop();
    this.#frame.cancel();
    this.#root.remove();
  }

  #setLanes(): void {
    this.#lanes = ordered(lanes(this.#data, this.#filter), this.#order);
    this.#warm = warmedUp(this.#lanes);
    // The highest rate fills the band; what is too short to be seen in the whole run does not count.
    this.#most = 0;
    for (const lane of this.#lanes) {
      for (const one of lane.stretches) {
        const seconds = (one.end ?? this.#whole.end) - one.start;
        if (seconds > length(this.#whole) / 1000) this.#most = Math.max(this.#most, one.calls / seconds);
      }
    }
  }

  #describe(): void {
    const shown = new Set(
      this.#lanes.flatMap((lane) => lane.blocks.flatMap((each) => each.parts.map((one) => one.phase))),
    );
    const order = [...PHASES.filter((one) => shown.has(one)), ...[...shown].filter((one) => !isKnown(one)).sort()];
    const causes = new Set(this.#lanes.flatMap((lane) => lane.blocks.map((one) => one.cause)));
    const stretches = this.#lanes.flatMap((lane) => lane.stretches);
    const items = [
      ...phaseItems(order, this.#theme),
      ...(stretches.some((one) => one.hits > 0) ? [legendItem(swatch("--outcome-hit"), "hits")] : []),
      ...(stretches.some((one) => one.eager_fallbacks > 0)
        ? [legendItem(swatch("--outcome-eager_fallback", "hatched"), "eager fallbacks")]
        : []),
      ...CAUSE_ORDER.filter((group) => causes.has(group)).map(causeItem),
    ];
    const notes = [
      "Hits are counted, not timed: their bands show the mean rate between two compiles (logarithmic height).",
      "A block's phases are drawn one after the other; blocks too narrow to be seen share a column, split by phase.",
    ];
    this.#legend.replaceChildren(legend(items), html("p", { class: "plot-note" }, notes.join(" ")));
    const blocks = this.#lanes.reduce((sum, lane) => sum + lane.compilations, 0);
    this.#canvas.setAttribute(
      "aria-label",
      `Timeline of ${duration(this.#whole.end)}: ${counted(blocks, "compilation")} in ${counted(this.#lanes.length, "lane")}, ` +
        "the costliest first. Arrow keys move through the blocks, Enter chooses, plus and minus zoom, 0 shows all, " +
        "shift with left and right moves the view.",
    );
    timelineTable(this.#table, this.#lanes);
  }

  #buttons(): HTMLElement {
    const bar = html("div", { class: "plot-bar" });
    const button = (text: string, label: string, act: () => void): HTMLElement => {
      const made = html("button", { type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", act);
      return made;
    };
    bar.append(
      button("+", "zoom in", () => this.#zoom(2)),
      button("−", "zoom out", () => this.#zoom(0.5)),
      button("all", "show the whole run", () => this.#show(this.#whole)),
      this.#density,
      this.#orders(),
      html("span", { class: "plot-hint" }, "ctrl + wheel or pinch zooms, drag moves, ← → ↑ ↓ go through blocks"),
    );
    return bar;
  }

  #orders(): HTMLElement {
    const made = html("select", { "aria-label": "order of the lanes" });
    const known: [Order, string][] = [
      ["seconds", "costliest first"],
      ["start", "first to start first"],
    ];
    if (this.#data.report.run.processes.length > 1) known.push(["process", "by rank or process"]);
    for (const [value, text] of known) made.append(html("option", { value }, text));
    made.addEventListener("change", () => {
      this.#order = made.value as Order;
      this.#focused = null;
      this.#setLanes();
      this.#layout();
    });
    return made;
  }

  #toggle(): void {
    this.#compact = !this.#compact;
    this.#density.setAttribute("aria-pressed", String(this.#compact));
    this.#layout();
  }

  #resize(width: number): void {
    this.#width = width;
    this.#layout();
  }

  /** Sizes follow the width and the number of lanes; the rest is drawn in the next frame. */
  #layout(): void {
    if (this.#width === 0) return;
    const rows = rowsFor(this.#width, this.#compact);
    const whole = AXIS + this.#lanes.length * rows.lane;
    const height = Math.min(whole, TALLEST);
    this.#scroller.style.height = `${height}px`;
    this.#spacer.style.height = `${whole}px`;
    this.#overview.reset(this.#lanes, this.#whole, rows.gutter, this.#scroller.clientWidth || this.#width);
    this.#frame.ask();
  }

  #scene(): Scene {
    const width = this.#scroller.clientWidth || this.#width;
    return {
      lanes: this.#lanes,
      rows: rowsFor(this.#width, this.#compact),
      span: this.#span,
      end: this.#whole.end,
      warm: this.#warm,
      width,
      height: this.#scroller.clientHeight,
      scroll: this.#scroller.scrollTop,
      chosen: this.#chosen,
      chosenFunction: this.#chosenFunction,
      focused: this.#focused,
      most: this.#most,
    };
  }

  #draw(): void {
    const scene = this.#scene();
    const context = sized(this.#canvas, scene.width, scene.height);
    if (context === null) return;
    drawScene(context, scene, this.#theme);
    this.#overview.draw(this.#span, this.#theme);
  }

  #show(span: Span): void {
    this.#span = inside(span, this.#whole);
    this.#tip.hide();
    this.#frame.ask();
  }

  #zoom(factor: number): void {
    const block = this.#block();
    const middle = block === null ? (this.#span.start + this.#span.end) / 2 : (block.start + block.end) / 2;
    this.#show(zoomed(this.#span, factor, middle, this.#whole));
  }

  #pan(pixels: number): void {
    const scene = this.#scene();
    const second = length(this.#span) / (scene.width - scene.rows.gutter);
    this.#show(panned(this.#span, -pixels * second, this.#whole));
  }

  #block(): Block | null {
    return this.#focused === null ? null : (this.#lanes[this.#focused.lane]?.blocks[this.#focused.block] ?? null);
  }

  #hover(x: number, y: number): void {
    const found = hit(this.#scene(), x, y);
    const lane = found === null ? undefined : this.#lanes[found.lane];
    this.#canvas.style.cursor = found?.title || found?.block != null ? "pointer" : "default";
    if (found === null || lane === undefined) {
      this.#tip.hide();
      return;
    }
    const block = found.block === null ? undefined : lane.blocks[found.block];
    const lines =
      block !== undefined
        ? blockLines(this.#data, lane, block)
        : found.stretch !== null
          ? stretchLines(lane, found.stretch, this.#whole.end)
          : found.title
            ? [
                lane.title,
                lane.detail,
                lane.state ?? "",
                `${counted(lane.compilations, "compilation")}, ${duration(lane.seconds)}`,
              ]
            : [];
    if (lines.length === 0) {
      this.#tip.hide();
      return;
    }
    this.#tip.show(
      lines.filter(Boolean),
      x,
      y + this.#canvas.getBoundingClientRect().top - this.#root.getBoundingClientRect().top,
    );
  }

  #click(x: number, y: number): void {
    const found = hit(this.#scene(), x, y);
    const lane = found === null ? undefined : this.#lanes[found.lane];
    if (found === null || lane === undefined) {
      this.#options.select(null);
      return;
    }
    if (found.block !== null) {
      this.#focused = { lane: found.lane, block: found.block };
      this.#frame.ask();
      this.#choose(lane, lane.blocks[found.block]);
      return;
    }
    if (lane.function !== null) this.#options.select({ kind: "function", id: lane.function });
  }

  #choose(lane: Lane, block: Block | undefined): void {
    if (block === undefined || lane.function === null) return;
    this.#options.select({ kind: "compilation", id: block.compilation });
  }

  readonly #key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const step = length(this.#span) * 0.2;
    if (key === "+" || key === "=") this.#zoom(1.6);
    else if (key === "-" || key === "_") this.#zoom(1 / 1.6);
    else if (key === "0") this.#show(this.#whole);
    else if (event.shiftKey && key === "ArrowLeft") this.#show(panned(this.#span, -step, this.#whole));
    else if (event.shiftKey && key === "ArrowRight") this.#show(panned(this.#span, step, this.#whole));
    else if (key.startsWith("Arrow")) this.#go(key);
    else if ((key === "Enter" || key === " ") && this.#focused !== null) {
      const lane = this.#lanes[this.#focused.lane];
      if (lane !== undefined) this.#choose(lane, lane.blocks[this.#focused.block]);
    } else if (key === "f" || key === "F") {
      const block = this.#block();
      if (block !== null) this.#show(around(block, this.#whole));
    } else if (key === "Escape") {
      this.#focused = null;
      this.#tip.hide();
      this.#frame.ask();
    } else return;
    event.preventDefault();
  };

  #go(key: string): void {
    const first = this.#lanes.findIndex((lane) => lane.blocks.length > 0);
    const next =
      this.#focused === null
        ? first < 0
          ? null
          : { lane: first, block: 0 }
        : neighbour(this.#lanes, this.#focused, key);
    if (next === null) return;
    this.#focused = next;
    const lane = this.#lanes[next.lane];
    const block = this.#block();
    if (lane === undefined || block === null) return;
    const { rows } = this.#scene();
    const top = next.lane * rows.lane;
    const room = this.#scroller.clientHeight - AXIS;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    if (top + rows.lane > this.#scroller.scrollTop + room) this.#scroller.scrollTop = top + rows.lane - room;
    this.#show(revealing(this.#span, block, this.#whole));
    const lines = blockLines(this.#data, lane, block);
    this.#said.textContent = lines.join(". ");
    const scene = this.#scene();
    const x =
      scene.rows.gutter + ((block.start - this.#span.start) / length(this.#span)) * (scene.width - scene.rows.gutter);
    const above = this.#canvas.getBoundingClientRect().top - this.#root.getBoundingClientRect().top;
    const y = AXIS + top - this.#scroller.scrollTop + rows.lane + above;
    this.#tip.show(lines, Math.max(x, scene.rows.gutter), y - 12);
  }
}

function isKnown(phase: string): boolean {
  return (PHASES as readonly string[]).includes(phase);
}

/** The end of the run, or of the last that is known. */
function wholeEnd(data: PageData): number {
  let end = Math.max(data.timeline.end, 1e-3);
  for (const one of data.timeline.extents) end = Math.max(end, one.end);
  for (const one of data.timeline.slices) end = Math.max(end, one.start + one.seconds);
  return end;
}
