/** All functions, and all compilations: one table each. */

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { CompilationReport, FunctionReport, PageData, SourceGroup } from "../data";
import { matchesCompilation, matchesFunction } from "../filter";
import { filter, select, selection } from "../state";
import { count, functionName, percent, place, seconds, short } from "../text";
import { phaseProperty } from "../theme";
import { STATES } from "../words";
import { Bar, Change, Explained, Section, Text } from "./common";
import { type Column, Table } from "./table";

interface GroupRow {
  group: SourceGroup;
  first: FunctionReport;
  calls: number;
  hits: number;
  compilations: number;
  recompilations: number;
  seconds: number;
  phases: Record<string, number>;
}

function groupRow(group: SourceGroup, of: readonly FunctionReport[]): GroupRow {
  const add = (field: "calls" | "hits" | "compilations" | "recompilations" | "compile_seconds"): number =>
    of.reduce((sum, one) => sum + one[field], 0);
  const phases: Record<string, number> = {};
  for (const one of of) {
    for (const [name, value] of Object.entries(one.phases)) phases[name] = (phases[name] ?? 0) + value;
  }
  return {
    group,
    first: of[0] as FunctionReport,
    calls: add("calls"),
    hits: add("hits"),
    compilations: add("compilations"),
    recompilations: add("recompilations"),
    seconds: add("compile_seconds"),
    phases,
  };
}

export function Functions({ data }: { data: PageData }): JSX.Element | null {
  const rows = useComputed(() =>
    data.groups.flatMap((group) => {
      const shown = group.functions.filter((one) => matchesFunction(data, filter.value, one));
      return shown.length ? [groupRow(group, shown)] : [];
    }),
  ).value;
  const most = useMemo(() => Math.max(...data.groups.map((each) => groupRow(each, each.functions).seconds), 0), [data]);
  const columns: Column<GroupRow>[] = [
    {
      name: "function",
      width: "minmax(9rem, 3fr)",
      by: (row) => functionName(row.first.name).toLowerCase(),
      show: (row) => (
        <>
          <b>{functionName(row.first.name)}</b>
          {row.group.functions.length > 1 && (
            <span class="soft" title="function objects made from this source">
              {" "}
              ×{row.group.functions.length}
            </span>
          )}{" "}
          <span class="soft">{place(row.first.file, row.first.line)}</span>
        </>
      ),
    },
    {
      name: "compiling",
      width: "8.5rem",
      number: true,
      by: (row) => row.seconds,
      show: (row) => (
        <>
          <Bar share={most ? row.seconds / most : 0} />
          {seconds(row.seconds)}
        </>
      ),
    },
    {
      name: "compiles",
      width: "5.5rem",
      number: true,
      by: (row) => row.compilations,
      show: (row) => count(row.compilations),
    },
    {
      name: "again",
      width: "4.5rem",
      wide: true,
      number: true,
      by: (row) => row.recompilations,
      show: (row) => count(row.recompilations),
    },
    { name: "calls", width: "6rem", wide: true, number: true, by: (row) => row.calls, show: (row) => count(row.calls) },
    {
      name: "hits",
      width: "4.5rem",
      wide: true,
      number: true,
      by: (row) => (row.calls ? row.hits / row.calls : -1),
      show: (row) => (row.calls ? percent(row.hits / row.calls) : "–"),
    },
    {
      name: "state",
      width: "8rem",
      wide: true,
      by: (row) => row.first.state,
      show: (row) => {
        const worst = worstState(row.group.functions);
        return <Explained word={worst} means={STATES[worst]} />;
      },
    },
    {
      name: "phases",
      width: "minmax(4rem, 1fr)",
      wide: true,
      show: (row) => <MiniPhases of={row.phases} />,
    },
    {
      name: "framework",
      width: "5.5rem",
      wide: true,
      by: (row) => row.first.framework,
      show: (row) => row.first.framework,
    },
  ];
  const chosen = selection.value;
  return (
    <Section id="functions" title="Functions">
      <Table
        label="Functions"
        noun="function"
        rows={rows}
        columns={columns}
        rowKey={(row) => row.group.id}
        open={(row) => select({ kind: "function", id: row.first.id })}
        chosen={chosen?.kind === "function" ? (data.group.get(chosen.id)?.id ?? null) : null}
      />
    </Section>
  );
}

