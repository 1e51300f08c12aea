/** The sections that are drawn: when, where, what led to what. */

import type { JSX } from "preact";
import type { PageData } from "../data";
import { ChartPlace } from "./chart";
import { Section } from "./common";

export function Timeline({ data }: { data: PageData }): JSX.Element {
  return (
    <Section id="timeline" title="Timeline">
      <ChartPlace data={data} name="timeline" />
    </Section>
  );
}

export function Where({ data }: { data: PageData }): JSX.Element {
  return (
    <Section id="where" title="Where compile time goes">
      <h3>By phase</h3>
      <ChartPlace data={data} name="phases" />
      <h3>By function and cause</h3>
      <ChartPlace data={data} name="heat" />
    </Section>
  );
}

export function Graphs({ data }: { data: PageData }): JSX.Element {
  return (
    <Section id="graph" title="What led to what">
      <h3>From signature to signature</h3>
      <ChartPlace data={data} name="recompilations" />
      {data.graphs.calls.edges.length > 0 && (
        <>
          <h3>Which function compiles inside which</h3>
          <ChartPlace data={data} name="calls" />
        </>
      )}
    </Section>
  );
}
