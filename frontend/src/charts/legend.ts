/** Legends: what colours, textures and glyphs stand for, as a list. */

import { short } from "../text";
import { phaseProperty } from "../theme";
import { CAUSE_GROUPS, type CauseGroup, type CauseGroupWords } from "./causes";
import type { Theme } from "./contract";
import { html, svg } from "./dom";
import type { Texture } from "./outcomes";

/** An item: a picture and its words. */
export function legendItem(picture: Element, text: string): HTMLElement {
  const item = html("li");
  picture.setAttribute("aria-hidden", "true");
  item.append(picture, html("span", {}, text));
  return item;
}

export function legend(items: readonly HTMLElement[]): HTMLElement {
  const list = html("ul", { class: "plot-legend" });
  list.append(...items);
  return list;
}

/** A small field of a colour and a texture. */
export function swatch(property: string, texture: Texture = "solid"): SVGElement {
  const made = svg("svg", { width: 14, height: 12, viewBox: "0 0 14 12" });
  const colour = `var(${property})`;
  const field = svg("rect", { x: 0.75, y: 0.75, width: 12.5, height: 10.5 });
  field.style.fill = texture === "hollow" ? "none" : colour;
  field.style.stroke = texture === "hollow" ? colour : "none";
  made.append(field);
  if (texture === "hatched") {
    const lines = svg("path", { d: "M-2 12L10 0M2 12L14 0M6 12L18 0", "stroke-width": 1.2 });
    lines.style.stroke = "var(--paper)";
    made.append(lines);
  }
  if (texture === "dotted") {
    for (const x of [3.5, 7, 10.5]) {
      const dot = svg("circle", { cx: x, cy: 6, r: 1.1 });
      dot.style.fill = "var(--paper)";
      made.append(dot);
    }
  }
  return made;
}

/** An item for each colour: JAX's and torch's phases share theirs where they do the same work. */
export function phaseItems(phases: readonly string[], theme: Theme): HTMLElement[] {
  const byColour = new Map<string, string[]>();
  for (const phase of phases) {
    const colour = theme.phase(phase);
    byColour.set(colour, [...(byColour.get(colour) ?? []), phase]);
  }
  return [...byColour.values()].map((names) => {
    const texts = names.map((name) => short(name, 40));
    return legendItem(swatch(phaseProperty(names[0] ?? "")), texts.join(" / "));
  });
}

/** The glyph of a group of causes, around (x, y) of an SVG. */
export function glyph(words: CauseGroupWords, x: number, y: number): SVGPathElement {
  const made = svg("path", { d: words.glyph, transform: `translate(${x},${y})`, "stroke-width": 1.4 });
  made.style.fill = words.hollow ? "none" : `var(${words.colour})`;
  made.style.stroke = words.hollow ? `var(${words.colour})` : "none";
  return made;
}

export function causeItem(group: CauseGroup): HTMLElement {
  const picture = svg("svg", { width: 12, height: 12, viewBox: "0 0 12 12" });
  picture.append(glyph(CAUSE_GROUPS[group], 6, 6));
  return legendItem(picture, CAUSE_GROUPS[group].title);
}
