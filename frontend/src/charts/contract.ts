/**
 * How the page and its charts talk. A chart is a module with
 *
 *     export const render: RenderChart = (container, data, options) => { …; return { update, destroy }; };
 *
 * - It draws into `container` (empty, in the document, with a width) and touches nothing outside of it. It follows the
 *   container's width with a ResizeObserver, and works from 340 px.
 * - Shapes are SVG or canvas made with d3-selection or the DOM; text is set with `text()`/`textContent`, after
 *   `printable` of `../text`. No markup from strings, no `style` attributes in strings and no `<style>` elements: the
 *   page's policy forbids both. `selection.style(name, value)` and `element.style.x = …` are fine.
 * - Colours come from `options.theme` (or, in SVG, from CSS: `var(--phase-compile)`); nothing is told by colour alone.
 * - Everything that can be clicked can be focused (`tabindex=0`, `role`, `aria-label`) and answers to Enter and Space;
 *   with many marks, one focusable chart with arrow keys. A canvas has a text alternative.
 * - `filter`: what does not match is hidden or dimmed; `../filter` decides what matches.
 */

import type { PageData } from "../data";
import type { Filter } from "../filter";

/** What can be chosen in the page; choosing it shows its details. */
export type Selection =
  | { kind: "function"; id: number }
  /** The first call of a function that compiled. */
  | { kind: "first"; id: number }
  | { kind: "compilation"; id: number }
  /** Of a function. */
  | { kind: "signature"; id: number; function: number }
  /** Position in `report.findings`. */
  | { kind: "finding"; id: number }
  | { kind: "cause"; id: string }
  | { kind: "phase"; id: string };

export interface Theme {
  dark: boolean;
  /** Animate nothing. */
  still: boolean;
  /** The value of a custom property of styles.css: `color("--ink")`. For canvas; in SVG use `var(--ink)`. */
  color(name: string): string;
  phase(name: string): string;
  outcome(name: string): string;
}

export interface ChartOptions {
  /** Called when something is clicked; null: nothing is chosen any more. */
  select(chosen: Selection | null): void;
  theme: Theme;
  filter: Filter;
  /** What the chart is about, where it is about one thing: the history strip's function, the bucket plot's finding. */
  subject?: number;
}

export interface Chart {
  /** Show this instead. Called when the filter, the theme or the selection changes. */
  update(filter: Filter, theme: Theme, selection: Selection | null): void;
  /** Remove all that `render` made, listeners and observers included. */
  destroy(): void;
}

export type RenderChart = (container: HTMLElement, data: PageData, options: ChartOptions) => Chart;
