/** Which of a compilation's causes stands for it where only one is shown. */

import type { CompilationReport, PageData } from "../data";

const known = new WeakMap<PageData, ReadonlyMap<number, string>>();

/**
 * The kind of a compilation's main cause: that of the finding it is in, where that is one of its own causes (a cascade
 * is in the finding of its root); else its first cause.
 */
export function mainCause(data: PageData, one: CompilationReport): string {
  let found = known.get(data);
  if (found === undefined) {
    found = new Map(data.report.findings.flatMap((each) => each.compilations.map((id) => [id, each.kind] as const)));
    known.set(data, found);
  }
  const kind = found.get(one.id);
  if (kind !== undefined && one.causes.some((cause) => cause.kind === kind)) return kind;
  return one.causes[0]?.kind ?? "unknown";
}
