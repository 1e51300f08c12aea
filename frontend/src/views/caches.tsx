/** Caches on disk: what each one did in the whole run, each lookup, and what they did for one compilation. */

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { asked, cacheTitle, outcomeText, RESULTS, savedByOne, savedText, slowTexts } from "../caches";
import type { CompilationReport, PageData } from "../data";
import type { CacheOutcome, CacheReport } from "../data-caches";
import { matchesCompilation } from "../filter";
import { filter, select, selection } from "../state";
import { count, functionName, ratio, seconds, short } from "../text";
import { Copy, Section } from "./common";
import { type Column, Table } from "./table";

const WHY = "jitscope cache why";
/** Reasons of one cache that are listed. */
const REASONS = 12;

export function Caches({ data }: { data: PageData }): JSX.Element {
  const { caches } = data.report;
  return (
    <Section
      id="caches"
      title="Caches on disk"
      about="What each of them did in the whole run; the filter applies to the lookups below."
    >
      {caches.map((one) => (
        <CacheSums key={one.name} of={one} />
      ))}
      {caches.some((one) => one.misses > 0) && (
        <p class="next">
          Which part of a key changed since another run: <code>{WHY}</code> <Copy text={WHY} what="the command" />
        </p>
      )}
      <Lookups data={data} />
    </Section>
  );
}

function CacheSums({ of: one }: { of: CacheReport }): JSX.Element {
  const times = asked(one);
  const saved = savedText(one);
  const facts: [string, string][] = [];
  if (times > 0) {
    facts.push(["found", ratio(one.hits, times)]);
    if (one.seconds > 0) facts.push(["looking and reading", seconds(one.seconds)]);
    if (one.written > 0 || one.write_seconds > 0) {
      facts.push(["written", `${count(one.written)} in ${seconds(one.write_seconds)}`]);
    }
    if (saved !== null) facts.push(["saved", saved.replace(/^saved /, "")]);
  } else facts.push(["found", "not asked"]);
  if (one.bypassed > 0) facts.push(["not cached", count(one.bypassed)]);
  if (one.off > 0) facts.push(["off", count(one.off)]);
  if (one.unknown > 0) facts.push(["not known", count(one.unknown)]);
  return (
    <article class="cache" data-cache={short(one.name, 40)} aria-label={short(cacheTitle(one.name), 60)}>
      <h3>{short(cacheTitle(one.name), 60)}</h3>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      {slowTexts(one).map((text) => (
        <p key={text} class="slow">
          {short(text, 400)}
        </p>
      ))}
      <Reasons of={one.reasons} />
      <Reasons of={one.unwritten} before="not written: " />
    </article>
  );
}

function Reasons({ of, before = "" }: { of: Record<string, number>; before?: string }): JSX.Element | null {
  const all = Object.entries(of);
  if (all.length === 0) return null;
  return (
    <ul class="plain reasons">
      {all.slice(0, REASONS).map(([text, times]) => (
        <li key={text}>
          <span class="number">{count(times)}×</span> {before}
          {short(text, 600)}
        </li>
      ))}
      {all.length > REASONS && <li class="soft">… {count(all.length - REASONS)} more reasons</li>}
    </ul>
  );
}

interface Lookup {
  compilation: CompilationReport;
  outcome: CacheOutcome;
  key: number;
}

function Lookups({ data }: { data: PageData }): JSX.Element | null {
  const all = useMemo(() => {
    const found: Lookup[] = [];
    for (const compilation of data.compilations.values())
      for (const outcome of compilation.caches) found.push({ compilation, outcome, key: found.length });
    return found.sort((a, b) => a.compilation.start - b.compilation.start || a.key - b.key);
  }, [data]);
  const rows = useComputed(() => all.filter((one) => matchesCompilation(data, filter.value, one.compilation))).value;
  if (all.length === 0) return null;
  const name = ({ compilation }: Lookup): string => functionName(data.owner.get(compilation.id)?.name ?? "");
  const columns: Column<Lookup>[] = [
    {
      name: "compilation",
      width: "minmax(7rem, 2fr)",
      by: (row) => `${name(row)} ${String(data.number.get(row.compilation.id)).padStart(7, "0")}`,
      show: (row) => (
        <>
          <b>{name(row)}</b> #{data.number.get(row.compilation.id)}
        </>
      ),
    },
    {
      name: "cache",
      width: "minmax(7rem, 2fr)",
      by: ({ outcome }) => outcome.cache,
      show: ({ outcome }) => short(cacheTitle(outcome.cache), 40) + (outcome.backward ? " (backward)" : ""),
    },
    {
      name: "result",
      width: "5.5rem",
      by: ({ outcome }) => outcome.result,
      show: ({ outcome }) => RESULTS[outcome.result] ?? short(outcome.result, 20),
    },
    {
      name: "reading",
      width: "5.5rem",
      wide: true,
      number: true,
      by: ({ outcome }) => outcome.read_seconds ?? -1,
      show: ({ outcome }) => (outcome.read_seconds === null ? "–" : seconds(outcome.read_seconds)),
    },
    {
      name: "why, or what it saved",
      width: "minmax(8rem, 5fr)",
      wide: true,
      show: ({ outcome }) => {
        const text = outcome.why ?? (outcome.result === "hit" ? savedByOne(outcome) : "");
        return <span title={short(text, 600)}>{short(text, 200)}</span>;
      },
    },
  ];
  const chosen = selection.value;
  return (
    <>
      <h3>Each lookup</h3>
      <Table
        label="Lookups in caches"
        noun="lookup"
        rows={rows}
        columns={columns}
        rowKey={(row) => row.key}
        open={(row) => select({ kind: "compilation", id: row.compilation.id })}
        chosen={
          chosen?.kind === "compilation" ? (rows.find((row) => row.compilation.id === chosen.id)?.key ?? null) : null
        }
      />
    </>
  );
}

/** What caches on disk did for a compilation, a line each. */
export function CachesOf({ one }: { one: CompilationReport }): JSX.Element | null {
  if (one.caches.length === 0) return null;
  return (
    <>
      <h3>Caches on disk</h3>
      <ul class="plain caches">
        {one.caches.slice(0, 40).map((each, n) => (
          <li key={n}>
            <b>
              {short(cacheTitle(each.cache), 40)}
              {each.backward && " (backward)"}
            </b>
            : {short(outcomeText(each), 900)}
            {each.key !== null && (
              <div class="soft">
                key <code>{short(each.key, 90)}</code>
              </div>
            )}
          </li>
        ))}
      </ul>
      {one.caches.length > 40 && <p class="soft">… {count(one.caches.length - 40)} more</p>}
    </>
  );
}
