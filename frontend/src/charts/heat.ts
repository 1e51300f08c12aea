/** Function × cause by seconds: a table whose cells are darker the more they cost; the numbers are in them. */

import "./charts.css";
import type { FunctionReport, PageData } from "../data";
import { type Filter, matchesCompilation } from "../filter";
import { seconds as duration, functionName, short } from "../text";
import { CAUSE_GROUPS, causeGroup } from "./causes";
import type { Chart, ChartOptions, RenderChart, Selection, Theme } from "./contract";
import { html, svg } from "./dom";
import { glyph } from "./legend";
import { mainCause } from "./main-cause";
import { sourceWords } from "./phases";

const FIRST = 20;
const MORE = 50;

export interface HeatRow {
  /** Id of the first function of the source. */
  readonly function: number;
  readonly total: number;
  readonly cells: ReadonlyMap<string, { readonly seconds: number; readonly compilations: number }>;
}

export interface Heat {
  /** Kinds of causes, the costliest first. */
  readonly kinds: readonly { readonly kind: string; readonly seconds: number }[];
  /** The costliest first. */
  readonly rows: readonly HeatRow[];
  /** Of a cell. */
  readonly most: number;
}

/**
 * Seconds by function and cause; function objects of one source are one row. A compilation with several causes is counted whole under its main one, so that all cells add up to what was compiled.
 */
export function heat(data: PageData, filter: Filter): Heat {
  const kinds = new Map<string, number>();
  const rows: HeatRow[] = [];
  let most = 0;
  for (const group of data.groups) {
    const cells = new Map<string, { seconds: number; compilations: number }>();
    let total = 0;
    for (const one of group.functions.flatMap((each) => each.compilations_detail)) {
      if (!matchesCompilation(data, filter, one)) continue;
      const kind = mainCause(data, one);
      const cell = cells.get(kind) ?? { seconds: 0, compilations: 0 };
      cell.seconds += one.seconds;
      cell.compilations += 1;
      cells.set(kind, cell);
      kinds.set(kind, (kinds.get(kind) ?? 0) + one.seconds);
      total += one.seconds;
    }
    for (const cell of cells.values()) most = Math.max(most, cell.seconds);
    if (cells.size > 0) rows.push({ function: group.id, total, cells });
  }
  return {
    kinds: [...kinds].map(([kind, seconds]) => ({ kind, seconds })).sort((a, b) => b.seconds - a.seconds),
    rows: rows.sort((a, b) => b.total - a.total),
    most,
  };
}

export const render: RenderChart = (container, data, options) => new HeatChart(container, data, options);

class HeatChart implements Chart {
  readonly #data: PageData;
  readonly #options: ChartOptions;
  readonly #root = html("div", { class: "plot plot-heat" });
  #filter: Filter;
  /** In the dark, the letters on strong colours are dark from less on. */
  #dark: boolean;
  #shown = FIRST;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#data = data;
    this.#options = options;
    this.#filter = options.filter;
    this.#dark = options.theme.dark;
    container.append(this.#root);
    this.#root.addEventListener("keydown", this.#key);
    this.#draw();
  }

