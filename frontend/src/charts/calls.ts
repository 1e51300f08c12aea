/** The call graph: which compiled function runs inside which. */

import "./charts.css";
import type { PageData } from "../data";
import type { Filter } from "../filter";
import type { Chart, ChartOptions, RenderChart, Selection, Theme } from "./contract";
import { Graph } from "./graph";
import { calls, type Picture } from "./graph-model";

/** Most nodes that are drawn. */
const MOST = 120;

export const render: RenderChart = (container, data, options) => new CallsChart(container, data, options);

class CallsChart implements Chart {
  readonly #data: PageData;
  readonly #graph: Graph;
  #filter: Filter;
  #picture: Picture;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#data = data;
    this.#filter = options.filter;
    const words = {
      label: "Call graph",
      empty: "No function was compiled inside a call of another one.",
      noun: "function",
      lonely: "that compiled inside no other",
      note: "A box is a function, larger the more seconds it took; an arrow leads to what was compiled inside its calls.",
    };
    this.#graph = new Graph(container, "calls", words, options, () => undefined);
    this.#picture = calls(data, this.#filter, MOST);
    this.#graph.show(this.#picture, null);
  }

  update(filter: Filter, _theme: Theme, selection: Selection | null): void {
    if (filter !== this.#filter) {
      this.#filter = filter;
      this.#picture = calls(this.#data, filter, MOST);
    }
    this.#graph.show(this.#picture, selection);
  }

  destroy(): void {
    this.#graph.destroy();
  }
}
