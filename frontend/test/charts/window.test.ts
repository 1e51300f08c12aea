import { describe, expect, test } from "vitest";
import { around, inside, length, panned, revealing, zoomed } from "../../src/charts/window";

const whole = { start: 0, end: 100 };

describe("the window of a timeline", () => {
  test("zooming keeps the time under the pointer where it is", () => {
    const span = zoomed({ start: 20, end: 60 }, 2, 30, whole);
    expect(span).toEqual({ start: 25, end: 45 });
    expect((30 - span.start) / length(span)).toBeCloseTo((30 - 20) / 40);
  });

  test("zooming out stops at the whole run", () => {
    expect(zoomed({ start: 20, end: 60 }, 0.01, 30, whole)).toEqual(whole);
  });

  test("zooming in stops at a microsecond", () => {
    expect(length(zoomed({ start: 20, end: 60 }, 1e12, 30, whole))).toBeCloseTo(1e-6, 9);
  });

  test("moving stops at the ends and keeps the length", () => {
    expect(panned({ start: 20, end: 60 }, 90, whole)).toEqual({ start: 60, end: 100 });
    expect(panned({ start: 20, end: 60 }, -90, whole)).toEqual({ start: 0, end: 40 });
  });

  test("a window outside of the run is moved into it", () => {
    expect(inside({ start: -30, end: 10 }, whole)).toEqual({ start: 0, end: 40 });
  });

  test("what is in view already does not move the window", () => {
    const span = { start: 20, end: 60 };
    expect(revealing(span, { start: 40, end: 41 }, whole)).toEqual(span);
  });

  test("what is out of view is brought into it, whole", () => {
    const span = revealing({ start: 20, end: 60 }, { start: 70, end: 75 }, whole);
    expect(span.end).toBeGreaterThan(75);
    expect(length(span)).toBeCloseTo(40);
    const longer = revealing({ start: 20, end: 60 }, { start: 10, end: 80 }, whole);
    expect(longer.start).toBeLessThanOrEqual(10);
    expect(longer.end).toBeGreaterThanOrEqual(80);
  });

  test("a view around a block leaves room on both sides", () => {
    expect(around({ start: 40, end: 50 }, whole)).toEqual({ start: 35, end: 55 });
  });
});
