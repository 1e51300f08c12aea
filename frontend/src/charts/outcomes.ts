/** Outcomes of calls in charts: each has, besides its colour, a height and a texture. */

import type { Outcome } from "../data";
import { count as number } from "../text";

export type Texture = "solid" | "hatched" | "dotted" | "hollow";

export interface OutcomeWords {
  readonly one: string;
  readonly many: string;
  /** Share of a strip's height. */
  readonly height: number;
  readonly texture: Texture;
}

export const OUTCOME_WORDS: Readonly<Record<Outcome, OutcomeWords>> = {
  hit: { one: "hit", many: "hits", height: 0.55, texture: "solid" },
  compile: { one: "call that compiled", many: "calls that compiled", height: 1, texture: "solid" },
  eager_fallback: { one: "eager fallback", many: "eager fallbacks", height: 0.8, texture: "hatched" },
  dispatch_miss: { one: "dispatch miss", many: "dispatch misses", height: 0.7, texture: "dotted" },
  python_path: { one: "call through Python", many: "calls through Python", height: 0.7, texture: "hatched" },
  waited: { one: "call that waited", many: "calls that waited", height: 0.7, texture: "hollow" },
  error: { one: "failed call", many: "failed calls", height: 1, texture: "hollow" },
  nested: { one: "nested call", many: "nested calls", height: 0.3, texture: "solid" },
};

const OTHER: OutcomeWords = { one: "other call", many: "other calls", height: 0.7, texture: "hollow" };

/** The words for an outcome; of one that this page does not know, only that it is another one. */
export function outcomeWords(outcome: string): OutcomeWords {
  return Object.hasOwn(OUTCOME_WORDS, outcome) ? OUTCOME_WORDS[outcome as Outcome] : OTHER;
}

/** `1 hit`, `1,204 hits`. */
export function callsText(outcome: string, calls: number): string {
  const words = outcomeWords(outcome);
  return `${number(calls)} ${calls === 1 ? words.one : words.many}`;
}
