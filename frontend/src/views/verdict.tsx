/** The answer in ten seconds: how long compiling took, which function, why, what to do. */

import type { JSX } from "preact";
import type { PageData, Totals } from "../data";
import { count, counted, functionName, percent, place, ratio, seconds, short } from "../text";
import { CauseChip, Choose, Copy, FunctionLink, Text } from "./common";
import { costliestText } from "./first";
import { goTo } from "./toolbar";

interface Sums {
  compiling: number;
  /** Of the time of all processes together; null: not known. */
  share: number | null;
  compilations: number;
  hits: number;
  calls: number;
}

/** As src/jitscope/analysis/verdict.py adds them up. */
export function sums(data: PageData): Sums {
  const { run, totals, functions } = data.report;
  const walls = run.processes.map((one) => one.wall_seconds).filter((one): one is number => one !== null);
  const spent = walls.length ? walls.reduce((sum, one) => sum + one, 0) : run.wall_seconds;
  const compiled = functions.filter((one) => one.framework !== "python");
  const of = compiled.length ? compiled : functions;
  const compiling = totals.compile_seconds + totals.eager_op_compile_seconds;
  return {
    compiling,
    share: spent ? compiling / spent : null,
    compilations: totals.compilations + totals.eager_op_compilations,
    hits: of.reduce((sum, one) => sum + one.hits, 0),
    calls: of.reduce((sum, one) => sum + one.calls, 0),
  };
}

export function Verdict({ data }: { data: PageData }): JSX.Element {
  const { run, totals, findings, notes } = data.report;
  const all = sums(data);
  const unended = notes.some((note) => note.slug === "no-end");
  const first = findings[0];
  const gaveUp = findings.find((one) => one.kind === "recompile_limit");
  const wall = run.wall_seconds === null ? null : `${unended ? "at least " : ""}${seconds(run.wall_seconds)}`;
  return (
    <section id="verdict" aria-labelledby="verdict-title" tabIndex={-1}>
      <h2 id="verdict-title" class="hidden">
        Verdict
      </h2>
      <p class="verdict">
        {all.compilations === 0 ? (
          <>Nothing was compiled{wall === null ? "" : ` in ${wall}`}.</>
        ) : (
          <>
            <b>{seconds(all.compiling)}</b> compiling
            {all.share !== null && wall !== null && (
              <>
                : <b>{percent(all.share)}</b> of {run.processes.length > 1 ? "all processes' time" : wall}
                {all.share > 1 && <span class="soft"> (threads added up)</span>}
              </>
            )}
            {totals.recompile_seconds > 0 ? (
              <>
                . <b>{seconds(totals.recompile_seconds)}</b> of it recompiling.
              </>
            ) : (
              ". Nothing was compiled twice."
            )}
          </>
        )}
      </p>
      {first !== undefined && (
        <div class="answer">
          <dl>
            <dt>Which function</dt>
            <dd>
              {first.functions[0] === undefined ? (
                functionName(first.name)
              ) : (
                <FunctionLink data={data} id={first.functions[0]} />
              )}{" "}
              <span class="soft">{place(first.file, first.line)}</span>,{" "}
              {counted(first.compilations.length, "recompilation")} in {seconds(first.seconds)}
            </dd>
            <dt>Why</dt>
            <dd>
              <CauseChip kind={first.kind} /> {first.path !== null && <Text of={first.path} class="code" />}{" "}
              {first.explanation !== "" && <span>{short(first.explanation, 400)}</span>}
            </dd>
            {first.fix !== null && (
              <>
                <dt>What to do</dt>
                <dd class="fix">
                  <span>{short(first.fix, 800)}</span> <Copy text={first.fix} what="the fix" />
                </dd>
              </>
            )}
          </dl>
          {findings.length > 1 && (
            <p class="soft">
              {counted(findings.length - 1, "more finding")}{" "}
              <button type="button" class="link" onClick={() => goTo("findings")}>
                below
              </button>
              .
            </p>
          )}
        </div>
      )}
      <Longest data={data} />
      {totals.eager_fallbacks > 0 && (
        <p class="warning">
          {counted(totals.eager_fallbacks, "call")} ran without compiled code
          {gaveUp === undefined ? "." : ", after the recompile limit: "}
          {gaveUp !== undefined && (
            <Choose what={{ kind: "finding", id: findings.indexOf(gaveUp) }}>{functionName(gaveUp.name)}</Choose>
          )}
        </p>
      )}
      <TotalsList totals={totals} all={all} />
    </section>
  );
}

/** The longest first call whose parts were recorded, and what took most of it. */
function Longest({ data }: { data: PageData }): JSX.Element | null {
  const found = data.firstCalls[0];
  if (found === undefined || !found.call.complete) return null;
  const text = costliestText(found);
  return (
    <p class="longest-line">
      Longest first call: <b>{seconds(found.call.seconds)}</b> <FunctionLink data={data} id={found.call.function} />
      {text !== "" && <span class="soft"> ({text})</span>}{" "}
      <Choose what={{ kind: "first", id: found.call.function }}>where it went</Choose>
    </p>
  );
}

function TotalsList({ totals, all }: { totals: Totals; all: Sums }): JSX.Element {
  const parts: [string, string, string, string?][] = [
    ["calls", "calls", count(all.calls), "of compiled functions"],
    ["hits", "cache hits", ratio(all.hits, all.calls)],
    ["compilations", "compilations", count(totals.compilations)],
    ["compile_seconds", "compiling", seconds(totals.compile_seconds)],
    ["recompilations", "recompilations", count(totals.recompilations)],
    ["recompile_seconds", "recompiling", seconds(totals.recompile_seconds)],
    ["avoidable_recompilations", "avoidable", count(totals.avoidable_recompilations), "recompilations"],
    ["eager_op_compilations", "not watched", count(totals.eager_op_compilations), "compilations of eager operations"],
    ["eager_op_compile_seconds", "compiling these", seconds(totals.eager_op_compile_seconds)],
  ];
  const more: [keyof Totals, string][] = [
    ["eager_fallbacks", "eager fallbacks"],
    ["dispatch_misses", "dispatch misses"],
    ["python_path_calls", "calls through Python"],
    ["waited_calls", "waited"],
    ["failed_calls", "failed calls"],
    ["nested_calls", "nested calls"],
  ];
  for (const [name, title] of more) if (totals[name] > 0) parts.push([name, title, count(totals[name])]);
  return (
    <dl class="totals">
      {parts.map(([name, title, value, tip]) => (
        <div key={name} data-total={name} title={tip}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
