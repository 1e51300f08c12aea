/** Draws a graph: a scrolled picture that can be zoomed, whose nodes can be reached by arrow keys. */

import { curveLinear, curveMonotoneX, curveMonotoneY, line } from "d3-shape";
import { counted, seconds as duration, count as number } from "../text";
import { CAUSE_GROUPS, CAUSE_ORDER, type CauseGroup } from "./causes";
import type { ChartOptions, Selection } from "./contract";
import { followWidth, html, set, svg } from "./dom";
import { followGestures } from "./gestures";
import { edgeText, type Layout, LINE, layout, type PlacedEdge, type PlacedNode, room } from "./graph-layout";
import type { Picture } from "./graph-model";
import { legend, legendItem } from "./legend";
import { Tooltip } from "./tooltip";

const TALLEST = 620;

export interface GraphWords {
  readonly label: string;
  readonly empty: string;
  /** What a node is: `signature`. */
  readonly noun: string;
  /** Those without an edge: `that no recompilation leads to or from`. */
  readonly lonely: string;
  readonly note: string;
}

export class Graph {
  readonly #options: ChartOptions;
  readonly #words: GraphWords;
  readonly #expand: (stack: string) => void;
  readonly #root: HTMLElement;
  readonly #head = html("div");
  readonly #bar = html("div", { class: "plot-bar" });
  readonly #scroller = html("div", { class: "plot-graph-scroll" });
  readonly #svg = svg("svg", { tabindex: 0, role: "application", class: "plot-graph" });
  readonly #said = html("p", { class: "plot-said", "aria-live": "polite" });
  readonly #table = html("details", { class: "plot-table" });
  readonly #fold = html("button", { type: "button", hidden: "" }, "fold again");
  readonly #tip: Tooltip;
  readonly #stops: (() => void)[];
  #picture: Picture | null = null;
  #layout: Layout | null = null;
  #selection: Selection | null = null;
  #focused: string | null = null;
  #width = 0;
  /** Null: as large as fits. */
  #scale: number | null = null;

