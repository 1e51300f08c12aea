/**
 * What the page knows: the report as `jitscope report --format json` writes it (docs/report.schema.json), and what the
 * timeline needs besides. In the page it is kept in columns; `decode.ts` makes these plain objects of it.
 *
 * All times are in seconds. Every text comes from a watched program: show it through `text.ts`, never as markup.
 */

import type { CacheOutcome, CacheReport } from "./data-caches";
import type { FirstCall, ShownCall, StartUp } from "./data-first";

export type Framework = "jax" | "torch" | "python";
export type Outcome =
  | "hit"
  | "dispatch_miss"
  | "compile"
  | "eager_fallback"
  | "python_path"
  | "nested"
  | "waited"
  | "error";
export type State = "idle" | "monomorphic" | "polymorphic" | "megamorphic" | "thrashing";
/** One of docs/causes: `shape`, `new_function`, … A newer jitscope may know more. */
export type CauseKind = string;
/** JAX: trace, lower, compile, cache_read. torch: dynamo, aot_autograd, inductor, codegen, autotune, backward. */
export type PhaseName = string;

export interface Site {
  file: string;
  line: number;
  function: string;
}

export interface Cause {
  kind: CauseKind;
  path: string | null;
  old: string | null;
  new: string | null;
  evidence: string | null;
  avoidable: "yes" | "no" | "unknown";
}

export interface ProcessInfo {
  run: string;
  host: string;
  pid: number;
  started: string;
  /** Its start, on the combined recording's clock. */
  offset_seconds: number;
  wall_seconds: number | null;
  ended: boolean;
  rank: number | null;
  process: string | null;
}

export interface RunInfo {
  id: string;
  argv: string[];
  started: string;
  wall_seconds: number | null;
  rank: number | null;
  world_size: number | null;
  versions: Record<string, string>;
  devices: string[];
  /** Of a combined recording: those that it was made from; else empty. */
  processes: ProcessInfo[];
}

export interface Totals {
  calls: number;
  hits: number;
  dispatch_misses: number;
  eager_fallbacks: number;
  compiling_calls: number;
  python_path_calls: number;
  waited_calls: number;
  failed_calls: number;
  nested_calls: number;
  compilations: number;
  recompilations: number;
  avoidable_recompilations: number;
  compile_seconds: number;
  recompile_seconds: number;
  eager_op_compilations: number;
  eager_op_compile_seconds: number;
}

export interface SignatureReport {
  id: number;
  text: string;
  calls: number;
  hits: number;
  /** Ordinal of the first call with it, from 1. */
  first_call: number | null;
}

export interface FamilyReport {
  text: string;
  signatures: number;
  compile_seconds: number;
}

/** Consecutive calls with the same fate, in order. */
export interface HistoryRun {
  signature: number | null;
  outcome: Outcome;
  count: number;
  /** torch: the cache entry that served the calls, by the compilation that made it. */
  compilation: number | null;
}

export interface CompilationReport {
  id: number;
  /** Ordinal of the call that caused it, from 1. */
  call: number | null;
  signature: number | null;
  program: string;
  /** Seconds since the run's start. */
  start: number;
  /** Sum of its phases' own times. */
  seconds: number;
  /** Of the whole call that caused it. */
  wall_seconds: number | null;
  phases: Record<PhaseName, number>;
  layers: string[];
  persistent_cache: "hit" | "miss" | "off" | "unknown";
  under: string | null;
  site: Site | null;
  causes: Cause[];
  fix: string | null;
  framework_id: string | null;
  hits: number;
  /** Not the first of its source function. */
  recompile: boolean;
  /** Why no code came of it, or null. */
  failed: string | null;
  /** The earlier compilation that its causes compare it with. */
  compared_with: number | null;
  /** The function whose call it ran inside of, where that is another one than its owner. */
  inside: number | null;
  evidence: string[];
  /** The compilation of an enclosing function that made this one necessary; null: it is a root itself. */
  root: number | null;
  label: string | null;
  /** What caches on disk did for it, in order; empty: not known. */
  caches: CacheOutcome[];
}

