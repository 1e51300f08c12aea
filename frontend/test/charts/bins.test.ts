import { describe, expect, test } from "vitest";
import { columns, densities, firstVisible, marks, overview } from "../../src/charts/bins";
import { type Block, reachOf } from "../../src/charts/lanes";

const block = (start: number, end: number, phase = "compile"): Block => ({
  compilation: start,
  start,
  end,
  parts: [{ phase, start, end }],
  cause: "size",
  recompile: true,
  failed: false,
  late: false,
});
const stretch = (start: number, end: number | null, calls: number, hits = calls, fallbacks = 0) => ({
  function: 1,
  start,
  end,
  calls,
  hits,
  eager_fallbacks: fallbacks,
});

describe("columns of blocks", () => {
  const wide = [block(0, 10), block(20, 40), block(60, 61)];

  test("a block that is wide enough is drawn where it is", () => {
    const found = columns(wide, reachOf(wide), { start: 0, end: 100 }, 1000);
    expect(found.map((one) => [one.x, one.width])).toEqual([
      [0, 100],
      [200, 200],
      [600, 10],
    ]);
  });

  test("only what is in the view is drawn, a block that reaches into it included", () => {
    const found = columns(wide, reachOf(wide), { start: 30, end: 50 }, 1000);
    expect(found.map((one) => one.first)).toEqual([1]);
  });

  test("a long block is found although a later one ended before the view", () => {
    const nested = [block(0, 100), block(10, 20), block(30, 40)];
    expect(firstVisible(reachOf(nested), 50)).toBe(0);
    expect(columns(nested, reachOf(nested), { start: 50, end: 60 }, 100).map((one) => one.first)).toEqual([0]);
  });

  test("narrow blocks share columns, and no second is lost", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => block(n * 0.01, n * 0.01 + 0.004, n % 2 ? "trace" : "lower"));
    const found = columns(many, reachOf(many), { start: 0, end: 100 }, 1000);
    expect(found.length).toBeLessThanOrEqual(500);
    expect(found.reduce((sum, one) => sum + one.count, 0)).toBe(10_000);
    const seconds = found.reduce(
      (sum, one) => sum + [...(one.phases ?? new Map()).values()].reduce((a, b) => a + b, 0),
      0,
    );
    expect(seconds).toBeCloseTo(40, 6);
  });
});

describe("densities of calls", () => {
  test("tell the mean rate between two times", () => {
    const [one] = densities([stretch(10, 20, 50)], { start: 0, end: 100 }, 1000, 100);
    expect(one).toMatchObject({ x: 100, width: 100, calls: 50, rate: 5, open: false });
  });

  test("reach to the end of the run where no end is recorded, and say so", () => {
    const [one] = densities([stretch(90, null, 5)], { start: 0, end: 100 }, 1000, 100);
    expect(one).toMatchObject({ width: 100, open: true });
  });

  test("that are too narrow are added up", () => {
    const all = Array.from({ length: 1000 }, (_, n) => stretch(n * 0.1, n * 0.1 + 0.05, 3, 2, 1));
    const found = densities(all, { start: 0, end: 100 }, 100, 100);
    expect(found.length).toBeLessThanOrEqual(50);
    expect(found.reduce((sum, one) => sum + one.calls, 0)).toBe(3000);
    expect(found.reduce((sum, one) => sum + one.fallbacks, 0)).toBe(1000);
  });
});

describe("marks of causes", () => {
  test("stand alone where there is room", () => {
    const found = marks([0, 20, 40].map((x) => ({ x, kind: "size", count: 1 })));
    expect(found.map((one) => one.count)).toEqual([1, 1, 1]);
  });

  test("too near to each other become one with a count and the most frequent cause", () => {
    const found = marks([0, 3, 6].map((x, n) => ({ x, kind: n === 0 ? "type" : "size", count: 1 })));
    expect(found).toEqual([{ x: 0, count: 3, kind: "size" }]);
  });

  test("never overlap", () => {
    const found = marks(Array.from({ length: 3000 }, (_, n) => ({ x: n / 3, kind: "size", count: 1 })));
    for (let n = 1; n < found.length; n++) {
      const before = found[n - 1];
      const room = before === undefined ? 0 : 22 + 7 * String(before.count).length - 7;
      expect((found[n]?.x ?? 0) - (before?.x ?? 0)).toBeGreaterThanOrEqual(room);
    }
    expect(found.reduce((sum, one) => sum + one.count, 0)).toBe(3000);
  });
});

test("the overview holds all seconds of compiling, by phase", () => {
  const sums = overview([block(0, 10), block(5, 7.5, "trace")], { start: 0, end: 20 }, 37);
  const total = (phase: string): number => [...(sums.get(phase) ?? [])].reduce((a, b) => a + b, 0);
  expect(total("compile")).toBeCloseTo(10);
  expect(total("trace")).toBeCloseTo(2.5);
});