  constructor(
    container: HTMLElement,
    name: string,
    words: GraphWords,
    options: ChartOptions,
    expand: (stack: string) => void,
  ) {
    this.#options = options;
    this.#words = words;
    this.#expand = expand;
    this.#root = html("div", { class: `plot plot-${name}` });
    this.#tip = new Tooltip(this.#root);
    this.#scroller.append(this.#svg);
    this.#buttons();
    this.#root.append(this.#head, this.#bar, this.#scroller, this.#said, this.#table);
    container.append(this.#root);
    this.#svg.addEventListener("keydown", this.#key);
    this.#svg.addEventListener("blur", () => this.#tip.hide());
    this.#svg.addEventListener("pointermove", (event) => this.#hover(event));
    this.#svg.addEventListener("pointerleave", () => this.#tip.hide());
    this.#svg.addEventListener("click", (event) => {
      const id = nodeAt(event);
      if (id !== null) this.#press(id);
    });
    this.#stops = [
      followWidth(this.#root, (width) => {
        this.#width = width;
        this.#draw();
      }),
      followGestures(this.#scroller, {
        zoom: (factor, x, y) => this.#zoom(factor, x, y),
        pan: (right, down) => {
          this.#scroller.scrollLeft -= right;
          this.#scroller.scrollTop -= down;
        },
        hover: () => undefined,
        leave: () => undefined,
        click: () => undefined,
      }),
    ];
  }

  /** `fold`: how to fold again what was unfolded; null: nothing was. */
  show(picture: Picture, selection: Selection | null, fold: (() => void) | null = null): void {
    this.#fold.hidden = fold === null;
    this.#fold.onclick = fold;
    const changed = picture !== this.#picture;
    this.#picture = picture;
    this.#selection = selection;
    if (changed) this.#draw();
    else this.#markSelection();
  }

  destroy(): void {
    for (const stop of this.#stops) stop();
    this.#root.remove();
  }

  #buttons(): void {
    const button = (text: string, label: string, act: () => void): HTMLElement => {
      const made = html("button", { type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.#bar.append(
      button("+", "zoom in", () => this.#zoom(1.3)),
      button("−", "zoom out", () => this.#zoom(1 / 1.3)),
      button("fit", "show as much as can be read", () => {
        this.#scale = null;
        this.#resize();
      }),
      this.#fold,
      html("span", { class: "plot-hint" }, "ctrl + wheel zooms, drag moves, arrow keys go through the nodes"),
    );
  }

  #draw(): void {
    const picture = this.#picture;
    if (picture === null || this.#width === 0) return;
    const nodes = picture.clusters.flatMap((one) => one.nodes);
    const none = nodes.length === 0;
    this.#bar.hidden = none;
    this.#scroller.hidden = none;
    this.#table.hidden = none;
    this.#head.replaceChildren(this.#legend(picture), html("p", { class: "plot-note" }, this.#note(picture)));
    if (none) {
      this.#svg.replaceChildren();
      return;
    }
    const found = layout(picture.clusters, this.#width - 4);
    this.#layout = found;
    const most = Math.max(...nodes.map((one) => one.seconds));
    this.#svg.replaceChildren(
      ...found.clusters
        .filter((one) => one.cluster.title !== "")
        .map((one) => {
          const text = svg("text", { x: one.x, y: one.y + 14, class: "plot-graph-title" }, one.cluster.title);
          text.append(svg("tspan", { class: "plot-soft", dx: 8 }, duration(one.cluster.seconds)));
          return text;
        }),
      ...found.edges.map((one) => edgeMark(one)),
      ...found.nodes.map((one) => nodeMark(one, most)),
    );
    const size = `${number(nodes.length)} nodes, ${number(found.edges.length)} edges`;
    this.#svg.setAttribute(
      "aria-label",
      `${this.#words.label}: ${size}. Arrow keys go through the nodes, Enter chooses.`,
    );
    this.#resize();
    this.#markSelection();
    this.#fillTable(picture);
  }

  #resize(): void {
    const found = this.#layout;
    if (found === null) return;
    const scale = this.#scale ?? Math.min(Math.max((this.#width - 4) / found.width, 0.72), 1);
    set(this.#svg, {
      width: Math.ceil(found.width * scale),
      height: Math.ceil(found.height * scale),
      viewBox: `0 0 ${found.width} ${found.height}`,
    });
    this.#scroller.style.maxHeight = `${TALLEST}px`;
  }

  #zoom(factor: number, x = this.#scroller.clientWidth / 2, y = this.#scroller.clientHeight / 2): void {
    const found = this.#layout;
    if (found === null) return;
    const before = this.#svg.width.baseVal.value / found.width;
    const scale = Math.min(Math.max(before * factor, 0.15), 3);
    const left = (this.#scroller.scrollLeft + x) / before;
    const top = (this.#scroller.scrollTop + y) / before;
    this.#scale = scale;
    this.#resize();
    this.#scroller.scrollLeft = left * scale - x;
    this.#scroller.scrollTop = top * scale - y;
  }

  #legend(picture: Picture): HTMLElement {
    const edges = picture.clusters.flatMap((one) => one.edges);
    const nodes = picture.clusters.flatMap((one) => one.nodes);
    const groups = new Set(edges.map((one) => one.group));
    const items = CAUSE_ORDER.filter((group) => groups.has(group)).map((group) =>
      legendItem(stroke(CAUSE_GROUPS[group].colour, CAUSE_GROUPS[group].dash, 2), CAUSE_GROUPS[group].title),
    );
    if (groups.has(null)) {
      items.push(legendItem(stroke("--bad", [], 2.5), "compiled because of the outer one (cascade)"));
      items.push(legendItem(stroke("--faint", [4, 3], 1.5), "compiled inside it"));
    }
    if (nodes.some((one) => one.root)) items.push(legendItem(box("plot-node plot-root"), "root of a cascade"));
    if (nodes.some((one) => one.cascade)) items.push(legendItem(box("plot-node plot-cascade"), "in a cascade"));
    if (nodes.some((one) => one.stack !== null))
      items.push(legendItem(box("plot-node plot-stack"), "several; press to see each"));
    return legend(items);
  }

  #note(picture: Picture): string {
    const { clusters, hidden, lonely } = picture;
    const parts = clusters.length === 0 ? [this.#words.empty] : [this.#words.note];
    if (hidden.nodes > 0)
      parts.push(`Left out for room: ${number(hidden.nodes)} more, ${duration(hidden.seconds)}; filter to see them.`);
    if (lonely > 0 && clusters.length > 0)
      parts.push(`Not drawn: ${counted(lonely, this.#words.noun)} ${this.#words.lonely}.`);
    return parts.join(" ");
  }

  #markSelection(): void {
    const chosen = this.#selection;
    for (const mark of this.#svg.querySelectorAll("[data-node]")) {
      const node = this.#node(mark.getAttribute("data-node"))?.node.select;
      const same =
        node !== undefined && chosen !== null && node.kind === chosen.kind && "id" in node && node.id === chosen.id;
      mark.classList.toggle(
        "plot-chosen",
        same && (node.kind !== "signature" || chosen.kind !== "signature" || node.function === chosen.function),
      );
    }
  }

  #node(id: string | null): PlacedNode | undefined {
    return this.#layout?.nodes.find((one) => one.node.id === id);
  }

  #press(id: string): void {
    const found = this.#node(id);
    if (found === undefined) return;
    this.#focus(id, false);
    if (found.node.stack !== null) this.#expand(found.node.stack);
    else this.#options.select(found.node.select);
  }

  #lines(id: string): string[] {
    const found = this.#node(id);
    if (found === undefined || this.#layout === null) return [];
    const { node } = found;
    const into = this.#layout.edges.filter((one) => one.edge.target === id).map((one) => `← ${one.edge.detail}`);
    const out = this.#layout.edges.filter((one) => one.edge.source === id).length;
    return [
      node.title,
      ...node.lines,
      ...into.slice(0, 5),
      into.length > 5 ? `… ${into.length - 5} more` : "",
      out > 0 ? `leads to ${out}` : "",
    ].filter(Boolean);
  }

  #hover(event: PointerEvent): void {
    if (event.pointerType === "touch" || event.buttons !== 0) {
      this.#tip.hide();
      return;
    }
    const id = nodeAt(event);
    const edge = event.target instanceof Element ? event.target.closest("[data-detail]") : null;
    const lines =
      id !== null ? this.#lines(id) : edge !== null ? (edge.getAttribute("data-detail") ?? "").split(" · ") : [];
    if (lines.length === 0) {
      this.#tip.hide();
      return;
    }
    const box = this.#root.getBoundingClientRect();
    this.#tip.show(lines, event.clientX - box.left, event.clientY - box.top);
  }

  #focus(id: string | null, say = true): void {
    this.#focused = id;
    for (const mark of this.#svg.querySelectorAll(".plot-focused")) mark.classList.remove("plot-focused");
    const found = this.#node(id);
    const layout_ = this.#layout;
    if (id === null || found === undefined || layout_ === null) {
      this.#tip.hide();
      return;
    }
    this.#svg.querySelector(`[data-node="${CSS.escape(id)}"]`)?.classList.add("plot-focused");
    const scale = this.#svg.width.baseVal.value / layout_.width;
    const box = this.#scroller;
    const [left, top] = [found.x * scale, found.y * scale];
    const [right, bottom] = [left + found.width * scale, top + found.height * scale];
    if (left < box.scrollLeft) box.scrollLeft = left - 12;
    else if (right > box.scrollLeft + box.clientWidth) box.scrollLeft = right - box.clientWidth + 12;
    if (top < box.scrollTop) box.scrollTop = top - 12;
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight + 12;
    if (!say) return;
    this.#said.textContent = this.#lines(id).join(". ");
    const [own, root] = [box.getBoundingClientRect(), this.#root.getBoundingClientRect()];
    this.#tip.show(this.#lines(id), left - box.scrollLeft, own.top - root.top + bottom - box.scrollTop);
  }

  readonly #key = (event: KeyboardEvent): void => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || this.#layout === null) return;
    if (key === "+" || key === "=") this.#zoom(1.3);
    else if (key === "-" || key === "_") this.#zoom(1 / 1.3);
    else if (key === "0") {
      this.#scale = null;
      this.#resize();
    } else if (key.startsWith("Arrow")) {
      const from = this.#node(this.#focused);
      const next = from === undefined ? this.#layout.nodes[0] : nextNode(this.#layout.nodes, from, key);
      if (next !== undefined) this.#focus(next.node.id);
    } else if ((key === "Enter" || key === " ") && this.#focused !== null) this.#press(this.#focused);
    else if (key === "Escape") this.#focus(null);
    else return;
    event.preventDefault();
  };

  #fillTable(picture: Picture): void {
    this.#table.replaceChildren(html("summary", {}, `${this.#words.label} as a table`));
    this.#table.ontoggle = () => {
      if (!this.#table.open || this.#table.childElementCount > 1) return;
      const table = html("table");
      const head = html("tr");
      for (const title of ["from", "to", "what", "seconds"]) head.append(html("th", { scope: "col" }, title));
      const body = html("tbody");
      for (const cluster of picture.clusters) {
        const titles = new Map(cluster.nodes.map((one) => [one.id, one.title]));
        for (const edge of cluster.edges) {
          const row = html("tr");
          const from = [cluster.title, titles.get(edge.source)].filter(Boolean).join(": ");
          row.append(
            html("th", { scope: "row" }, from),
            html("td", {}, titles.get(edge.target) ?? ""),
            html("td", {}, edge.detail),
            html("td", {}, duration(edge.seconds)),
          );
          body.append(row);
        }
      }
      const top = html("thead");
      top.append(head);
      table.append(top, body);
      const wide = html("div", { class: "plot-wide" });
      wide.append(table);
      this.#table.append(wide);
    };
    this.#table.open = false;
  }
}

