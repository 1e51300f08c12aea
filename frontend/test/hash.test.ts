import { describe, expect, it } from "vitest";
import type { PageData } from "../src/data";
import { ALL } from "../src/filter";
import { fromHash, toHash } from "../src/state";

const data = {
  report: { run: { processes: [] }, findings: [{}] },
  functions: new Map([[3, {}]]),
  firstCall: new Map([[3, {}]]),
  compilations: new Map([[7, {}]]),
} as unknown as PageData;

describe("the address", () => {
  it("is empty where nothing is chosen", () => {
    expect(toHash(ALL, null)).toBe("");
    expect(fromHash("", data)).toEqual({ filter: ALL, selection: null });
  });
  it("leads back to what was chosen", () => {
    const filter = {
      ...ALL,
      text: "a b&c=d",
      origin: "mine" as const,
      causes: new Set(["shape", "dtype"]),
      functions: new Set([3]),
      processes: new Set([0]),
    };
    for (const selection of [
      { kind: "function" as const, id: 3 },
      { kind: "first" as const, id: 3 },
      { kind: "compilation" as const, id: 7 },
      { kind: "signature" as const, id: 1, function: 3 },
      { kind: "finding" as const, id: 0 },
    ]) {
      expect(fromHash(`#${toHash(filter, selection)}`, data)).toEqual({ filter, selection });
    }
  });
  it.each([
    "show=function:99",
    "show=nonsense",
    "show=compilation:x",
    "show=signature:1:99",
    "show=finding:5",
    "show=first:4",
  ])("leaves out what is not there: %s", (hash) => {
    expect(fromHash(hash, data).selection).toBeNull();
  });
  it("leaves out functions and processes that are not there", () => {
    expect(fromHash("function=99,x&process=4&origin=evil", data).filter).toEqual(ALL);
  });
});
