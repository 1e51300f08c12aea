import { describe, expect, it } from "vitest";
import PYTHON from "../../src/jitscope/model/caching.py?raw";
import { cacheTitle, outcomeText, savedText, slowTexts } from "../src/caches";
import type { CacheOutcome, CacheReport } from "../src/data-caches";

const sums: CacheReport = {
  name: "jax",
  hits: 2,
  misses: 1,
  seconds: 0.5,
  bypassed: 0,
  off: 0,
  unknown: 0,
  written: 0,
  write_seconds: 0,
  reasons: {},
  unwritten: {},
  saved_seconds: 3,
  saved_unknown: 0,
  saved_at_least: 3,
  rest_seconds: {},
};

const hit: CacheOutcome = {
  cache: "jax",
  result: "hit",
  why: null,
  reason: null,
  key: "k",
  backward: false,
  remote: false,
  read_seconds: 0.02,
  write_seconds: null,
  written: null,
  unwritten: null,
  compile_seconds: null,
  saved_seconds: 1.5,
  saved_at_least: 1.5,
  saved_at_most: 1.5,
  saved_from: "entry",
};

describe("the words of caches", () => {
  it("are titles that the terminal has, too", () => {
    const titles = /CACHE_NAMES = \{(.*?)\}/s.exec(PYTHON)?.[1] ?? "";
    const found = [...titles.matchAll(/"(\w+)": "([^"]+)"/g)];
    expect(found.length).toBeGreaterThan(3);
    for (const [, name, title] of found) expect(cacheTitle(name ?? "")).toBe(title);
    expect(cacheTitle("__proto__")).toBe("__proto__");
    expect(cacheTitle("new")).toBe("new");
  });
  it.each([
    [{}, "saved 3.00 s"],
    [{ hits: 0 }, null],
    [{ name: "triton" }, null],
    [{ name: "aot_autograd" }, "saved 3.00 s, Inductor's included"],
    [{ saved_seconds: -0.5 }, "reading took 500 ms longer than compiling had"],
    [{ saved_seconds: 0 }, "saved nothing"],
    [{ saved_unknown: 2 }, "saved at least 3.00 s (2 entries stored without fractions of a second)"],
    [{ saved_unknown: 1 }, "saved at least 3.00 s (1 entry stored without fractions of a second)"],
    [{ saved_unknown: 1, saved_at_least: -1 }, "saved an unknown time"],
  ])("say what was saved: %o", (change, text) => {
    expect(savedText({ ...sums, ...change })).toBe(text);
  });
  it("say why what was found took its time", () => {
    expect(slowTexts(sums)).toEqual([]);
    expect(slowTexts({ ...sums, rest_seconds: { trace: 0.5, lower: 0.25 } })).toEqual([
      "what was found took 750 ms more all the same: trace 500 ms, lower 250 ms; tracing and lowering are not cached",
    ]);
    expect(slowTexts({ ...sums, name: "aot_autograd", rest_seconds: { dynamo: 1 } })[0]).toContain("Dynamo's part");
    expect(slowTexts({ ...sums, name: "fx_graph", seconds: 1 })[0]).toContain("built anew");
  });
  it.each([
    [{}, "found, read in 20.0 ms, saved 1.50 s"],
    [{ saved_from: "recording" as const }, "found, read in 20.0 ms, saved 1.50 s, measured when the entry was made"],
    [
      { saved_seconds: null, saved_at_least: -0.02, saved_at_most: 0.98 },
      "found, read in 20.0 ms, saved between 0 s and 980 ms (the entry has whole seconds)",
    ],
    [{ saved_seconds: null, saved_at_most: null }, "found, read in 20.0 ms, saved an unknown time"],
    [{ result: "miss" as const, why: "no entry has its key" }, "not found: no entry has its key"],
    [{ result: "miss" as const, written: true, write_seconds: 0.25 }, "not found, written in 250 ms"],
    [{ result: "off" as const, why: "no folder" }, "off: no folder"],
  ])("say what a cache did for a compilation: %o", (change, text) => {
    expect(outcomeText({ ...hit, ...change })).toBe(text);
  });
});
