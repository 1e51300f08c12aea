/** What nobody watched, labels, what could not be seen, and what this file is. */

import type { JSX } from "preact";
import type { EagerOp, PageData } from "../data";
import { select } from "../state";
import { count, counted, place, seconds, short } from "../text";
import { Bar, Section, Text } from "./common";
import { type Column, Table } from "./table";

export function Unwatched({ data }: { data: PageData }): JSX.Element | null {
  const ops = data.report.eager_ops;
  if (ops.length === 0) return null;
  const most = Math.max(...ops.map((one) => one.compile_seconds));
  const keys = new Map(ops.map((one, n) => [one, n]));
  const columns: Column<EagerOp>[] = [
    {
      name: "program",
      width: "minmax(9rem, 3fr)",
      by: (one) => one.name,
      show: (one) => <Text of={one.name} limit={80} class="code" />,
    },
    {
      name: "what",
      width: "9rem",
      wide: true,
      by: (one) => String(one.library),
      show: (one) => (one.library ? "eager operation" : "unwatched function"),
    },
    {
      name: "compiles",
      width: "5.5rem",
      number: true,
      by: (one) => one.compilations,
      show: (one) => count(one.compilations),
    },
    {
      name: "compiling",
      width: "8rem",
      number: true,
      by: (one) => one.compile_seconds,
      show: (one) => (
        <>
          <Bar share={most ? one.compile_seconds / most : 0} />
          {seconds(one.compile_seconds)}
        </>
      ),
    },
    {
      name: "called at",
      width: "minmax(6rem, 2fr)",
      wide: true,
      show: (one) =>
        `${one.sites
          .slice(0, 2)
          .map((site) => place(site.file, site.line, 30))
          .join(", ")}${one.sites.length > 2 ? ` +${one.sites.length - 2}` : ""}`,
    },
    { name: "framework", width: "5.5rem", wide: true, by: (one) => one.framework, show: (one) => one.framework },
  ];
  return (
    <Section
      id="unwatched"
      title="Compiled, and not watched"
      about="Programs that no watched function owns: operations outside of compiled code, and functions that were not watched. The filter does not apply to them."
    >
      <Table
        label="Compiled, and not watched"
        noun="program"
        rows={ops}
        columns={columns}
        rowKey={(one) => keys.get(one) ?? -1}
        open={() => select(null)}
      />
    </Section>
  );
}

export function Labels({ data }: { data: PageData }): JSX.Element | null {
  const labels = data.report.labels;
  if (labels.length === 0) return null;
  const keys = new Map(labels.map((one, n) => [one, n]));
  return (
    <Section id="labels" title="By label" about="What happened under a name: in a test, in a cell of a notebook.">
      <Table
        label="By label"
        noun="label"
        rows={labels}
        columns={[
          {
            name: "label",
            width: "minmax(9rem, 3fr)",
            by: (one) => one.text ?? "",
            show: (one) =>
              one.text === null ? <span class="soft">under none</span> : <Text of={one.text} limit={120} />,
          },
          {
            name: "compiling",
            width: "7rem",
            number: true,
            by: (one) => one.compile_seconds,
            show: (one) => seconds(one.compile_seconds),
          },
          {
            name: "compiles",
            width: "5.5rem",
            number: true,
            by: (one) => one.compilations,
            show: (one) => count(one.compilations),
          },
          {
            name: "again",
            width: "4.5rem",
            wide: true,
            number: true,
            by: (one) => one.recompilations,
            show: (one) => count(one.recompilations),
          },
          {
            name: "calls",
            width: "6rem",
            wide: true,
            number: true,
            by: (one) => one.calls,
            show: (one) => count(one.calls),
          },
        ]}
        rowKey={(one) => keys.get(one) ?? -1}
        open={() => select(null)}
      />
    </Section>
  );
}

export function Notes({ data }: { data: PageData }): JSX.Element {
  const { run, notes } = data.report;
  const facts: [string, string][] = [
    ["run", run.id],
    ["program", run.argv.join(" ")],
    ["started", run.started],
    ["took", run.wall_seconds === null ? "not known" : seconds(run.wall_seconds)],
    [
      "versions",
      Object.entries(run.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
    ["devices", run.devices.join(", ")],
    [
      "processes",
      run.processes.length ? counted(run.processes.length, "process").replace("processs", "processes") : "",
    ],
  ];
  return (
    <Section id="notes" title="About this run">
      {notes.length > 0 && (
        <ul class="notes">
          {notes.map((note) => (
            <li key={`${note.slug} ${note.text}`}>
              {short(note.text, 600)} <span class="soft">({short(note.slug, 60)})</span>
            </li>
          ))}
        </ul>
      )}
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === "" ? null : (
            <>
              <dt>{name}</dt>
              <dd>
                <Text of={value} limit={300} />
              </dd>
            </>
          ),
        )}
      </dl>
      <p class="soft">
        Written by jitscope {short(data.jitscope, 40)}. This file loads nothing and sends nothing. It holds what the
        recording holds: names of files and functions, shapes, static values, the command line
        {data.source.length > 0 ? ", and lines of source around the calls" : "; no source code"}. The contents of arrays
        are never read.
      </p>
    </Section>
  );
}
