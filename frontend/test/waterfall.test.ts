import { describe, expect, it } from "vitest";
import type { Part } from "../src/data-first";
import { type PartRow, shownCalls } from "../src/decode-first";
import { bar, waterfall } from "../src/waterfall";

function part(label: string, seconds: number, more: Partial<Part> = {}): Part {
  return { name: label, label, start: null, seconds, own: seconds, count: 1, program: null, parts: [], ...more };
}

const CALL = [
  part("trace", 2, { start: 1 }),
  part("compile", 6, { start: 3, own: 4, parts: [part("read", 2, { start: 5 })] }),
];
const WHOLE = { seconds: 10, rest: 2, restLabel: "not attributed" };

describe("a waterfall", () => {
  it("has a row for each part, those inside of one below it, and one for the rest", () => {
    const rows = waterfall(CALL, WHOLE, false);
    expect(rows.map((row) => [row.kind, row.label, row.depth, row.inside, row.at, row.seconds, row.own])).toEqual([
      ["part", "trace", 0, [], 1, 2, 2],
      ["part", "compile", 0, [], 3, 6, 4],
      ["part", "read", 1, ["compile"], 5, 2, 2],
      ["rest", "not attributed", 0, [], null, 2, 2],
    ]);
  });
  it("has no row for a rest of nothing", () => {
    expect(waterfall(CALL, { ...WHOLE, rest: 0 }, false)).toHaveLength(3);
  });
  it("lets parts whose begin is unknown follow each other, and says that it is unknown", () => {
    const rows = waterfall([part("trace", 2), part("lower", 3, { parts: [part("inner", 1)] })], WHOLE, false);
    expect(rows.slice(0, 3).map((row) => [row.label, row.at, row.known])).toEqual([
      ["trace", 0, false],
      ["lower", 2, false],
      ["inner", 2, false],
    ]);
  });
  it("tells small parts together, with their seconds, unless all are wanted", () => {
    const some = [part("big", 8), part("a", 0.05), part("b", 0.02)];
    const small = waterfall(some, WHOLE, false)[1];
    expect([small?.kind, small?.count, small?.at]).toEqual(["small", 2, null]);
    expect(small?.seconds).toBeCloseTo(0.07);
    expect(waterfall(some, WHOLE, true).map((row) => row.label)).toEqual(["big", "a", "b", "not attributed"]);
  });
  it("names a small part that is alone", () => {
    expect(waterfall([part("big", 8), part("a", 0.05)], WHOLE, false)[1]?.label).toBe("a");
  });
  it("does not name the programs of eager operations, which are listed with their places", () => {
    const rows = waterfall(
      [part("eager_op", 5, { program: "add" }), part("compile", 5, { program: "f" })],
      WHOLE,
      true,
    );
    expect(rows.map((row) => row.program)).toEqual([null, "f", null]);
  });
});

describe("a bar", () => {
  const row = (at: number | null, seconds: number, own: number | null) => ({
    ...(waterfall([part("x", 1)], WHOLE, true)[0] as ReturnType<typeof waterfall>[number]),
    at,
    seconds,
    own,
  });
  it("stands where its part began", () => {
    expect(bar(row(2.5, 5, 2), 10)).toEqual({ left: 0.25, width: 0.5, own: 0.2 });
  });
  it("does not leave the field", () => {
    expect(bar(row(8, 5, 5), 10)).toEqual({ left: 0.8, width: 1 - 0.8, own: 1 - 0.8 });
    expect(bar(row(-1, 5, 9), 10)).toEqual({ left: 0, width: 0.5, own: 0.5 });
  });
  it("is not there where nothing says when, or the whole took no time", () => {
    expect(bar(row(null, 5, 5), 10)).toBeNull();
    expect(bar(row(1, 5, 5), 0)).toBeNull();
  });
});

describe("parts in the document", () => {
  it("become trees again", () => {
    const row = (call: number, later: boolean, depth: number, label: string): PartRow => {
      const { parts: _, ...rest } = part(label, 1);
      return { ...rest, call, later, depth };
    };
    const calls = shownCalls([{ costliest: [] }, { costliest: [["c", 1]] }] as never, [
      row(0, false, 0, "a"),
      row(0, false, 1, "b"),
      row(0, false, 2, "c"),
      row(0, false, 1, "d"),
      row(0, true, 0, "e"),
      row(1, false, 0, "f"),
    ]);
    const tree = (some: readonly Part[]): unknown => some.map((one) => [one.label, tree(one.parts)]);
    expect(tree(calls[0]?.call.parts ?? [])).toEqual([
      [
        "a",
        [
          ["b", [["c", []]]],
          ["d", []],
        ],
      ],
    ]);
    expect(tree(calls[0]?.call.later ?? [])).toEqual([["e", []]]);
    expect(tree(calls[1]?.call.parts ?? [])).toEqual([["f", []]]);
    expect(calls[1]?.costliest).toEqual([["c", 1]]);
  });
});