const ORDER = ["idle", "monomorphic", "polymorphic", "megamorphic", "thrashing"] as const;

function worstState(of: readonly FunctionReport[]): (typeof ORDER)[number] {
  return ORDER[Math.max(...of.map((one) => ORDER.indexOf(one.state)))] ?? "idle";
}

function MiniPhases({ of }: { of: Record<string, number> }): JSX.Element | null {
  const all = Object.entries(of).filter(([, value]) => value > 0);
  const sum = all.reduce((total, [, value]) => total + value, 0);
  if (sum === 0) return null;
  const words = all.map(([name, value]) => `${short(name, 30)} ${percent(value / sum)}`).join(", ");
  return (
    <span class="stack" role="img" aria-label={words} title={words}>
      {all.map(([name, value]) => (
        <span key={name} style={{ width: `${(value / sum) * 100}%`, background: `var(${phaseProperty(name)})` }} />
      ))}
    </span>
  );
}

export function Compilations({ data }: { data: PageData }): JSX.Element {
  const all = useMemo(
    () =>
      data.report.functions.flatMap((one) => one.compilations_detail).sort((a, b) => a.start - b.start || a.id - b.id),
    [data],
  );
  const rows = useComputed(() => all.filter((one) => matchesCompilation(data, filter.value, one))).value;
  const most = useMemo(() => all.reduce((max, one) => Math.max(max, one.seconds), 0), [all]);
  const columns: Column<CompilationReport>[] = [
    {
      name: "compilation",
      width: "minmax(8rem, 2fr)",
      by: (one) =>
        `${functionName(data.owner.get(one.id)?.name ?? "")} ${String(data.number.get(one.id)).padStart(7, "0")}`,
      show: (one) => (
        <>
          <b>{functionName(data.owner.get(one.id)?.name ?? "")}</b> #{data.number.get(one.id)}
        </>
      ),
    },
    {
      name: "at",
      width: "5.5rem",
      wide: true,
      number: true,
      by: (one) => one.start,
      show: (one) => seconds(one.start),
    },
    {
      name: "took",
      width: "8rem",
      number: true,
      by: (one) => one.seconds,
      show: (one) => (
        <>
          <Bar share={most ? one.seconds / most : 0} />
          {seconds(one.seconds)}
        </>
      ),
    },
    {
      name: "call",
      width: "4.5rem",
      wide: true,
      number: true,
      by: (one) => one.call ?? -1,
      show: (one) => (one.call === null ? "–" : count(one.call)),
    },
    {
      name: "cause",
      width: "minmax(7rem, 1.2fr)",
      by: (one) => one.causes[0]?.kind ?? "",
      show: (one) => (
        <>
          {one.failed !== null && <span class="bad">failed: </span>}
          {short(one.causes[0]?.kind ?? "not known", 40)}
          {one.causes.length > 1 && <span class="soft"> +{one.causes.length - 1}</span>}
        </>
      ),
    },
    {
      name: "what changed",
      width: "minmax(10rem, 3fr)",
      wide: true,
      show: (one) => {
        const cause = one.causes[0];
        if (cause === undefined || cause.kind === "first_compile") return null;
        return (
          <>
            {cause.path !== null && <Text of={cause.path} limit={40} class="code" />}{" "}
            <Change
              old={cause.old === null ? null : short(cause.old, 60)}
              now={cause.new === null ? null : short(cause.new, 60)}
            />
          </>
        );
      },
    },
    {
      name: "called at",
      width: "minmax(6rem, 1fr)",
      wide: true,
      by: (one) => (one.site === null ? "" : place(one.site.file, one.site.line)),
      show: (one) => (one.site === null ? "–" : place(one.site.file, one.site.line, 30)),
    },
  ];
  const chosen = selection.value;
  return (
    <Section id="compilations" title="Compilations" about="In the order in which they began.">
      <Table
        label="Compilations"
        noun="compilation"
        rows={rows}
        columns={columns}
        rowKey={(one) => one.id}
        open={(one) => select({ kind: "compilation", id: one.id })}
        chosen={chosen?.kind === "compilation" ? chosen.id : null}
      />
    </Section>
  );
}
