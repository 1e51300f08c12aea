/** What the page shows: one filter for all its views, kept in the location's hash. */

import type { CompilationReport, Extent, Finding, FunctionReport, PageData } from "./data";

export interface Filter {
  /** Looked for in names, places, causes, paths and values; lower case. */
  text: string;
  origin: "all" | "mine" | "library";
  /** Kinds; empty: all. */
  causes: ReadonlySet<string>;
  /** Ids; empty: all. */
  functions: ReadonlySet<number>;
  /** Empty: all. */
  frameworks: ReadonlySet<string>;
  /** Positions in `run.processes`; empty: all. */
  processes: ReadonlySet<number>;
}

export const ALL: Filter = {
  text: "",
  origin: "all",
  causes: new Set(),
  functions: new Set(),
  frameworks: new Set(),
  processes: new Set(),
};

export function isAll(filter: Filter): boolean {
  return (
    filter.text === "" &&
    filter.origin === "all" &&
    !filter.causes.size &&
    !filter.functions.size &&
    !filter.frameworks.size &&
    !filter.processes.size
  );
}

/** Whether a function belongs to what is shown, whatever its compilations. */
function admits(data: PageData, filter: Filter, one: FunctionReport): boolean {
  if (filter.origin !== "all" && data.library.has(one.id) !== (filter.origin === "library")) return false;
  if (filter.functions.size && !filter.functions.has(one.id)) return false;
  if (filter.frameworks.size && !filter.frameworks.has(one.framework)) return false;
  return !filter.processes.size || (one.process !== null && filter.processes.has(one.process));
}

/** Whether a function is shown: it is admitted, and the text and a cause are its own or one of its compilations'. */
export function matchesFunction(data: PageData, filter: Filter, one: FunctionReport): boolean {
  if (!admits(data, filter, one)) return false;
  if (!filter.causes.size && (filter.text === "" || says(functionText(one), filter.text))) return true;
  return one.compilations_detail.some((each) => matchesCompilation(data, filter, each));
}

/** Whether a compilation is shown. */
export function matchesCompilation(data: PageData, filter: Filter, one: CompilationReport): boolean {
  const owner = data.owner.get(one.id);
  if (owner === undefined || !admits(data, filter, owner)) return false;
  if (filter.causes.size && !one.causes.some((cause) => filter.causes.has(cause.kind))) return false;
  return filter.text === "" || says(functionText(owner), filter.text) || says(compilationText(one), filter.text);
}

/** Whether a compilation of the timeline is shown; those of nobody are there while nothing about functions is asked. */
export function matchesExtent(data: PageData, filter: Filter, one: Extent): boolean {
  const compilation = data.compilations.get(one.compilation);
  if (compilation !== undefined) return matchesCompilation(data, filter, compilation);
  return (
    filter.text === "" &&
    filter.origin !== "mine" &&
    !filter.causes.size &&
    !filter.functions.size &&
    !filter.frameworks.size &&
    (!filter.processes.size || (one.process !== null && filter.processes.has(one.process)))
  );
}

/** Whether a finding is shown: one of its compilations is. */
export function matchesFinding(data: PageData, filter: Filter, one: Finding): boolean {
  return one.compilations.some((id) => {
    const compilation = data.compilations.get(id);
    return compilation !== undefined && matchesCompilation(data, filter, compilation);
  });
}

const texts = new WeakMap<object, string>();

function says(text: string, wanted: string): boolean {
  return text.includes(wanted);
}

function functionText(one: FunctionReport): string {
  let text = texts.get(one);
  if (text === undefined) {
    text = `${one.name}\n${one.file}:${one.line}\n${one.framework}\n${one.state}`.toLowerCase();
    texts.set(one, text);
  }
  return text;
}

function compilationText(one: CompilationReport): string {
  let text = texts.get(one);
  if (text === undefined) {
    const causes = one.causes.map((cause) => `${cause.kind} ${cause.path} ${cause.old} ${cause.new}`);
    const site = one.site === null ? "" : `${one.site.file}:${one.site.line} ${one.site.function}`;
    text = [one.program, one.framework_id, site, ...causes].join("\n").toLowerCase();
    texts.set(one, text);
  }
  return text;
}