function nodeAt(event: Event): string | null {
  const mark = event.target instanceof Element ? event.target.closest("[data-node]") : null;
  return mark?.getAttribute("data-node") ?? null;
}

/** The nearest node in the direction of an arrow key. */
export function nextNode(nodes: readonly PlacedNode[], from: PlacedNode, key: string): PlacedNode | undefined {
  const middle = (one: PlacedNode): [number, number] => [one.x + one.width / 2, one.y + one.height / 2];
  const [x, y] = middle(from);
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let best: PlacedNode | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const one of nodes) {
    if (one === from) continue;
    const [ox, oy] = middle(one);
    const along = (sideways ? ox - x : oy - y) * sign;
    const across = Math.abs(sideways ? oy - y : ox - x);
    if (along <= 4) continue;
    const far = along + 2.5 * across;
    if (far < least) {
      least = far;
      best = one;
    }
  }
  return best;
}

function colourOf(group: CauseGroup | null, cascade: boolean): string {
  if (group !== null) return CAUSE_GROUPS[group].colour;
  return cascade ? "--bad" : "--faint";
}

function dashOf(group: CauseGroup | null, cascade: boolean): readonly number[] {
  if (group !== null) return CAUSE_GROUPS[group].dash;
  return cascade ? [] : [4, 3];
}

