/** The history strip of one function (`options.subject`): what happened to each of its calls, in order. */

import "./charts.css";
import type { FunctionReport, PageData } from "../data";
import { counted, count as number, short } from "../text";
import { outcomeProperty } from "../theme";
import type { Chart, ChartOptions, RenderChart } from "./contract";
import { followWidth, html, set, svg } from "./dom";
import { compressed, type Placed, placed, type Run, runsOf, type Segment } from "./history-runs";
import { legend, legendItem, swatch } from "./legend";
import { callsText, OUTCOME_WORDS, outcomeWords } from "./outcomes";
import { Tooltip } from "./tooltip";

/** Most marks of a strip. */
const MOST = 600;
const HEIGHT = 26;
const ROW = 32;
/** Ids of patterns must be unique in the document. */
let made = 0;

export const render: RenderChart = (container, data, options) => new HistoryChart(container, data, options);

class HistoryChart implements Chart {
  readonly #options: ChartOptions;
  readonly #owner: FunctionReport | undefined;
  readonly #segments: readonly Segment[];
  readonly #runs: readonly Run[];
  readonly #numbers: ReadonlyMap<number, number>;
  readonly #root = html("div", { class: "plot plot-history" });
  readonly #strip = svg("svg", { class: "plot-strip", tabindex: 0, role: "application" });
  readonly #said = html("p", { class: "plot-said", "aria-live": "polite" });
  readonly #tip: Tooltip;
  readonly #pattern: string;
  readonly #stop: () => void;
  #scale: "log" | "linear" = "log";
  #places: readonly Placed[] = [];
  #focused: number | null = null;
  #width = 0;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#options = options;
    made += 1;
    this.#pattern = `history-${made}`;
    this.#owner = options.subject === undefined ? undefined : data.functions.get(options.subject);
    this.#runs = runsOf(this.#owner?.history ?? []);
    this.#segments = compressed(this.#runs, MOST);
    this.#numbers = new Map(this.#owner?.signatures.map((one, n) => [one.id, n + 1]));
    this.#tip = new Tooltip(this.#root);
    container.append(this.#root);
    this.#root.append(this.#head(), this.#strip, this.#said);
    this.#strip.addEventListener("keydown", this.#key);
    this.#strip.addEventListener("pointermove", (event) => this.#hover(event));
    this.#strip.addEventListener("pointerleave", () => this.#tip.hide());
    this.#strip.addEventListener("blur", () => this.#focus(null));
    this.#strip.addEventListener("click", (event) => {
      const at = this.#at(event);
      if (at !== null) this.#choose(at);
    });
    this.#stop = followWidth(this.#root, (width) => this.#draw(width));
  }

  update(): void {
    // The strip is of one function, and its colours are CSS.
  }

  destroy(): void {
    this.#stop();
    this.#root.remove();
  }

  #head(): HTMLElement {
    const bar = html("div", { class: "plot-bar" });
    const outcomes = new Set(this.#runs.map((one) => one.outcome));
    const known = Object.keys(OUTCOME_WORDS).filter((one) => outcomes.has(one));
    const items = known.map((one) =>
      legendItem(swatch(outcomeProperty(one), outcomeWords(one).texture), outcomeWords(one).many),
    );
    if (this.#segments.some((one) => one.kind === "turns"))
      items.push(legendItem(turnsSign(), "repeated so many times"));
    const scale = html("button", { type: "button", "aria-pressed": "false" }, "widths by count");
    scale.addEventListener("click", () => {
      this.#scale = this.#scale === "log" ? "linear" : "log";
      scale.setAttribute("aria-pressed", String(this.#scale === "linear"));
      this.#draw(this.#width);
    });
    bar.append(legend(items));
    if (this.#segments.length > 1) bar.append(scale);
    return bar;
  }

  #draw(width: number): void {
    this.#width = width;
    if (width === 0) return;
    this.#places = placed(this.#segments, width - 2, this.#scale);
    const rows = (this.#places.at(-1)?.row ?? 0) + 1;
    set(this.#strip, {
      width,
      height: rows * ROW,
      viewBox: `-1 -1 ${width} ${rows * ROW}`,
      "aria-label": this.#label(),
    });
    this.#strip.replaceChildren(this.#patterns(), ...this.#places.map((one) => this.#mark(one)));
    if (this.#segments.length === 0) {
      const text = svg("text", { x: 0, y: 16, class: "plot-soft" }, "no calls were recorded");
      this.#strip.append(text);
    }
    this.#focus(this.#focused);
  }

  #label(): string {
    const sums = new Map<string, number>();
    for (const run of this.#runs) sums.set(run.outcome, (sums.get(run.outcome) ?? 0) + run.count);
    const texts = [...sums].map(([outcome, calls]) => callsText(outcome, calls));
    return `Calls in order: ${texts.join(", ")}. Arrow keys go through ${counted(this.#segments.length, "part")}, Enter chooses.`;
  }

  #patterns(): SVGDefsElement {
    const defs = svg("defs");
    const hatched = svg("pattern", {
      id: `${this.#pattern}-hatched`,
      width: 6,
      height: 6,
      patternUnits: "userSpaceOnUse",
    });
    hatched.append(paper(svg("path", { d: "M-1 7L7-1M-4 4L4-4M2 10L10 2", "stroke-width": 1.4 })));
    const dotted = svg("pattern", {
      id: `${this.#pattern}-dotted`,
      width: 5,
      height: 5,
      patternUnits: "userSpaceOnUse",
    });
    const dot = svg("circle", { cx: 2.5, cy: 2.5, r: 1 });
    dot.style.fill = "var(--paper)";
    dotted.append(dot);
    defs.append(hatched, dotted);
    return defs;
  }

  #mark(place: Placed): SVGGElement {
    const segment = this.#segments[place.segment] as Segment;
    const group = svg("g", {
      transform: `translate(${place.x.toFixed(1)},${place.row * ROW})`,
      "data-at": place.segment,
    });
    if (segment.kind === "run") {
      this.#bar(group, segment.outcome, 0, place.width, 1);
      this.#text(group, this.#runText(segment, place.width), place.width);
    } else if (segment.kind === "turns") this.#turns(group, segment, place.width);
    else {
      let x = 0;
      for (const [outcome, calls] of segment.outcomes) {
        const own = (place.width * calls) / segment.count;
        this.#bar(group, outcome, x, own, 1);
        x += own;
      }
    }
    return group;
  }

  #turns(group: SVGGElement, segment: Extract<Segment, { kind: "turns" }>, width: number): void {
    const all = segment.parts.reduce((sum, one) => sum + Math.log2(one.count + 1), 0);
    let x = 0;
    for (const part of segment.parts) {
      const own = (width * Math.log2(part.count + 1)) / all;
      this.#bar(group, part.outcome, x, Math.max(own - 0.5, 1), 1, 6);
      x += own;
    }
    const bracket = svg("path", { d: `M0.5 6V1.5H${(width - 0.5).toFixed(1)}V6`, fill: "none" });
    bracket.style.stroke = "var(--soft)";
    group.append(bracket);
    const times = `×${number(segment.times)}`;
    const names = new Set(segment.parts.flatMap((one) => (one.signature === null ? [] : [this.#name(one.signature)])));
    const long = `${[...names].join(" ")} ${times}`;
    this.#text(group, long.length * 6.4 + 4 <= width ? long : times, width);
  }

  #bar(group: SVGGElement, outcome: string, x: number, width: number, opacity: number, top = 0): void {
    const words = outcomeWords(outcome);
    const height = (HEIGHT - top) * words.height;
    const box = {
      x: x.toFixed(1),
      y: (HEIGHT - height).toFixed(1),
      width: Math.max(width, 0.5).toFixed(1),
      height: height.toFixed(1),
    };
    const rect = svg("rect", { ...box, opacity });
    rect.style.fill = words.texture === "hollow" ? "var(--paper)" : `var(${outcomeProperty(outcome)})`;
    if (words.texture === "hollow") rect.style.stroke = `var(${outcomeProperty(outcome)})`;
    group.append(rect);
    if (words.texture === "hatched" || words.texture === "dotted") {
      group.append(svg("rect", { ...box, fill: `url(#${this.#pattern}-${words.texture})` }));
    }
  }

  #runText(run: Run, width: number): string {
    const signature = run.signature === null ? "" : this.#name(run.signature);
    const count = run.count > 1 ? number(run.count) : "";
    const both = [signature, count].filter(Boolean).join(" ×");
    return [both, count || signature].find((one) => one.length * 6.4 + 6 <= width) ?? "";
  }

  #text(group: SVGGElement, text: string, width: number): void {
    if (text === "" || text.length * 6.4 + 4 > width) return;
    const size = text.length * 6.4 + 4;
    group.append(
      svg("rect", {
        x: (width / 2 - size / 2).toFixed(1),
        y: HEIGHT - 14.5,
        width: size.toFixed(1),
        height: 13,
        rx: 2,
        class: "plot-ground",
      }),
      svg(
        "text",
        { x: (width / 2).toFixed(1), y: HEIGHT - 4, "text-anchor": "middle", class: "plot-strip-text" },
        text,
      ),
    );
  }

  #at(event: Event): number | null {
    const mark = event.target instanceof Element ? event.target.closest("[data-at]") : null;
    return mark === null ? null : Number(mark.getAttribute("data-at"));
  }

  #hover(event: PointerEvent): void {
    const at = this.#at(event);
    if (at === null) {
      this.#tip.hide();
      return;
    }
    const box = this.#root.getBoundingClientRect();
    this.#tip.show(this.#lines(at), event.clientX - box.left, event.clientY - box.top);
  }

  #lines(at: number): string[] {
    const segment = this.#segments[at] as Segment;
    const last = segment.first + segment.count - 1;
    const nested = segment.kind === "run" && segment.outcome === "nested";
    const where = nested
      ? "inside another trace"
      : segment.count === 1
        ? `call ${number(segment.first)}`
        : `calls ${number(segment.first)} to ${number(last)}`;
    if (segment.kind === "run") return [callsText(segment.outcome, segment.count), where, ...this.#signature(segment)];
    if (segment.kind === "mixed") {
      const texts = [...segment.outcomes].map(([outcome, calls]) => callsText(outcome, calls));
      return [counted(segment.count, "call"), where, ...texts, `in ${counted(segment.runs, "run")}`];
    }
    const parts = segment.parts.map((one) => [callsText(one.outcome, one.count), ...this.#signature(one)].join(", "));
    return [`${number(segment.times)} times in a row, ${counted(segment.count, "call")}`, where, ...parts];
  }

  #signature(run: Run): string[] {
    if (run.signatures > 1) return [`of ${run.signatures} signatures`];
    if (run.signature === null) return [];
    const known = this.#owner?.signatures.find((one) => one.id === run.signature);
    const text = known === undefined ? "" : `: ${short(known.text, 100)}`;
    return [`${this.#name(run.signature)}${text}`];
  }

  /** `S3`: signatures are numbered in the order in which they were met. */
  #name(signature: number): string {
    return `S${this.#numbers.get(signature) ?? "?"}`;
  }

  #focus(at: number | null): void {
    this.#focused = at;
    this.#strip.querySelector(".plot-focus")?.remove();
    const place = at === null ? undefined : this.#places[at];
    if (at === null || place === undefined) {
      this.#tip.hide();
      return;
    }
    const frame = svg("rect", {
      class: "plot-focus",
      x: (place.x - 0.5).toFixed(1),
      y: place.row * ROW - 0.5,
      width: (place.width + 1).toFixed(1),
      height: HEIGHT + 1,
    });
    this.#strip.append(frame);
  }

  readonly #key = (event: KeyboardEvent): void => {
    const { key } = event;
    const last = this.#segments.length - 1;
    if (key === "Escape") {
      this.#focus(null);
      return;
    }
    if ((key === "Enter" || key === " ") && this.#focused !== null) {
      event.preventDefault();
      this.#choose(this.#focused);
      return;
    }
    const now = this.#focused ?? -1;
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    const at = Math.min(Math.max(next, 0), last);
    this.#focus(at);
    const place = this.#places[at];
    if (place === undefined) return;
    this.#said.textContent = this.#lines(at).join(", ");
    this.#tip.show(
      this.#lines(at),
      place.x,
      this.#strip.getBoundingClientRect().top - this.#root.getBoundingClientRect().top + place.row * ROW + HEIGHT,
    );
  };

  #choose(at: number): void {
    const segment = this.#segments[at];
    const owner = this.#owner;
    if (segment === undefined || owner === undefined) return;
    this.#focus(at);
    const run = segment.kind === "run" ? segment : segment.kind === "turns" ? segment.parts[0] : undefined;
    if (run === undefined) return;
    const compiled =
      run.outcome === "compile" ? owner.compilations_detail.find((one) => one.call === run.first) : undefined;
    if (compiled !== undefined) this.#options.select({ kind: "compilation", id: compiled.id });
    else if (run.signature !== null) this.#options.select({ kind: "signature", id: run.signature, function: owner.id });
  }
}

function paper<T extends SVGElement>(element: T): T {
  element.style.stroke = "var(--paper)";
  return element;
}

function turnsSign(): SVGElement {
  const picture = svg("svg", { width: 18, height: 12, viewBox: "0 0 18 12" });
  const path = svg("path", { d: "M1 10V2H17V10", fill: "none", "stroke-width": 1.4 });
  path.style.stroke = "var(--soft)";
  picture.append(path);
  return picture;
}
