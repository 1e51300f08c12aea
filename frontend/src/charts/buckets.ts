/** The bucket plan of one finding (`options.subject`): the sizes that were seen, and what each is padded to. */

import "./charts.css";
import { scaleLinear, scaleLog } from "d3-scale";
import type { BucketPlan, PageData } from "../data";
import { counted, seconds as duration, count as number, percent, short } from "../text";
import type { Chart, ChartOptions, RenderChart } from "./contract";
import { followWidth, html, set, svg } from "./dom";
import { legend, legendItem, swatch } from "./legend";

const ROW = 30;
const TOP = 22;

export const render: RenderChart = (container, data, options) => new BucketsChart(container, data, options);

/** Where sizes are on an axis of `pixels`: logarithmic where they span more than a factor of 20. */
export function sizeScale(plan: BucketPlan, pixels: number): { x: (size: number) => number; ticks: number[] } {
  const sizes = plan.buckets.flatMap((one) => [...one.sizes, one.size]);
  const least = Math.min(...sizes);
  const most = Math.max(...sizes, 1);
  const few = Math.max(Math.floor(pixels / 70), 2);
  if (least > 0 && most / least > 20) {
    const scale = scaleLog().base(2).domain([least, most]).range([0, pixels]);
    const all = scale.ticks(few).filter((one) => Number.isInteger(one));
    const step = Math.ceil(all.length / few);
    return { x: scale, ticks: all.filter((_, n) => n % step === 0) };
  }
  const scale = scaleLinear().domain([0, most]).range([0, pixels]);
  return { x: scale, ticks: scale.ticks(few).filter((one) => Number.isInteger(one)) };
}

class BucketsChart implements Chart {
  readonly #plan: BucketPlan | null;
  readonly #root = html("div", { class: "plot plot-buckets" });
  readonly #stop: () => void;

  constructor(container: HTMLElement, data: PageData, options: ChartOptions) {
    this.#plan = options.subject === undefined ? null : (data.report.findings[options.subject]?.plan ?? null);
    container.append(this.#root);
    this.#stop = followWidth(this.#root, (width) => this.#draw(width));
  }

  update(): void {
    // It is of one finding, and its colours are CSS.
  }

  destroy(): void {
    this.#stop();
    this.#root.remove();
  }

  #draw(width: number): void {
    const plan = this.#plan;
    if (width === 0) return;
    if (plan === null || plan.buckets.length === 0) {
      this.#root.replaceChildren(html("p", { class: "plot-note" }, "No sizes to pad to are proposed for this."));
      return;
    }
    const narrow = width < 560;
    // On a phone the words of a row are above it.
    const row = narrow ? ROW + 16 : ROW;
    const [left, right] = narrow ? [8, 16] : [8, 300];
    const { x, ticks } = sizeScale(plan, width - left - right);
    const height = TOP + plan.buckets.length * row + 4;
    const axis = `${short(plan.path, 60)} axis ${plan.axis}`;
    const picture = svg("svg", {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label(plan, axis),
    });
    for (const tick of ticks) {
      const at = left + x(tick);
      picture.append(
        svg("path", { d: `M${at} ${TOP - 4}V${height}`, class: "plot-grid" }),
        svg(
          "text",
          { x: at, y: 12, "text-anchor": at < 20 ? "start" : at > width - 24 ? "end" : "middle", class: "plot-tick" },
          number(tick),
        ),
      );
    }
    for (const [n, bucket] of plan.buckets.entries()) {
      const middle = TOP + n * row + (narrow ? row - 12 : row / 2);
      const [from, to] = [left + x(bucket.sizes[0] ?? bucket.size), left + x(bucket.size)];
      const waste = svg("rect", {
        x: from,
        y: middle - 7,
        width: Math.max(to - from, 0),
        height: 14,
        class: "plot-waste",
      });
      const end = svg("path", { d: `M${to} ${middle - 11}V${middle + 11}`, class: "plot-bucket" });
      picture.append(waste, end);
      for (const size of bucket.sizes)
        picture.append(svg("circle", { cx: left + x(size), cy: middle, r: 3, class: "plot-size" }));
      const words = `${number(bucket.size)}: ${counted(bucket.sizes.length, "size")}, ${counted(bucket.calls, "call")}, +${percent(bucket.padding)}`;
      const text = svg(
        "text",
        { x: narrow ? 0 : width - right + 24, y: narrow ? middle - 17 : middle + 4, class: "plot-tick plot-row-text" },
        words,
      );
      picture.append(text);
    }
    const same = plan.same.length > 0 ? `, and ${plan.same.map((one) => short(one, 40)).join(", ")} with it` : "";
    const gain = `${counted(plan.compilations_before, "compilation")}, ${duration(plan.seconds_before)} → ${counted(plan.buckets.length, "compilation")}, about ${duration(plan.seconds_after)} (estimate); ${percent(plan.padding)} more elements.`;
    this.#root.replaceChildren(
      html(
        "p",
        { class: "plot-note" },
        `Pad ${axis}${same} to ${plan.buckets.map((one) => number(one.size)).join(", ")}. ${gain}`,
      ),
      legend([
        legendItem(dot(), "size seen, in elements"),
        legendItem(bucketSign(), "padded to"),
        legendItem(swatch("--plot-waste", "solid"), "range that is padded"),
      ]),
      picture,
    );
    set(this.#root, { "data-buckets": plan.buckets.length });
  }
}

function label(plan: BucketPlan, axis: string): string {
  const rows = plan.buckets.map(
    (one) =>
      `${one.size} for the sizes ${one.sizes.slice(0, 12).join(", ")}${one.sizes.length > 12 ? " and more" : ""}, ${percent(one.padding)} more`,
  );
  return `Proposed sizes for ${axis}: ${rows.join("; ")}`;
}

function dot(): SVGElement {
  const picture = svg("svg", { width: 10, height: 10, viewBox: "0 0 10 10" });
  picture.append(svg("circle", { cx: 5, cy: 5, r: 3, class: "plot-size" }));
  return picture;
}

function bucketSign(): SVGElement {
  const picture = svg("svg", { width: 6, height: 14, viewBox: "0 0 6 14" });
  picture.append(svg("path", { d: "M3 0V14", class: "plot-bucket" }));
  return picture;
}
