/** What became of a function's calls, in order; and the same in numbers. */

import type { JSX } from "preact";
import type { FunctionReport, PageData } from "../data";
import { count } from "../text";
import { outcomeProperty } from "../theme";
import { OUTCOME_MEANS } from "../words";

export function HistoryStrip({ one }: { data: PageData; one: FunctionReport }): JSX.Element | null {
  if (one.history.length === 0) return null;
  const counts = new Map<string, number>();
  for (const run of one.history) counts.set(run.outcome, (counts.get(run.outcome) ?? 0) + run.count);
  return (
    <>
      <h3>Its calls, in order</h3>
      <ul class="keys">
        {[...counts].map(([outcome, n]) => (
          <li key={outcome} title={OUTCOME_MEANS[outcome]}>
            <span class="key" style={{ background: `var(${outcomeProperty(outcome)})` }} aria-hidden="true" />
            {outcome} <b>{count(n)}</b>
          </li>
        ))}
      </ul>
    </>
  );
}
