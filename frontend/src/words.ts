/** What the words of a report mean, in few others. */

import type { State } from "./data";

export const STATES: Record<State, string> = {
  idle: "never compiled",
  monomorphic: "compiled for one signature",
  polymorphic: "compiled for 2 to 4 signatures",
  megamorphic: "compiled for 5 signatures or more",
  thrashing: "compiled again for a signature that it had been compiled for before",
};

export const OUTCOME_MEANS: Record<string, string> = {
  hit: "ran code that was there",
  compile: "compiled",
  eager_fallback: "ran without compiled code",
  dispatch_miss: "not in the fast cache; nothing was compiled",
  python_path: "always goes through Python (effects, callbacks)",
  waited: "waited for another thread that was compiling it",
  nested: "inside another trace: not a call of compiled code",
  error: "raised before anything was compiled",
};

export const AVOIDABLE: Record<string, string> = {
  yes: "avoidable",
  no: "not avoidable",
  unknown: "",
};
