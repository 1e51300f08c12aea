/** Horizontal bars with one axis: rows of HTML, so that they wrap, are read aloud, and can be reached by keys. */

import { durationTicks } from "./axis";
import { html, pressable } from "./dom";

export interface BarPart {
  /** Custom property of its colour. */
  readonly property: string;
  readonly texture: "solid" | "hatched";
  readonly seconds: number;
  readonly text: string;
}

export interface Bar {
  readonly title: string;
  readonly detail: string;
  /** Right of the bar. */
  readonly numbers: string;
  readonly parts: readonly BarPart[];
  /** The whole in words. */
  readonly label: string;
  readonly press: (() => void) | null;
  readonly chosen: boolean;
}

/** The bars, all to one scale, with ticks above. `pixels`: the width that they have. */
export function bars(all: readonly Bar[], pixels: number): HTMLElement {
  const most = all.reduce((best, one) => Math.max(best, sum(one)), 0);
  const list = html("ol", { class: "plot-bars" });
  if (most <= 0) return list;
  const narrow = pixels < 560;
  const field = narrow ? pixels : pixels * 0.56;
  const axis = html("li", { class: "plot-bars-axis", "aria-hidden": "true" });
  const scale = html("div", { class: "plot-bars-scale" });
  for (const tick of durationTicks(most, field)) {
    const mark = html("span", {}, tick.text);
    const share = tick.at / most;
    mark.style.left = `${share * 100}%`;
    if (share > 0.93) mark.classList.add("plot-end");
    if (share < 0.02) mark.classList.add("plot-start");
    scale.append(mark);
  }
  axis.append(scale);
  list.append(axis, ...all.map((one) => bar(one, most)));
  return list;
}

function sum(one: Bar): number {
  return one.parts.reduce((total, part) => total + part.seconds, 0);
}

function bar(one: Bar, most: number): HTMLElement {
  const row = html("li");
  const line = html("div", { class: "plot-bars-row" });
  if (one.press !== null) pressable(line, one.label, one.press);
  if (one.chosen) line.setAttribute("aria-current", "true");
  const words = html("span", { class: "plot-bars-words" });
  words.append(html("b", {}, one.title), html("small", {}, one.detail));
  const field = html("span", { class: "plot-bars-field" });
  for (const part of one.parts) {
    const piece = html("span", { title: part.text, class: part.texture === "hatched" ? "plot-hatched" : "" });
    piece.style.width = `${(part.seconds / most) * 100}%`;
    piece.style.setProperty("--own", `var(${part.property})`);
    field.append(piece);
  }
  line.append(words, field, html("span", { class: "plot-bars-numbers" }, one.numbers));
  row.append(line);
  return row;
}
