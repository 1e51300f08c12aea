/** What was compiled and nobody watched: eager operations and unwatched functions, by seconds. */

import "./charts.css";
import type { PageData } from "../data";
import type { Filter } from "../filter";
import { counted, seconds as duration, place, short } from "../text";
import { type Bar, bars } from "./bars";
import type { Chart, ChartOptions, RenderChart } from "./contract";
import { followWidth, html } from "./dom";
import { legend, legendItem, swatch } from "./legend";

const FIRST = 15;
const MORE = 50;

export const render: RenderChart = (container, data, options) => new EagerChart(container, data, options);

class EagerChart implements Chart {
  readonly #data: PageData;
  readonly #root = html("div", { class: "plot plot-eager" });
  readonly #stop: () => void;
  #filter: Filter;
  #width = 0;
  #shown = FIRST;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#data = data;
    this.#filter = options.filter;
    container.append(this.#root);
    this.#stop = followWidth(this.#root, (width) => {
      this.#width = width;
      this.#draw();
    });
  }

  update(filter: Filter): void {
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#draw();
  }

  destroy(): void {
    this.#stop();
    this.#root.remove();
  }

  #draw(): void {
    if (this.#width === 0) return;
    const wanted = this.#filter.frameworks;
    const all = this.#data.report.eager_ops
      .filter((one) => wanted.size === 0 || wanted.has(one.framework))
      .filter((one) => this.#filter.text === "" || one.name.toLowerCase().includes(this.#filter.text))
      .sort((a, b) => b.compile_seconds - a.compile_seconds);
    const shown = all.slice(0, this.#shown);
    const drawn = shown.map((one): Bar => {
      const what = one.library ? "eager operation" : "unwatched function";
      const site = one.sites[0];
      const where = site === undefined ? "" : ` · ${place(site.file, site.line, 40)}`;
      const title = short(one.name, 60);
      return {
        title,
        detail: `${what}${where}`,
        numbers: `${duration(one.compile_seconds)} · ${one.compilations}×`,
        parts: [
          {
            property: one.library ? "--phase-compile" : "--phase-trace",
            texture: one.library ? "solid" : "hatched",
            seconds: one.compile_seconds,
            text: duration(one.compile_seconds),
          },
        ],
        label: `${title}, ${what}: ${duration(one.compile_seconds)} in ${counted(one.compilations, "compilation")}`,
        press: null,
        chosen: false,
      };
    });
    const parts: HTMLElement[] = [
      legend([
        legendItem(swatch("--phase-compile"), "eager operations of a framework"),
        legendItem(swatch("--phase-trace", "hatched"), "functions that were not watched"),
      ]),
      bars(drawn, this.#width),
    ];
    if (all.length === 0) parts.push(html("p", { class: "plot-note" }, "Nothing else was compiled."));
    if (all.length > shown.length) {
      const rest = all.slice(shown.length).reduce((sum, one) => sum + one.compile_seconds, 0);
      const more = html("button", { type: "button" }, `${all.length - shown.length} more, ${duration(rest)}`);
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
}
