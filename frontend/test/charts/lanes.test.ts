import { describe, expect, test } from "vitest";
import { eightRanks, fiveFunctions, lambdaInLoop, pageData, thousandFunctions } from "../../harness/synthetic";
import { blockOf, laid, lanes, ordered, united, warmedUp } from "../../src/charts/lanes";
import { blockAt, blockLines, neighbour } from "../../src/charts/timeline-hit";
import { ALL } from "../../src/filter";

describe("lanes", () => {
  test("hold every compilation and every second, the costliest lane first", () => {
    const data = thousandFunctions();
    const found = lanes(data, ALL);
    expect(found.reduce((sum, one) => sum + one.compilations, 0)).toBe(data.report.totals.compilations);
    expect(found.reduce((sum, one) => sum + one.seconds, 0)).toBeCloseTo(data.report.totals.compile_seconds, 3);
    const seconds = found.map((one) => one.seconds);
    expect(seconds).toEqual([...seconds].sort((a, b) => b - a));
  });

  test("are apart by thread and rank, and calls are drawn in one of them", () => {
    const data = eightRanks();
    const found = lanes(data, ALL);
    const loaders = found.filter((one) => one.title === "loader" && one.detail.includes("rank 3"));
    expect(loaders.map((one) => one.detail.includes("thread prefetch-1")).sort()).toEqual([false, true]);
    expect(loaders.filter((one) => one.stretches.length > 0)).toHaveLength(1);
    const ranks = ordered(found, "process").map((one) => one.process ?? -1);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  test("what nobody watched has one of its own, without a cause", () => {
    const other = lanes(fiveFunctions(), ALL).filter((one) => one.function === null);
    expect(other).toHaveLength(1);
    expect(other[0]?.compilations).toBe(61);
    expect(other[0]?.blocks.every((one) => one.cause === null)).toBe(true);
  });

  test("function objects of one source share a lane, with the sum of their calls", () => {
    const found = lanes(lambdaInLoop(), ALL);
    expect(found.map((one) => [one.title, one.compilations])).toEqual([["<lambda> ×14", 14]]);
    expect(found[0]?.stretches.reduce((sum, one) => sum + one.hits, 0)).toBe(14);
  });

  test("stretches of several function objects that overlap are one", () => {
    const stretch = (owner: number, start: number, end: number | null) => ({
      function: owner,
      start,
      end,
      calls: 2,
      hits: 1,
      eager_fallbacks: 0,
    });
    expect(united([stretch(2, 3, 9), stretch(1, 1, 5), stretch(1, 20, 30)])).toEqual([
      { function: 1, start: 1, end: 9, calls: 4, hits: 2, eager_fallbacks: 0 },
      stretch(1, 20, 30),
    ]);
    expect(united([stretch(1, 1, null), stretch(2, 3, 9)])[0]?.end).toBeNull();
  });

  test("a filter leaves what matches", () => {
    const found = lanes(fiveFunctions(), { ...ALL, causes: new Set(["new_function"]) });
    expect(found.map((one) => [one.title, one.compilations])).toEqual([["loss_fn", 1]]);
  });

  test("a function that only hit is there with its calls", () => {
    const data = pageData([{ name: "f", steps: [{ start: 1, phases: { compile: 1 }, hits: 5 }] }], { end: 10 });
    data.timeline.extents = [];
    data.timeline.slices = [];
    expect(lanes(data, ALL).map((one) => [one.compilations, one.stretches.length])).toEqual([[0, 1]]);
  });
});

describe("blocks", () => {
  const slice = (phase: string, start: number, seconds: number) => ({
    compilation: 1,
    episode: 0,
    phase,
    start,
    seconds,
  });

  test("nested phases follow each other, and their own times add up", () => {
    const parts = laid([slice("inductor", 0.8, 2), slice("dynamo", 0, 1), slice("aot_autograd", 0.5, 0.5)]);
    expect(parts.map((one) => [one.phase, one.start, one.end])).toEqual([
      ["dynamo", 0, 1],
      ["aot_autograd", 1, 1.5],
      ["inductor", 1.5, 3.5],
    ]);
  });

  test("a gap between two phases stays", () => {
    expect(laid([slice("trace", 0, 1), slice("compile", 5, 1)]).map((one) => one.start)).toEqual([0, 5]);
  });

  test("a later episode is marked", () => {
    const extent = { compilation: 1, episode: 1, function: 1, start: 7, end: 8, process: null, thread: null };
    expect(blockOf(extent, [], undefined, null)).toMatchObject({ start: 7, end: 8, late: true, cause: null });
  });
});

describe("when everything has been compiled once", () => {
  test("is the end of the last first compile", () => {
    expect(warmedUp(lanes(fiveFunctions(), ALL))).toBeCloseTo(17.4 + 0.9);
  });

  test("is not told where nothing was compiled again", () => {
    const data = pageData([{ name: "f", steps: [{ start: 1, phases: { compile: 1 } }] }]);
    expect(warmedUp(lanes(data, ALL))).toBeNull();
  });
});

describe("finding a block", () => {
  const data = fiveFunctions();
  const found = lanes(data, ALL);
  const at = (title: string): number => found.findIndex((one) => one.title === title);

  test("the innermost at a time, or the nearest within reach", () => {
    const lane = found[at("evaluate")];
    if (lane === undefined) throw new Error("no lane");
    expect(blockAt(lane, 17.5, 0.1)).toBe(0);
    expect(blockAt(lane, 18.35, 0.1)).toBe(0);
    expect(blockAt(lane, 20, 0.1)).toBeNull();
  });

  test("arrow keys go along a lane, and to the nearest block of the next", () => {
    expect(neighbour(found, { lane: at("evaluate"), block: 0 }, "ArrowRight")).toEqual({
      lane: at("evaluate"),
      block: 1,
    });
    expect(neighbour(found, { lane: at("evaluate"), block: 0 }, "ArrowLeft")).toBeNull();
    const down = neighbour(found, { lane: at("decode"), block: 0 }, "ArrowDown");
    expect(down).toEqual({ lane: at("Trainer.train_step"), block: 1 });
  });

  test("a block's lines name its function, its phases, and what changed", () => {
    const lane = found[at("Trainer.train_step")];
    const block = lane?.blocks[1];
    if (lane === undefined || block === undefined) throw new Error("no block");
    const lines = blockLines(data, lane, block);
    expect(lines[0]).toBe("Trainer.train_step, call 313");
    expect(lines.join("\n")).toContain("compile 2.17 s");
    expect(lines.join("\n")).toContain("shape batch['x']: f32[64,128] → f32[17,128]");
  });
});
