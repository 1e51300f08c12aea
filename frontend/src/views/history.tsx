/** What became of a function's calls, in order. */

import type { JSX } from "preact";
import type { FunctionReport, PageData } from "../data";
import { ChartPlace } from "./chart";

export function HistoryStrip({ data, one }: { data: PageData; one: FunctionReport }): JSX.Element | null {
  if (one.history.length === 0) return null;
  return (
    <>
      <h3>Its calls, in order</h3>
      <ChartPlace data={data} name="history" subject={one.id} />
    </>
  );
}
