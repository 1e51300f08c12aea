import { describe, expect, it } from "vitest";
import { rows } from "../src/decode";

describe("a table in columns", () => {
  it("becomes rows", () => {
    const values = ["shape", null, { file: "a.py", line: 1 }];
    const table = { rows: 2, columns: { n: { plain: [1, null] }, kind: { of: [0, 1] }, site: { all: 2 } } };
    expect(rows(table, values)).toEqual([
      { n: 1, kind: "shape", site: values[2] },
      { n: null, kind: null, site: values[2] },
    ]);
  });
  it("keeps a column called __proto__ a column", () => {
    const table = { rows: 1, columns: JSON.parse('{"__proto__": {"plain": [1]}}') };
    const [row] = rows(table, []);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(row).toBeDefined();
  });
});
