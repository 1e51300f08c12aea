/** Where compile time goes: a bar for each function, split by phase. */

import "./charts.css";
import type { FunctionReport, PageData } from "../data";
import { type Filter, matchesFunction } from "../filter";
import { counted, seconds as duration, functionName, place, short } from "../text";
import { PHASES, phaseProperty } from "../theme";
import { type Bar, bars } from "./bars";
import type { Chart, ChartOptions, RenderChart, Selection, Theme } from "./contract";
import { followWidth, html } from "./dom";
import { tail } from "./graph-model";
import { processName, sourceOf } from "./lanes";
import { legend, phaseItems } from "./legend";

/** Bars at first, and how many more a press shows. */
const FIRST = 15;
const MORE = 50;

export const render: RenderChart = (container, data, options) => new PhasesChart(container, data, options);

/** The functions of one source that a filter leaves, added up. */
export interface Source {
  /** As it is chosen: the first of them. */
  readonly id: number;
  readonly first: FunctionReport;
  readonly functions: readonly FunctionReport[];
  readonly seconds: number;
  readonly compilations: number;
  readonly phases: Readonly<Record<string, number>>;
}

/** The sources that `filter` leaves and that compiled, the costliest first. */
export function costliest(data: PageData, filter: Filter): Source[] {
  const found: Source[] = [];
  for (const group of data.groups) {
    const functions = group.functions.filter((one) => matchesFunction(data, filter, one));
    const first = functions[0];
    const seconds = functions.reduce((sum, one) => sum + one.compile_seconds, 0);
    if (first === undefined || seconds <= 0) continue;
    const phases: Record<string, number> = {};
    for (const one of functions) {
      for (const [phase, own] of Object.entries(one.phases)) phases[phase] = (phases[phase] ?? 0) + own;
    }
    const compilations = functions.reduce((sum, one) => sum + one.compilations, 0);
    found.push({ id: group.id, first, functions, seconds, compilations, phases });
  }
  return found.sort((a, b) => b.seconds - a.seconds || a.id - b.id);
}

/** `step ×8`, in about `limit` characters, and where it is: `train.py:12 · rank 3`, or of how many processes. */
export function sourceWords(
  data: PageData,
  functions: readonly FunctionReport[],
  limit: number,
): { title: string; detail: string } {
  const first = functions[0];
  if (first === undefined) return { title: "", detail: "" };
  const processes = new Set(functions.map((one) => one.process));
  const where = processes.size > 1 ? `${processes.size} processes` : processName(data, first.process);
  return {
    title: `${tail(functionName(first.name, 200), limit)}${functions.length > 1 ? ` ×${functions.length}` : ""}`,
    detail: [place(first.file, first.line, 40), where].filter(Boolean).join(" · "),
  };
}

/** Phases in the order in which they run; those of a newer jitscope last. */
export function phaseOrder(names: Iterable<string>): string[] {
  const all = [...new Set(names)];
  const known = PHASES as readonly string[];
  return [...known.filter((one) => all.includes(one)), ...all.filter((one) => !known.includes(one)).sort()];
}

class PhasesChart implements Chart {
  readonly #data: PageData;
  readonly #options: ChartOptions;
  readonly #root = html("div", { class: "plot plot-phases" });
  readonly #stop: () => void;
  #filter: Filter;
  #theme: Theme;
  #chosen: Selection | null = null;
  #width = 0;
  #shown = FIRST;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#data = data;
    this.#options = options;
    this.#filter = options.filter;
    this.#theme = options.theme;
    container.append(this.#root);
    this.#stop = followWidth(this.#root, (width) => {
      this.#width = width;
      this.#draw();
    });
  }

  update(filter: Filter, theme: Theme, selection: Selection | null): void {
    this.#filter = filter;
    this.#theme = theme;
    this.#chosen = selection;
    this.#draw();
  }

  destroy(): void {
    this.#stop();
    this.#root.remove();
  }

  #draw(): void {
    if (this.#width === 0) return;
    const focused = this.#root.contains(document.activeElement)
      ? [...this.#root.querySelectorAll("[tabindex]")].indexOf(document.activeElement as Element)
      : -1;
    const all = costliest(this.#data, this.#filter);
    const order = phaseOrder(all.flatMap((one) => Object.keys(one.phases)));
    const shown = all.slice(0, this.#shown);
    const parts: HTMLElement[] = [
      legend(phaseItems(order, this.#theme)),
      bars(
        shown.map((one) => this.#bar(one, order)),
        this.#width,
      ),
    ];
    if (all.length === 0) parts.push(html("p", { class: "plot-note" }, "Nothing that is shown was compiled."));
    if (all.length > shown.length) {
      const rest = all.slice(shown.length).reduce((sum, one) => sum + one.seconds, 0);
      const more = html(
        "button",
        { type: "button" },
        `${counted(all.length - shown.length, "more function")}, ${duration(rest)}`,
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
    const again = focused < 0 ? undefined : this.#root.querySelectorAll<HTMLElement>("[tabindex]")[focused];
    again?.focus({ preventScroll: true });
  }

  #bar(one: Source, order: readonly string[]): Bar {
    const parts = order
      .filter((phase) => (one.phases[phase] ?? 0) > 0)
      .map((phase) => {
        const seconds = one.phases[phase] ?? 0;
        const text = `${short(phase, 40)} ${duration(seconds)}`;
        return { property: phaseProperty(phase), texture: "solid" as const, seconds, text };
      });
    const { title, detail } = sourceWords(this.#data, one.functions, this.#width < 560 ? 24 : 36);
    const told = parts.map((part) => part.text).join(", ");
    return {
      title,
      detail,
      numbers: `${duration(one.seconds)} · ${one.compilations}×`,
      parts,
      label: `${title}, ${detail}: ${duration(one.seconds)} in ${counted(one.compilations, "compilation")}: ${told}`,
      press: () => this.#options.select({ kind: "function", id: one.id }),
      chosen: this.#chosen?.kind === "function" && sourceOf(this.#data, this.#chosen.id) === one.id,
    };
  }
}
