import { describe, expect, test } from "vitest";
import source from "../../../src/jitscope/model/cause.py?raw";
import { fiveFunctions, lambdaInLoop } from "../../harness/synthetic";
import { CAUSE_GROUPS, CAUSE_ORDER, causeGroup } from "../../src/charts/causes";
import css from "../../src/charts/charts.css?raw";
import { heat } from "../../src/charts/heat";
import { mainCause } from "../../src/charts/main-cause";
import { costliest, phaseOrder } from "../../src/charts/phases";
import { ALL } from "../../src/filter";

describe("groups of causes", () => {
  test("hold every kind that jitscope knows, each once", () => {
    const literal = source.slice(source.indexOf("CauseKind = Literal["), source.indexOf("]\n"));
    const kinds = [...literal.matchAll(/"([a-z_]+)"/g)].map((one) => one[1]);
    expect(kinds.length).toBeGreaterThan(20);
    const grouped = CAUSE_ORDER.flatMap((group) => CAUSE_GROUPS[group].kinds);
    expect([...grouped].sort()).toEqual([...kinds].sort());
  });

  test("a kind of a newer jitscope is unknown", () => {
    expect(causeGroup("moon_phase")).toBe("unknown");
    expect(causeGroup("constructor")).toBe("unknown");
  });

  test("differ by more than colour", () => {
    const looks = CAUSE_ORDER.map((group) => `${CAUSE_GROUPS[group].glyph} ${CAUSE_GROUPS[group].hollow}`);
    expect(new Set(looks).size).toBe(looks.length);
  });

  test("have colours for light and dark", () => {
    for (const group of CAUSE_ORDER) expect(css.split(`${CAUSE_GROUPS[group].colour}:`)).toHaveLength(4);
  });
});

describe("the heat map", () => {
  test("its cells add up to what was compiled", () => {
    const data = fiveFunctions();
    const found = heat(data, ALL);
    const sum = found.rows.flatMap((row) => [...row.cells.values()]).reduce((total, cell) => total + cell.seconds, 0);
    expect(sum).toBeCloseTo(data.report.totals.compile_seconds);
    expect(found.kinds.reduce((total, one) => total + one.seconds, 0)).toBeCloseTo(sum);
    expect(found.kinds[0]?.kind).toBe("cache_evicted");
  });

  test("a filter by cause leaves its column", () => {
    const found = heat(fiveFunctions(), { ...ALL, causes: new Set(["static_value"]) });
    expect(found.kinds.map((one) => one.kind)).toEqual(["static_value"]);
    expect(found.rows).toHaveLength(1);
  });
});

test("the main cause is the finding's, where the compilation has it; else its first", () => {
  const data = fiveFunctions();
  const one = data.compilations.get(2);
  if (one === undefined) throw new Error("no compilation");
  const base = one.causes[0];
  if (base === undefined) throw new Error("no cause");
  one.causes = [{ ...base, kind: "layout" }, base];
  expect(mainCause(data, one)).toBe("shape");
  one.causes = [{ ...base, kind: "layout" }];
  expect(mainCause(data, one)).toBe("layout");
});

test("function objects of one source are one bar and one row", () => {
  const data = lambdaInLoop();
  expect(costliest(data, ALL).map((one) => [one.functions.length, one.compilations])).toEqual([[14, 14]]);
  expect(costliest(data, ALL)[0]?.seconds).toBeCloseTo(14 * 0.3);
  expect(heat(data, ALL).rows).toHaveLength(1);
});

test("phases are in the order in which they run, unknown ones last", () => {
  expect(phaseOrder(["zeta", "compile", "trace", "alpha", "compile"])).toEqual(["trace", "compile", "alpha", "zeta"]);
});
