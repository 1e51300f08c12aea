/** The part of the run that a timeline shows: from `start` to `end`, in seconds; pure arithmetic. */

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Shortest time that can be filled with the plot, in seconds. */
export const SHORTEST = 1e-6;

export function length(span: Span): number {
  return span.end - span.start;
}

/** Move and shorten `span` until it lies in `whole`. */
export function inside(span: Span, whole: Span): Span {
  const wanted = Math.min(Math.max(length(span), SHORTEST), length(whole));
  const start = Math.min(Math.max(span.start, whole.start), whole.end - wanted);
  return { start, end: start + wanted };
}

/** Zoom by `factor` (above 1: closer) so that the time `at` stays where it is. */
export function zoomed(span: Span, factor: number, at: number, whole: Span): Span {
  const wanted = Math.min(Math.max(length(span) / factor, SHORTEST), length(whole));
  const share = length(span) > 0 ? (at - span.start) / length(span) : 0.5;
  const start = at - share * wanted;
  return inside({ start, end: start + wanted }, whole);
}

/** Move by `seconds`; stops at the ends of `whole`. */
export function panned(span: Span, seconds: number, whole: Span): Span {
  return inside({ start: span.start + seconds, end: span.end + seconds }, whole);
}

/** Move just so far that the whole of `target` is in view, with a margin; zooms out where it is longer. */
export function revealing(span: Span, target: Span, whole: Span): Span {
  const margin = length(span) * 0.08;
  if (length(target) > length(span) - 2 * margin) {
    const extra = Math.max(length(target) * 0.15, margin);
    return inside({ start: target.start - extra, end: target.end + extra }, whole);
  }
  if (target.start < span.start + margin) return panned(span, target.start - margin - span.start, whole);
  if (target.end > span.end - margin) return panned(span, target.end + margin - span.end, whole);
  return span;
}

/** A span around `target` that leaves room on both sides. */
export function around(target: Span, whole: Span): Span {
  const extra = Math.max(length(target) * 0.5, SHORTEST * 10);
  return inside({ start: target.start - extra, end: target.end + extra }, whole);
}

export function same(one: Span, other: Span): boolean {
  return one.start === other.start && one.end === other.end;
}
