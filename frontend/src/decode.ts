/** From the document in the page, which is kept in columns, to plain objects. */

import type { CompilationReport, FunctionReport, PageData, SignatureTable, SourceGroup } from "./data";
import { type CallRow, type PartRow, shownCalls } from "./decode-first";

/**
 * Rows as columns. A column is a list of numbers, booleans and nulls as they are; or positions in the document's list
 * of values, which holds each text and each nested value once; or one value that all rows have.
 */
interface Table {
  rows: number;
  columns: Record<string, { plain: unknown[] } | { of: number[] } | { all: number }>;
}

export function rows(table: Table, values: readonly unknown[]): Record<string, unknown>[] {
  const result: Record<string, unknown>[] = Array.from({ length: table.rows }, () => ({}));
  for (const [name, column] of Object.entries(table.columns)) {
    for (let n = 0; n < table.rows; n++) {
      const row = result[n] as Record<string, unknown>;
      if ("plain" in column) row[name] = column.plain[n];
      else if ("of" in column) row[name] = values[column.of[n] as number];
      else row[name] = values[column.all];
    }
  }
  return result;
}

/** Replace every table in `value`. */
function unpack(value: unknown, values: readonly unknown[]): unknown {
  if (Array.isArray(value)) return value.map((each) => unpack(each, values));
  if (value === null || typeof value !== "object") return value;
  if ("rows" in value && "columns" in value && typeof value.rows === "number") return rows(value as Table, values);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpack(each, values)]));
}

/** The inner rows, by what each belongs to, without that field. */
function byOwner(all: Record<string, unknown>[], field: string): Map<number, Record<string, unknown>[]> {
  const found = new Map<number, Record<string, unknown>[]>();
  for (const row of all) {
    const { [field]: owner, ...rest } = row;
    const list = found.get(owner as number);
    if (list === undefined) found.set(owner as number, [rest]);
    else list.push(rest);
  }
  return found;
}

interface RawSignatures {
  function: number;
  paths: number[];
  cells: Table;
  same: Table;
  more_paths: number;
  more_same: number;
}

function signatureTable(raw: RawSignatures, values: readonly unknown[]): SignatureTable {
  const cells = rows(raw.cells, values) as Record<string, string | null>[];
  return {
    ...raw,
    paths: raw.paths.map((path) => values[path] as string),
    rows: cells.map((row) => ({
      signature: row.signature as unknown as number,
      values: raw.paths.map((_, n) => row[n] ?? null),
    })),
    same: rows(raw.same, values) as unknown as SignatureTable["same"],
  };
}

/** As src/jitscope/analysis/grouping.py groups them. */
function bySource(functions: readonly FunctionReport[]): SourceGroup[] {
  const found = new Map<string, SourceGroup>();
  for (const one of functions) {
    const own = one.file === "" ? one.id : null;
    const key = JSON.stringify([one.framework, one.file, one.line, one.column, one.name, own]);
    const group = found.get(key);
    if (group === undefined) found.set(key, { id: one.id, functions: [one] });
    else group.functions.push(one);
  }
  const groups = [...found.values()];
  for (const each of groups) {
    each.functions.sort((a, b) => a.id - b.id);
    each.id = each.functions[0]?.id ?? each.id;
  }
  const lost = (each: SourceGroup): number => each.functions.reduce((sum, one) => sum + one.recompile_seconds, 0);
  const spent = (each: SourceGroup): number => each.functions.reduce((sum, one) => sum + one.compile_seconds, 0);
  const costs = new Map(groups.map((each) => [each, [lost(each), spent(each)] as const]));
  return groups.sort((a, b) => {
    const [lostA, spentA] = costs.get(a) ?? [0, 0];
    const [lostB, spentB] = costs.get(b) ?? [0, 0];
    return lostB - lostA || spentB - spentA || a.id - b.id;
  });
}

function partRows(table: Table, values: readonly unknown[]): PartRow[] {
  return rows(table, values) as never;
}

/** Decode the text of the page's JSON element. */
export function decode(text: string): PageData {
  const raw = JSON.parse(text);
  const values: unknown[] = raw.values;
  const functions: FunctionReport[] = rows(raw.report.functions, values) as never;
  const parts = (["signatures", "history", "compilations_detail"] as const).map(
    (name) => [name, byOwner(rows(raw.report[name], values), "function")] as const,
  );
  for (const one of functions) for (const [name, found] of parts) one[name] = (found.get(one.id) ?? []) as never;
  const lookups = byOwner(rows(raw.report.lookups, values), "compilation");
  const { signatures: _s, history: _h, compilations_detail: _c, lookups: _l, ...rest } = raw.report;
  const calls = shownCalls(rows(raw.first.calls, values) as never as CallRow[], partRows(raw.first.parts, values));
  const first_calls = (raw.first.report as number[]).map((position) => calls[position]?.call);
  const report = { ...(unpack(rest, values) as object), functions, first_calls } as PageData["report"];
  const firstCalls = calls.slice(0, raw.first.shown);
  const compilations = new Map<number, CompilationReport>();
  const owner = new Map<number, FunctionReport>();
  for (const one of functions) {
    for (const each of one.compilations_detail) {
      each.caches = (lookups.get(each.id) ?? []) as never;
      compilations.set(each.id, each);
      owner.set(each.id, one);
    }
  }
  const tables: SignatureTable[] = raw.signatures.map((each: RawSignatures) => signatureTable(each, values));
  const groups = bySource(functions);
  const number = new Map<number, number>();
  for (const each of groups) {
    const ids = each.functions.flatMap((one) => one.compilations_detail.map((detail) => detail.id));
    for (const [n, id] of ids.sort((a, b) => a - b).entries()) number.set(id, n + 1);
  }
  return {
    jitscope: raw.jitscope,
    report,
    firstCalls,
    firstCall: new Map(firstCalls.map((each) => [each.call.function, each])),
    timeline: unpack(raw.timeline, values) as PageData["timeline"],
    graphs: unpack(raw.graphs, values) as PageData["graphs"],
    signatures: new Map(tables.map((each) => [each.function, each])),
    library: new Set(raw.library as number[]),
    source: unpack(raw.source, values) as PageData["source"],
    functions: new Map(functions.map((one) => [one.id, one])),
    groups,
    group: new Map(groups.flatMap((each) => each.functions.map((one) => [one.id, each] as const))),
    compilations,
    number,
    owner,
  };
}
