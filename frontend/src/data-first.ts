/** First calls, as the report has them (src/jitscope/model/first_call.py). All times are in seconds. */

import type { Framework, Note, Site } from "./data";

/** A part of a call: one stretch of time, or several of one kind inside the same part. */
export interface Part {
  name: string;
  /** For people. */
  label: string;
  /** Of the first of them, from the start of the whole; null: only its duration is known. */
  start: number | null;
  seconds: number;
  /** Of that, what is in none of its parts. */
  own: number;
  count: number;
  program: string | null;
  parts: Part[];
}

/** Programs compiled by themselves. */
export interface EagerPrograms {
  name: string;
  count: number;
  seconds: number;
  /** False: a function that nobody watched. */
  library: boolean;
  sites: Site[];
}

export interface Measured {
  first: number;
  second: number;
  steady: number | null;
  steady_calls: number;
  eager_first: number | null;
  eager_steady: number | null;
  eager_calls: number;
  eager_is: string;
  pays_after: number | null;
}

export interface FirstCall {
  function: number;
  framework: Framework;
  name: string;
  kind: string;
  file: string;
  line: number;
  process: number | null;
  call: number | null;
  site: Site | null;
  started: number;
  /** Until it returned. */
  seconds: number;
  parts: Part[];
  not_attributed: number;
  /** Share of `seconds` that is in the parts. */
  attributed: number;
  /** Its spans were recorded; else only the phases are known. */
  complete: boolean;
  /** Ids of the compilations in it, of this function. */
  compilations: number[];
  cache_hits: number;
  caches_off: number;
  first: boolean;
  /** What was compiled for it after it had returned: a backward graph. */
  later: Part[];
  eager_ops: EagerPrograms[];
  eager_before: EagerPrograms[];
  measured: Measured | null;
  advice: string[];
  notes: Note[];
}

/** What came before the first call of a process that compiled. */
export interface StartUp {
  process: number | null;
  /** What `seconds` are counted from: `process` (its start), or `recording`. */
  since: string;
  seconds: number;
  parts: Part[];
  not_attributed: number;
  eager_ops: EagerPrograms[];
}

/** A first call as the page shows it. */
export interface ShownCall {
  call: FirstCall;
  /** Labels with own seconds, the costliest first (src/jitscope/analysis/costliest.py). */
  costliest: [string, number][];
}