export interface FunctionReport {
  id: number;
  framework: Framework;
  name: string;
  /** `function`, `module` or `region`. */
  kind: string;
  file: string;
  line: number;
  column: number;
  calls: number;
  hits: number;
  dispatch_misses: number;
  eager_fallbacks: number;
  compiling_calls: number;
  python_path_calls: number;
  waited_calls: number;
  failed_calls: number;
  nested_calls: number;
  compilations: number;
  recompilations: number;
  compile_seconds: number;
  recompile_seconds: number;
  phases: Record<PhaseName, number>;
  state: State;
  signatures: SignatureReport[];
  families: FamilyReport[];
  history: HistoryRun[];
  compilations_detail: CompilationReport[];
  /** Position of its process in `RunInfo.processes`; null where the recording is of one process. */
  process: number | null;
}

export interface EagerOp {
  name: string;
  framework: Framework;
  library: boolean;
  compilations: number;
  compile_seconds: number;
  sites: Site[];
}

export interface Note {
  slug: string;
  text: string;
}

export interface Bucket {
  /** What the axis is padded to. */
  size: number;
  /** The sizes seen that fall into it, ascending. */
  sizes: number[];
  calls: number;
  /** Elements added over all its calls, as a share of those needed. */
  padding: number;
}

export interface BucketPlan {
  path: string;
  axis: number;
  buckets: Bucket[];
  compilations_before: number;
  seconds_before: number;
  /** An estimate. */
  seconds_after: number;
  padding: number;
  same: string[];
  process: number | null;
}

export interface Finding {
  kind: CauseKind;
  path: string | null;
  paths: string[];
  framework: Framework;
  name: string;
  file: string;
  line: number;
  functions: number[];
  compilations: number[];
  seconds: number;
  avoidable_seconds: number;
  sites: Site[];
  values: string[];
  also: CauseKind[];
  explanation: string;
  fix: string | null;
  evidence: string | null;
  plan: BucketPlan | null;
}

/** What happened under one label: in one test, in one cell of a notebook. */
export interface LabelReport {
  text: string | null;
  entered: number;
  calls: number;
  hits: number;
  compilations: number;
  recompilations: number;
  compile_seconds: number;
  recompile_seconds: number;
}

export interface Report {
  schema: number;
  run: RunInfo;
  totals: Totals;
  functions: FunctionReport[];
  eager_ops: EagerOp[];
  notes: Note[];
  caches: CacheReport[];
  /** The costliest first. */
  findings: Finding[];
  labels: LabelReport[];
  /** The longest; `PageData.firstCalls` has all of them. */
  first_calls: FirstCall[];
  /** One a process. */
  start_up: StartUp[];
}

/**
 * One phase of one compilation. `seconds` is its own time: what nested phases and nested compilations took is not in
 * it. So a slice that encloses others (torch: dynamo around aot_autograd around inductor) ends later than
 * `start + seconds`; its end is not recorded. `Timeline.extents` has the extents of whole compilations. Laid end to end
 * in the order of their starts, the slices of an episode fill its extent (but for what others did in between).
 */
export interface Slice {
  /** Id of a compilation: of a function, or of `Timeline.unwatched`. */
  compilation: number;
  /** See `Extent.episode`. */
  episode: number;
  phase: PhaseName;
  start: number;
  seconds: number;
}

/** When a compilation was under way. */
export interface Extent {
  compilation: number;
  /** 0: its own; 1, 2, …: what was compiled for it later (torch: `backward`, `autotune`). */
  episode: number;
  /** Null: nobody's, see `Timeline.unwatched`. */
  function: number | null;
  start: number;
  /** A lower bound: what ran nested in its phases and belongs to others is not in their seconds. */
  end: number;
  /** Position of its process in `RunInfo.processes`; null where there is one process. */
  process: number | null;
  /** Name of the thread that compiled, where it was another than the main one; null: the main one, or not known. */
  thread: string | null;
}

/** Compilations that no watched function owns: eager operations, unwatched functions. */
export interface Unwatched {
  compilation: number;
  /** Position in `report.eager_ops`. */
  op: number;
  site: Site | null;
}