function edgeMark(one: PlacedEdge): SVGGElement {
  const { edge, points } = one;
  const group = svg("g", { class: "plot-edge", "data-detail": edge.detail });
  const colour = `var(${colourOf(edge.group, edge.cascade)})`;
  const [first, last] = [points[0] ?? [0, 0], points.at(-1) ?? [0, 0]];
  const flat = Math.abs(last[0] - first[0]) >= Math.abs(last[1] - first[1]);
  const curve =
    one.label === null || edge.source === edge.target ? curveLinear : flat ? curveMonotoneX : curveMonotoneY;
  const draw = line<readonly [number, number]>().curve(curve);
  const d = draw([...points]) ?? "";
  const path = svg("path", {
    d,
    fill: "none",
    "stroke-width": edge.cascade ? 2.4 : 1.5,
    "stroke-dasharray": dashOf(edge.group, edge.cascade).join(" ") || null,
  });
  path.style.stroke = colour;
  const before = points.at(-2) ?? first;
  const angle = (Math.atan2(last[1] - before[1], last[0] - before[0]) * 180) / Math.PI;
  const turn =
    one.label !== null && points.length > 2
      ? flat
        ? last[0] >= before[0]
          ? 0
          : 180
        : last[1] >= before[1]
          ? 90
          : -90
      : angle;
  const tip = svg("path", { d: "M0 0L-7-3.5V3.5Z", transform: `translate(${last[0]},${last[1]}) rotate(${turn})` });
  tip.style.fill = colour;
  const wide = svg("path", { d, fill: "none", stroke: "transparent", "stroke-width": 10 });
  group.append(wide, path, tip);
  if (one.label !== null) {
    const [x, y] = one.label;
    const text = svg("text", { x, y: y + 4, "text-anchor": "middle", class: "plot-edge-text" }, edgeText(edge));
    text.style.fill = colour;
    const size = room(edgeText(edge), 11);
    group.append(svg("rect", { x: x - size / 2, y: y - 8, width: size, height: 16, class: "plot-ground" }), text);
  }
  return group;
}

