/** The box beside the pointer or the focused mark. Lines of text, the first one bold. */

import { html } from "./dom";

export class Tooltip {
  readonly #box: HTMLElement;
  readonly #container: HTMLElement;

  constructor(container: HTMLElement) {
    this.#container = container;
    this.#box = html("div", { class: "plot-tip", role: "presentation", hidden: "" });
    container.append(this.#box);
  }

  /** Show `lines` beside (x, y), in pixels of the container. */
  show(lines: readonly string[], x: number, y: number): void {
    this.#box.replaceChildren(...lines.map((line, n) => html(n === 0 ? "strong" : "span", {}, line)));
    this.#box.hidden = false;
    const width = this.#container.clientWidth;
    const own = this.#box.getBoundingClientRect();
    const left = x + 14 + own.width <= width ? x + 14 : Math.max(Math.min(x - 14 - own.width, width - own.width), 0);
    const above = y - own.height - 12;
    const below = this.#container.getBoundingClientRect().top + y + 16 + own.height <= window.innerHeight;
    this.#box.style.left = `${Math.round(left)}px`;
    this.#box.style.top = `${Math.round(below || above < 0 ? y + 16 : above)}px`;
  }

  hide(): void {
    this.#box.hidden = true;
  }

  remove(): void {
    this.#box.remove();
  }
}