  update(filter: Filter, theme: Theme, _selection: Selection | null): void {
    if (filter === this.#filter && theme.dark === this.#dark) return;
    this.#filter = filter;
    this.#dark = theme.dark;
    this.#draw();
  }

  destroy(): void {
    this.#root.remove();
  }

  #draw(): void {
    const found = heat(this.#data, this.#filter);
    if (found.rows.length === 0) {
      this.#root.replaceChildren(html("p", { class: "plot-note" }, "Nothing that is shown was compiled."));
      return;
    }
    const table = html("table", { class: "plot-heat-table" });
    const head = html("thead");
    const titles = html("tr");
    titles.append(html("th", { scope: "col" }, "function"), html("th", { scope: "col" }, "all"));
    for (const { kind } of found.kinds) titles.append(this.#title(kind));
    const sums = html("tr", { class: "plot-heat-sums" });
    const all = found.kinds.reduce((sum, one) => sum + one.seconds, 0);
    sums.append(html("th", { scope: "row" }, "all functions"), html("td", {}, duration(all)));
    for (const { seconds } of found.kinds) sums.append(html("td", {}, duration(seconds)));
    head.append(titles, sums);
    const body = html("tbody");
    const shown = found.rows.slice(0, this.#shown);
    for (const [n, row] of shown.entries()) body.append(this.#row(row, found, n === 0));
    table.append(head, body);
    const wide = html("div", { class: "plot-wide" });
    wide.append(table);
    const note = "Seconds of compiling by function and main cause; darker is more.";
    table.setAttribute("aria-label", note);
    const parts: HTMLElement[] = [html("p", { class: "plot-note" }, note), wide];
    if (found.rows.length > shown.length) {
      const rest = found.rows.slice(shown.length).reduce((sum, one) => sum + one.total, 0);
      const more = html(
        "button",
        { type: "button" },
        `${found.rows.length - shown.length} more functions, ${duration(rest)}`,
      );
      more.addEventListener("click", () => {
        this.#shown += MORE;
        this.#draw();
      });
      const bar = html("div", { class: "plot-bar" });
      bar.append(more);
      parts.push(bar);
    }
    this.#root.replaceChildren(...parts);
  }

  #title(kind: string): HTMLElement {
    const title = html("th", { scope: "col" });
    const words = CAUSE_GROUPS[causeGroup(kind)];
    const picture = svg("svg", { width: 12, height: 12, viewBox: "0 0 12 12", "aria-hidden": "true" });
    picture.append(glyph(words, 6, 6));
    const button = html("button", { type: "button", class: "plot-plain" });
    button.append(picture, html("span", {}, short(kind, 40)));
    button.addEventListener("click", () => this.#options.select({ kind: "cause", id: kind }));
    title.append(button);
    return title;
  }

  #row(row: HeatRow, found: Heat, first: boolean): HTMLElement {
    const made = html("tr");
    const head = html("th", { scope: "row" });
    const owner = this.#data.functions.get(row.function);
    const narrow = this.#root.clientWidth < 600;
    const { title: name, detail } = sourceWords(this.#data, this.#functions(row.function), narrow ? 13 : 32);
    const full = functionName(owner?.name ?? "", 200);
    const button = html("button", { type: "button", class: "plot-plain", title: `${full} ${detail}` });
    button.append(html("b", {}, name), html("small", {}, detail));
    button.addEventListener("click", () => this.#options.select({ kind: "function", id: row.function }));
    head.append(button);
    made.append(head, html("td", {}, duration(row.total)));
    let reachable = first;
    for (const { kind } of found.kinds) {
      const cell = row.cells.get(kind);
      if (cell === undefined) {
        made.append(html("td", { class: "plot-heat-none" }, "·"));
        continue;
      }
      const field = html("td", { class: "plot-heat-cell" });
      // The square root keeps small costs visible beside large ones.
      const share = Math.sqrt(cell.seconds / (found.most || 1));
      field.style.setProperty("--share", share.toFixed(3));
      if (share > (this.#dark ? 0.62 : 0.85)) field.classList.add("plot-heat-dark");
      const label = `${name}, ${kind}: ${duration(cell.seconds)}, ${cell.compilations} compilations`;
      const press = html(
        "button",
        {
          type: "button",
          class: "plot-plain",
          tabindex: reachable ? 0 : -1,
          "aria-label": short(label, 160),
          title: `${cell.compilations}×`,
        },
        duration(cell.seconds),
      );
      press.dataset.cell = "";
      press.addEventListener("click", () => this.#chooseCostliest(row.function, kind));
      reachable = false;
      field.append(press);
      made.append(field);
    }
    return made;
  }

  #functions(id: number): readonly FunctionReport[] {
    return this.#data.group.get(id)?.functions ?? [];
  }

  /** Choose the costliest compilation of a cell. */
  #chooseCostliest(owner: number, kind: string): void {
    const all = this.#functions(owner).flatMap((one) => one.compilations_detail);
    const own = all.filter(
      (one) => mainCause(this.#data, one) === kind && matchesCompilation(this.#data, this.#filter, one),
    );
    const best = own.reduce<(typeof own)[number] | null>((a, b) => (a === null || b.seconds > a.seconds ? b : a), null);
    if (best !== null) this.#options.select({ kind: "compilation", id: best.id });
  }

  /** Arrow keys go from cell to cell; only one is in the order of the tab key. */
  readonly #key = (event: KeyboardEvent): void => {
    const here = event.target;
    if (!(here instanceof HTMLElement) || here.dataset.cell === undefined) return;
    const cell = here.closest("td");
    const line = here.closest("tr");
    if (cell === null || line === null) return;
    const column = cell.cellIndex;
    const next = ((): HTMLElement | null | undefined => {
      const of = (each: Element | null | undefined): HTMLElement | null | undefined =>
        each?.querySelector<HTMLElement>("[data-cell]");
      if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
        const all = [...line.querySelectorAll<HTMLElement>("[data-cell]")];
        return all[all.indexOf(here) + (event.key === "ArrowRight" ? 1 : -1)];
      }
      const down = event.key === "ArrowDown";
      if (!down && event.key !== "ArrowUp") return null;
      for (let row = down ? line.nextElementSibling : line.previousElementSibling; row !== null; ) {
        const found = of((row as HTMLTableRowElement).cells[column]) ?? null;
        if (found !== null) return found;
        row = down ? row.nextElementSibling : row.previousElementSibling;
      }
      return null;
    })();
    if (next == null) return;
    event.preventDefault();
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
}
