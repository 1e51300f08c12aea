/** Caches on disk, as the report has them (src/jitscope/model/report.py). All times are in seconds. */

/** What all lookups in one cache came to. */
export interface CacheReport {
  name: string;
  hits: number;
  misses: number;
  /** Looking and reading. */
  seconds: number;
  /** Programs that the framework does not cache. */
  bypassed: number;
  /** Compilations for which it was not asked. */
  off: number;
  unknown: number;
  written: number;
  write_seconds: number;
  /** Why it did not have it: words, and how often. */
  reasons: Record<string, number>;
  /** Why no entry was written, likewise. */
  unwritten: Record<string, number>;
  saved_seconds: number;
  /** Hits of which it is not known exactly what they saved. */
  saved_unknown: number;
  saved_at_least: number;
  /** Of its hits: what was done all the same, by phase. */
  rest_seconds: Record<string, number>;
}

/** What one cache did for one compilation. */
export interface CacheOutcome {
  cache: string;
  result: "hit" | "miss" | "bypass" | "off" | "unknown";
  /** In words; null for a plain hit. */
  why: string | null;
  reason: string | null;
  key: string | null;
  backward: boolean;
  remote: boolean;
  read_seconds: number | null;
  write_seconds: number | null;
  written: boolean | null;
  unwritten: string | null;
  compile_seconds: number | null;
  saved_seconds: number | null;
  saved_at_least: number | null;
  saved_at_most: number | null;
  saved_from: "entry" | "recording" | "bounds" | null;
}
