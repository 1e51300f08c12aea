import { describe, expect, it } from "vitest";
import { functionName, percent, place, printable, ratio, seconds, short } from "../src/text";

describe("texts from programs", () => {
  it("shows control, bidirectional and invisible characters as escapes", () => {
    expect(printable("a\u0000\u001b\n\u202e\u2028\u200b\u{e0001}b")).toBe(
      "a\\x00\\x1b\\n\\u202e\\u2028\\u200b\\U000e0001b",
    );
  });
  it("leaves other scripts and emoji as they are", () => {
    expect(printable("größe 尺寸 😀")).toBe("größe 尺寸 😀");
  });
  it("cuts, and says so", () => {
    expect(short("abcdef", 6)).toBe("abcdef");
    expect(short("abcdefg", 6)).toBe("abcde…");
    expect(short("x".repeat(1e6), 10)).toHaveLength(10);
    expect(short("\u0000".repeat(10), 10)).toHaveLength(10);
  });
  it("names functions by what leads out of locals, and places by the file's name", () => {
    expect(functionName("make.<locals>.step")).toBe("step");
    expect(place("/home/u/train.py", 3)).toBe("train.py:3");
    expect(place("C:\\u\\train.py", 3)).toBe("train.py:3");
    expect(place("", 0)).toBe("");
  });
});

describe("numbers, as render/numbers.py writes them", () => {
  it.each([
    [0, "0 s"],
    [0.0000123, "12.3 µs"],
    [0.00087, "870 µs"],
    [0.0123, "12.3 ms"],
    [0.99996, "1.00 s"],
    [4.518, "4.52 s"],
    [312.44, "312.4 s"],
  ])("%f s", (value, text) => {
    expect(seconds(value)).toBe(text);
  });
  it("says what is not known", () => {
    expect(seconds(null)).toBe("not known");
  });
  it.each([
    [0, "0%"],
    [0.004, "<1%"],
    [0.394, "39%"],
    [0.996, ">99%"],
    [1, "100%"],
  ])("a share of %f", (value, text) => {
    expect(percent(value)).toBe(text);
  });
  it.each([
    [487, 497, "487 / 497 (97.9%)"],
    [4999, 5000, "4,999 / 5,000 (99.98%)"],
    [1, 5000, "1 / 5,000 (<0.1%)"],
    [3, 3, "3 / 3 (100%)"],
    [0, 0, "0 / 0"],
  ])("%i of %i", (part, whole, text) => {
    expect(ratio(part, whole)).toBe(text);
  });
});
