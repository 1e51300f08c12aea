/** All charts in a document: what they draw, that keys work, that hostile names stay texts. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fiveFunctions, SCENES } from "../../harness/synthetic";
import { CHARTS } from "../../src/charts";
import { sizeScale } from "../../src/charts/buckets";
import type { ChartOptions, Selection } from "../../src/charts/contract";
import type { PageData } from "../../src/data";
import { ALL } from "../../src/filter";

const theme = { dark: false, still: true, color: () => "#888", phase: () => "#777", outcome: () => "#666" };
let chosen: (Selection | null)[] = [];

function draw(name: keyof typeof CHARTS, data: PageData, subject?: number) {
  const container = document.createElement("div");
  document.body.append(container);
  const options: ChartOptions = { select: (one) => chosen.push(one), theme, filter: ALL };
  const chart = CHARTS[name](container, data, subject === undefined ? options : { ...options, subject });
  return { container, chart };
}

function press(element: Element | null, key: string): void {
  element?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}

beforeEach(() => {
  chosen = [];
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  // No canvas here: what it would show is tested by its parts.
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
});

afterEach(() => {
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("every chart", () => {
  for (const [scene, made] of Object.entries(SCENES)) {
    const data = made();
    for (const name of Object.keys(CHARTS) as (keyof typeof CHARTS)[]) {
      test(`${name} of ${scene}: draws, follows a filter, and leaves nothing behind`, () => {
        const subject = name === "history" ? data.report.functions[0]?.id : 0;
        const { container, chart } = draw(name, data, subject);
        expect(container.childElementCount).toBeGreaterThan(0);
        chart.update({ ...ALL, text: "no such text" }, theme, null);
        chart.update(ALL, theme, { kind: "function", id: 1 });
        chart.destroy();
        expect(container.childElementCount).toBe(0);
      });
    }
  }

  test("a run without anything is drawn too", () => {
    const data = { ...fiveFunctions() };
    data.report = { ...data.report, functions: [], eager_ops: [], findings: [] };
    data.timeline = { end: 0, extents: [], slices: [], unwatched: [], stretches: [] };
    data.graphs = { recompilation: { nodes: [], edges: [] }, calls: { nodes: [], edges: [] } };
    data.functions = new Map();
    data.compilations = new Map();
    for (const name of Object.keys(CHARTS) as (keyof typeof CHARTS)[]) {
      const { container, chart } = draw(name, data, 0);
      expect(container.textContent?.length, name).toBeGreaterThan(0);
      chart.destroy();
    }
  });

  test("names from programs stay texts", () => {
    const data = fiveFunctions();
    const evil = "<img src=x onerror=alert(1)>\u202e</script>";
    for (const one of data.report.functions) one.name = evil;
    for (const one of data.graphs.calls.nodes) one.name = evil;
    for (const one of data.graphs.recompilation.nodes) one.text = evil;
    for (const one of data.report.eager_ops) one.name = evil;
    for (const one of data.compilations.values()) for (const cause of one.causes) cause.kind = evil;
    for (const name of Object.keys(CHARTS) as (keyof typeof CHARTS)[]) {
      const { container, chart } = draw(name, data, name === "history" ? 1 : 0);
      expect(container.querySelector("img, script"), name).toBeNull();
      expect(container.textContent, name).not.toContain("\u202e");
      chart.destroy();
    }
  });
});

describe("keys", () => {
  test("timeline: arrows go through blocks and say what they are, Enter chooses", () => {
    const { container } = draw("timeline", fiveFunctions());
    const canvas = container.querySelector("canvas[tabindex]");
    for (const key of ["ArrowRight", "ArrowDown"]) press(canvas, key);
    expect(container.querySelector("[aria-live]")?.textContent).toContain("Trainer.train_step, call 313");
    press(canvas, "Enter");
    expect(chosen).toEqual([{ kind: "compilation", id: 2 }]);
  });

  test("history: arrows go through the parts, Enter chooses the compilation", () => {
    const { container } = draw("history", fiveFunctions(), 1);
    const strip = container.querySelector("svg[tabindex]");
    for (const key of ["ArrowRight", "ArrowRight"]) press(strip, key);
    expect(container.querySelector("[aria-live]")?.textContent).toContain("311 hits, calls 2 to 312, S1");
    press(strip, "ArrowRight");
    press(strip, "Enter");
    expect(chosen).toEqual([{ kind: "compilation", id: 2 }]);
  });

  test("phases: a bar is a button that names its seconds", () => {
    const { container } = draw("phases", fiveFunctions());
    const bar = container.querySelector("[role=button][aria-label*='train_step']");
    expect(bar?.getAttribute("aria-label")).toContain("11.3 s in 2 compilations: trace 2.26 s");
    press(bar, "Enter");
    expect(chosen).toEqual([{ kind: "function", id: 1 }]);
  });

  test("heat map: one cell is reached by tab, the others by arrows", () => {
    const { container } = draw("heat", fiveFunctions());
    const cells = [...container.querySelectorAll<HTMLElement>("[data-cell]")];
    expect(cells.filter((one) => one.tabIndex === 0)).toHaveLength(1);
    cells[0]?.focus();
    press(cells[0] ?? null, "ArrowRight");
    expect(document.activeElement).toBe(cells[1]);
    expect(cells.filter((one) => one.tabIndex === 0)).toEqual([cells[1]]);
  });

  test("recompilation graph: a press on a stack shows its members, and folds them again", () => {
    const { container } = draw("recompilations", SCENES.signatures?.() ?? fiveFunctions());
    const before = container.querySelectorAll("[data-node]").length;
    const stack = [...container.querySelectorAll("[data-node]")].find((one) =>
      one.textContent?.includes("199 signatures"),
    );
    stack?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(container.querySelectorAll("[data-node]").length).toBe(before + 198);
    [...container.querySelectorAll("button")].find((one) => one.textContent === "fold again")?.click();
    expect(container.querySelectorAll("[data-node]").length).toBe(before);
  });
});

describe("texts beside the pictures", () => {
  test("the timeline has a table of its lanes", () => {
    const { container } = draw("timeline", fiveFunctions());
    const details = container.querySelector("details");
    if (details === null) throw new Error("no table");
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    const rows = [...details.querySelectorAll("tbody tr")].map((one) => one.textContent);
    expect(rows).toHaveLength(6);
    expect(rows[0]).toContain("thrashing120");
  });

  test("the bucket plan says what it gains and that this is an estimate", () => {
    const { container } = draw("buckets", fiveFunctions(), 0);
    expect(container.textContent).toContain("17 compilations, 20.4 s → 3 compilations, about 3.60 s (estimate)");
    expect(container.querySelectorAll("circle.plot-size").length).toBe(3 + 6 + 8 + 1);
  });
});

test("sizes over a wide range are on a logarithmic axis", () => {
  const plan = fiveFunctions().report.findings[0]?.plan;
  if (plan == null) throw new Error("no plan");
  const wide = {
    ...plan,
    buckets: [
      { size: 16, sizes: [9, 16], calls: 1, padding: 0 },
      { size: 4096, sizes: [4000], calls: 1, padding: 0 },
    ],
  };
  const { x, ticks } = sizeScale(wide, 500);
  expect(x(9)).toBeCloseTo(0);
  expect(x(4096)).toBeCloseTo(500);
  expect(x(192)).toBeCloseTo(250, 0);
  expect(ticks.length).toBeLessThanOrEqual(8);
  expect(sizeScale(plan, 500).x(32)).toBeCloseTo(250);
});
