import { describe, expect, it } from "vitest";
import { marked, markedColumn } from "../src/marks";

/** What differs in brackets of its own: `f32[<64>,8]`. */
function shown(text: string, others: (string | null)[]): string {
  return marked(text, others)
    .map((part) => (part.differs ? `<${part.text}>` : part.text))
    .join("");
}

describe("what differs is marked", () => {
  it.each([
    ["f32[64,8]", ["f32[63,8]"], "f32[<64>,8]"],
    ["f32[64,8]", ["bf16[64,8]"], "<f32>[64,8]"],
    ["f32[64,8]{a}", ["f32[64,8]{b}"], "f32[64,8]<{a}>"],
    ["f32[64,8]", ["f32[64]"], "<f32[64,8]>"],
    ["f32[8]", [null], "<f32[8]>"],
    ["True", ["False"], "<True>"],
    ["f32[8]", ["f32[8]"], "f32[8]"],
    ["f32[8]", [], "f32[8]"],
  ])("%s beside %j", (text, others, expected) => {
    expect(shown(text, others)).toBe(expected);
  });
  it("compares each distinct text of a column once", () => {
    const column = markedColumn(["f32[1]", "f32[2]", "f32[1]", null]);
    expect([...column.keys()]).toEqual(["f32[1]", "f32[2]"]);
  });
});