/**
 * Calls between two times. Hits are counted, not timed: it is known how many there were between two compiles, not how
 * they spread in between. Draw their mean density, and say so.
 */
export interface Stretch {
  function: number;
  /** The end of the compile before them, or the start of the process. */
  start: number;
  /** The start of the compile after them, or the end of the process; null: that is not known. */
  end: number | null;
  /** Of these, those that neither hit nor fell back are: `calls - hits - eager_fallbacks`. */
  calls: number;
  hits: number;
  eager_fallbacks: number;
}

export interface Timeline {
  /** The end of the run, or of the last thing known where it has none. */
  end: number;
  extents: Extent[];
  slices: Slice[];
  unwatched: Unwatched[];
  stretches: Stretch[];
}

/** One of networkx' graphs (src/jitscope/analysis/graph.py), each node and edge with its attributes. */
export interface SignatureNode {
  /** `f1/s2`, `f1/none`. */
  id: string;
  function: number;
  signature: number | null;
  name: string;
  text: string;
  calls: number;
  hits: number;
  compilations: number;
  seconds: number;
}

export interface RecompilationEdge {
  source: string;
  target: string;
  /** Kinds, joined by `, `. */
  causes: string;
  paths: string;
  seconds: number;
  compilation: number;
  failed: boolean;
}

export interface FunctionNode {
  /** `f1`. */
  id: string;
  function: number;
  name: string;
  framework: Framework;
  calls: number;
  hits: number;
  compilations: number;
  seconds: number;
  /** Those that another function's compilation made necessary. */
  cascades: number;
  cascade_seconds: number;
}

export interface InsideEdge {
  source: string;
  target: string;
  compilations: number;
  seconds: number;
  cascades: number;
  cascade_seconds: number;
}

export interface Graphs {
  /** Signatures, and what led from one to the next. */
  recompilation: { nodes: SignatureNode[]; edges: RecompilationEdge[] };
  /** Which compiled function runs inside which: from the outer to the inner. */
  calls: { nodes: FunctionNode[]; edges: InsideEdge[] };
}

/** What of a function's signatures differs: a table with one column a path. */
export interface SignatureTable {
  function: number;
  /** Paths that not all signatures have the same at: `batch['x']`, `causal`. */
  paths: string[];
  /** By signature id: the type or value at each of `paths`; null: nothing is there. */
  rows: { signature: number; values: (string | null)[] }[];
  /** What all signatures have in common. */
  same: { path: string; text: string }[];
  /** How many more paths are the same, or differ, than are listed here. */
  more_same: number;
  more_paths: number;
}

/** Lines around a call site, kept only with `--with-source`. */
export interface SourceLines {
  file: string;
  line: number;
  /** Number of the first of `lines`. */
  first: number;
  lines: string[];
}

/** Functions made from one source: the lambda that a loop makes anew each time, one function in several ranks. */
export interface SourceGroup {
  /** Id of the first of them. */
  id: number;
  functions: FunctionReport[];
}

/** The document in the page, decoded, with indexes. */
export interface PageData {
  /** Version of jitscope that wrote the page. */
  jitscope: string;
  report: Report;
  /** Of each function that compiled in a call, the longest first. */
  firstCalls: ShownCall[];
  /** By the function's id. */
  firstCall: Map<number, ShownCall>;
  timeline: Timeline;
  graphs: Graphs;
  signatures: Map<number, SignatureTable>;
  /** Functions defined outside of the user's own files (site-packages, the standard library). */
  library: Set<number>;
  source: SourceLines[];
  functions: Map<number, FunctionReport>;
  /** Those that lost most time recompiling first. */
  groups: SourceGroup[];
  /** By the id of any of its functions. */
  group: Map<number, SourceGroup>;
  compilations: Map<number, CompilationReport>;
  /** By a compilation's id: its number among those of its source, from 1, as `jitscope why NAME#2` counts. */
  number: Map<number, number>;
  /** Function that owns a compilation, by the compilation's id. */
  owner: Map<number, FunctionReport>;
}
