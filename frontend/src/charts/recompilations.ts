/** The recompilation graph: signatures, and what led from one to the next. */

import "./charts.css";
import type { PageData } from "../data";
import type { Filter } from "../filter";
import type { Chart, ChartOptions, RenderChart, Selection, Theme } from "./contract";
import { Graph } from "./graph";
import { type Picture, recompilations } from "./graph-model";

/** Most nodes that are drawn. */
const MOST = 200;

export const render: RenderChart = (container, data, options) => new RecompilationsChart(container, data, options);

class RecompilationsChart implements Chart {
  readonly #data: PageData;
  readonly #graph: Graph;
  readonly #expanded = new Set<string>();
  #filter: Filter;
  #selection: Selection | null = null;
  #picture: Picture;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#data = data;
    this.#filter = options.filter;
    const words = {
      label: "Recompilation graph",
      empty: "Nothing that is shown was compiled a second time.",
      noun: "signature",
      lonely: "that no recompilation leads to or from",
      note: "A box is a signature, larger the more seconds it took; an arrow leads from the signature that the compilation is compared with.",
    };
    this.#graph = new Graph(container, "recompilations", words, options, (stack) => {
      this.#expanded.add(stack);
      this.#renew();
    });
    this.#picture = this.#find();
    this.#graph.show(this.#picture, null);
  }

  update(filter: Filter, _theme: Theme, selection: Selection | null): void {
    this.#selection = selection;
    if (filter !== this.#filter) {
      this.#filter = filter;
      this.#renew();
    } else this.#show();
  }

  destroy(): void {
    this.#graph.destroy();
  }

  #find(): Picture {
    return recompilations(this.#data, this.#filter, this.#expanded, MOST);
  }

  #renew(): void {
    this.#picture = this.#find();
    this.#show();
  }

  #show(): void {
    const fold = (): void => {
      this.#expanded.clear();
      this.#renew();
    };
    this.#graph.show(this.#picture, this.#selection, this.#expanded.size > 0 ? fold : null);
  }
}
