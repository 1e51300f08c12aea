import { describe, expect, test } from "vitest";
import { random } from "../../harness/synthetic";
import { byOutcome, compressed, folded, placed, runsOf, type Segment } from "../../src/charts/history-runs";
import type { HistoryRun, Outcome } from "../../src/data";

const run = (outcome: Outcome, count: number, signature: number | null = 1): HistoryRun => ({
  signature,
  outcome,
  count,
  compilation: null,
});
const calls = (segments: readonly Segment[]): number => segments.reduce((sum, one) => sum + one.count, 0);

describe("runs", () => {
  test("know the ordinal of their first call; nested calls have none", () => {
    const found = runsOf([run("compile", 1), run("nested", 4), run("hit", 9), run("compile", 1, 2)]);
    expect(found.map((one) => one.first)).toEqual([1, 2, 2, 11]);
  });
});

describe("folding", () => {
  test("a turn that is repeated becomes one, with how often", () => {
    const turn = [run("hit", 49), run("compile", 1, 2)];
    const found = folded(runsOf([run("compile", 1), ...Array.from({ length: 50 }, () => turn).flat()]));
    expect(found).toHaveLength(2);
    expect(found[1]).toMatchObject({ kind: "turns", times: 50, count: 2500, first: 2 });
  });

  test("two of a kind stay as they are", () => {
    const turn = [run("hit", 49), run("compile", 1, 2)];
    expect(folded(runsOf([...turn, ...turn]))).toHaveLength(4);
  });

  test("other counts are another turn", () => {
    expect(folded(runsOf([run("hit", 1), run("hit", 2), run("hit", 3), run("hit", 4)]))).toHaveLength(4);
  });
});

describe("compressing", () => {
  const next = random(5);
  const outcomes: Outcome[] = ["hit", "compile", "eager_fallback"];
  const wild = runsOf(
    Array.from({ length: 5000 }, (_, n) =>
      run(outcomes[n % 3] ?? "hit", 1 + Math.floor(next() * 50), Math.floor(next() * 9)),
    ),
  );

  test("keeps every call, by outcome, and is as short as asked", () => {
    const found = compressed(wild, 300);
    expect(found.length).toBeLessThanOrEqual(300);
    expect(calls(found)).toBe(calls(wild));
    const hits = found.reduce((sum, one) => sum + (one.kind === "mixed" ? (one.outcomes.get("hit") ?? 0) : 0), 0);
    const expected = wild.reduce((sum, one) => sum + (one.outcome === "hit" ? one.count : 0), 0);
    expect(hits).toBe(expected);
  });

  test("a short history is exact", () => {
    const short = wild.slice(0, 20);
    expect(compressed(short, 300)).toEqual(short);
  });

  test("neighbours with one outcome become one, which says how many signatures it holds", () => {
    const [one] = byOutcome(runsOf([run("hit", 3, 1), run("hit", 4, 2), run("hit", 5, 1)]));
    expect(one).toMatchObject({ count: 12, signature: null, signatures: 2 });
  });
});

describe("placing", () => {
  const segments = runsOf(Array.from({ length: 200 }, (_, n) => run(n % 2 ? "hit" : "compile", n % 2 ? 40 : 1)));

  for (const scale of ["log", "linear"] as const) {
    test(`${scale}: in order, without overlap, within the width`, () => {
      const found = placed(segments, 300, scale);
      expect(found.map((one) => one.segment)).toEqual(segments.map((_, n) => n));
      for (const [n, one] of found.entries()) {
        expect(one.x + one.width).toBeLessThanOrEqual(300.5);
        const before = found[n - 1];
        if (before !== undefined && before.row === one.row)
          expect(one.x).toBeGreaterThanOrEqual(before.x + before.width);
      }
    });
  }

  test("more calls are wider", () => {
    const [few, many] = placed(
      runsOf([run("hit", 2), run("compile", 1), run("hit", 2000)]).filter((one) => one.outcome === "hit"),
      900,
      "log",
    );
    expect(many?.width ?? 0).toBeGreaterThan(few?.width ?? 0);
  });
});
