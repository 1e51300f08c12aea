import { describe, expect, test } from "vitest";
import { clock, timeTicks } from "../../src/charts/axis";

const texts = (start: number, end: number, pixels = 450): string[] =>
  timeTicks({ start, end }, pixels).map((one) => one.text);

describe("ticks of time", () => {
  test("have the unit that the end of the view needs", () => {
    expect(texts(0, 0.0004)).toContain("200 µs");
    expect(texts(0, 0.4)).toContain("200 ms");
    expect(texts(0, 50)).toEqual(["0 s", "10 s", "20 s", "30 s", "40 s", "50 s"]);
    expect(texts(0, 600)).toEqual(["0:00", "2:00", "4:00", "6:00", "8:00", "10:00"]);
  });

  test("have enough decimals to differ", () => {
    for (const [start, end] of [
      [12.3401, 12.3405],
      [100, 100.02],
      [3599.9, 3600.1],
    ] as const) {
      const found = texts(start, end);
      expect(found.length).toBeGreaterThan(1);
      expect(new Set(found).size).toBe(found.length);
    }
  });

  test("lie within the view, and are no more than fit", () => {
    for (const tick of timeTicks({ start: 3.7, end: 91 }, 300)) {
      expect(tick.at).toBeGreaterThanOrEqual(3.7);
      expect(tick.at).toBeLessThanOrEqual(91);
    }
    expect(timeTicks({ start: 0, end: 5000 }, 300).length).toBeLessThanOrEqual(5);
  });

  test("an empty view has none", () => {
    expect(texts(3, 3)).toEqual([]);
  });

  test("a clock carries over", () => {
    expect(clock(125)).toBe("2:05");
    expect(clock(3725)).toBe("1:02:05");
    expect(clock(125.25, 2)).toBe("2:05.25");
    expect(clock(119.9999, 2)).toBe("2:00.00");
  });
});