function nodeMark(one: PlacedNode, most: number): SVGGElement {
  const { node, width, height } = one;
  const group = svg("g", {
    class: "plot-node-group",
    transform: `translate(${one.x.toFixed(1)},${one.y.toFixed(1)})`,
    "data-node": node.id,
  });
  const kind = `plot-node${node.root ? " plot-root" : ""}${node.cascade ? " plot-cascade" : ""}`;
  if (node.stack !== null) {
    for (const shift of [6, 3])
      group.append(svg("rect", { class: "plot-node", x: shift, y: shift, width, height, rx: 4 }));
  }
  const share = most > 0 ? Math.sqrt(node.seconds / most) : 0;
  const rect = svg("rect", { class: kind, width, height, rx: 4 });
  rect.style.setProperty("--share", share.toFixed(3));
  group.append(rect);
  const top = (height - LINE * (1 + node.lines.length)) / 2 + 11.5;
  group.append(svg("text", { x: width / 2, y: top, "text-anchor": "middle", class: "plot-node-title" }, node.title));
  for (const [n, text] of node.lines.entries()) {
    group.append(
      svg("text", { x: width / 2, y: top + LINE * (n + 1), "text-anchor": "middle", class: "plot-node-line" }, text),
    );
  }
  return group;
}

function stroke(colour: string, dash: readonly number[], width: number): SVGElement {
  const picture = svg("svg", { width: 26, height: 10, viewBox: "0 0 26 10" });
  const path = svg("path", { d: "M0 5H26", "stroke-width": width, "stroke-dasharray": dash.join(" ") || null });
  path.style.stroke = `var(${colour})`;
  picture.append(path);
  return picture;
}

function box(kind: string): SVGElement {
  const picture = svg("svg", { width: 20, height: 14, viewBox: "-1 -1 20 14" });
  if (kind.includes("plot-stack"))
    picture.append(svg("rect", { class: "plot-node", x: 3, y: 3, width: 14, height: 8, rx: 2 }));
  picture.append(svg("rect", { class: kind, width: 15, height: 9, rx: 2 }));
  return picture;
}
