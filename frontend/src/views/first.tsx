/** Slow first calls: the longest one taken apart, what came before, and all of them in a table. */

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import type { PageData } from "../data";
import type { FirstCall, ShownCall } from "../data-first";
import { matchesFunction } from "../filter";
import { filter, printing, select, selection } from "../state";
import { functionName, percent, place, seconds, short } from "../text";
import { partProperty } from "../theme";
import { Bar, Choose, FunctionLink, Section } from "./common";
import { CallBody, StartUpBody, StartUpPart, startUpTitle } from "./first-call";
import { type Column, Table, useNarrow } from "./table";
import { processName } from "./toolbar";

/** Calls that are taken apart on paper. */
const PRINTED = 5;

export function FirstCalls({ data }: { data: PageData }): JSX.Element {
  const rows = useComputed(() =>
    data.firstCalls.filter(({ call }) => {
      const owner = data.functions.get(call.function);
      return owner !== undefined && matchesFunction(data, filter.value, owner);
    }),
  ).value;
  return (
    <Section
      id="first"
      title="First calls"
      about="Until a function's first compiling call returned: where that time went. A bar stands where its part began; its full colour is as long as the part's own time, without the parts below it."
    >
      {rows.slice(0, printing.value ? PRINTED : 1).map(({ call }) => (
        <div key={call.function} class="longest">
          <h3>
            <FunctionLink data={data} id={call.function} />{" "}
            <span class="soft" title={short(call.file, 600)}>
              {place(call.file, call.line)}
            </span>
          </h3>
          <CallBody data={data} call={call} />
        </div>
      ))}
      <StartUps data={data} />
      {(data.firstCalls.length > 1 || rows.length === 0) && <AllCalls data={data} rows={rows} />}
    </Section>
  );
}

/** One a process: of several, each can be unfolded. */
function StartUps({ data }: { data: PageData }): JSX.Element | null {
  const wanted = filter.value.processes;
  const shown = data.report.start_up.filter((one) => !wanted.size || (one.process !== null && wanted.has(one.process)));
  const only = shown[0];
  if (only === undefined) return null;
  if (shown.length === 1) return <StartUpPart data={data} of={only} />;
  return (
    <div class="start-up">
      <h3>Before the first compiling call</h3>
      {shown.map((one, n) => {
        const process = one.process === null ? undefined : data.report.run.processes[one.process];
        return (
          <details key={one.process ?? -1} open={n === 0}>
            <summary>
              {process === undefined ? "" : `${short(processName(process), 40)}: `}
              {startUpTitle(one)}
            </summary>
            <StartUpBody of={one} />
          </details>
        );
      })}
    </div>
  );
}

function AllCalls({ data, rows }: { data: PageData; rows: readonly ShownCall[] }): JSX.Element {
  const most = data.firstCalls[0]?.call.seconds ?? 0;
  const narrow = useNarrow();
  /** Tells the objects of one source apart. */
  const number = (call: FirstCall): string => {
    const found = data.number.get(call.compilations[0] ?? -1);
    return (data.group.get(call.function)?.functions.length ?? 1) > 1 && found !== undefined ? ` #${found}` : "";
  };
  const columns: Column<ShownCall>[] = [
    {
      name: "function",
      width: narrow ? "minmax(7rem, 4fr)" : "minmax(8rem, 2fr)",
      by: ({ call }) => functionName(call.name).toLowerCase(),
      show: ({ call }) => (
        <>
          <b>{functionName(call.name)}</b>
          {number(call)} <span class="soft">{place(call.file, call.line)}</span>
        </>
      ),
    },
    {
      name: "first call",
      width: narrow ? "5.5rem" : "7rem",
      number: true,
      by: ({ call }) => call.seconds,
      show: ({ call }) => (
        <>
          <Bar share={most ? call.seconds / most : 0} />
          {seconds(call.seconds)}
        </>
      ),
    },
    {
      name: "parts",
      width: "minmax(4rem, 1fr)",
      wide: true,
      show: (row) => <MiniParts of={row} />,
    },
    {
      name: "what took most",
      width: narrow ? "minmax(6rem, 3fr)" : "minmax(8rem, 3fr)",
      show: (row) => costliestText(row, narrow ? 1 : undefined),
    },
    {
      name: "began at",
      width: "5.5rem",
      wide: true,
      number: true,
      by: ({ call }) => call.started,
      show: ({ call }) => seconds(call.started),
    },
  ];
  if (data.report.run.processes.length > 1) {
    columns.push({
      name: "process",
      width: "5.5rem",
      wide: true,
      by: ({ call }) => call.process ?? -1,
      show: ({ call }) => {
        const process = call.process === null ? undefined : data.report.run.processes[call.process];
        return process === undefined ? "–" : short(processName(process), 30);
      },
    });
  }
  const chosen = selection.value;
  return (
    <>
      <h3>All first calls</h3>
      <Table
        label="First calls"
        noun="first call"
        rows={rows}
        columns={columns}
        rowKey={({ call }) => call.function}
        open={({ call }) => select({ kind: "first", id: call.function })}
        chosen={chosen?.kind === "first" ? chosen.id : null}
      />
    </>
  );
}

/** `C++ compile 75%, wait for kernels 9%`; `most`: so many of them. */
export function costliestText({ call, costliest }: ShownCall, most?: number): string {
  const shown = costliest.slice(0, most);
  return shown.map(([label, own]) => `${short(label, 40)} ${percent(own / call.seconds)}`).join(", ");
}

function MiniParts({ of: { call } }: { of: ShownCall }): JSX.Element {
  const share = (value: number): string => `${call.seconds > 0 ? (value / call.seconds) * 100 : 0}%`;
  return (
    <span class="stack" aria-hidden="true">
      {call.parts.map((part, n) => (
        <span key={n} style={{ width: share(part.seconds), background: `var(${partProperty(part.name)})` }} />
      ))}
    </span>
  );
}

/** In other places: how long a function's first call took, and the way to its waterfall. */
export function FirstCallLine({ data, id }: { data: PageData; id: number }): JSX.Element | null {
  const found = data.firstCall.get(id);
  if (found === undefined) return null;
  const text = costliestText(found);
  return (
    <p class="first-line">
      First compiling call: <b>{seconds(found.call.seconds)}</b>
      {text !== "" && <span class="soft"> ({text})</span>} <Choose what={{ kind: "first", id }}>where it went</Choose>
    </p>
  );
}
