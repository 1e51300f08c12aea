/** What recompiled, the costliest first: cause, call site, old → new, evidence, fix. */

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { BucketPlan, Finding, PageData } from "../data";
import { matchesFinding } from "../filter";
import { filter, selection } from "../state";
import { count, counted, functionName, percent, place, seconds, short } from "../text";
import { ChartPlace } from "./chart";
import { Bar, CauseChip, Choose, CompilationLink, Copy, FunctionLink, Section, SiteText, Text, Values } from "./common";

const FIRST = 10;

export function Findings({ data }: { data: PageData }): JSX.Element | null {
  const [all, setAll] = useState(false);
  const found = useComputed(() =>
    data.report.findings.map((one, n) => [one, n] as const).filter(([one]) => matchesFinding(data, filter.value, one)),
  ).value;
  const { compile_seconds: total } = data.report.totals;
  if (data.report.findings.length === 0) return null;
  const shown = all ? found : found.slice(0, FIRST);
  return (
    <Section
      id="findings"
      title="Findings"
      about="Recompilations of one function with one main cause, the costliest first. Each is in one finding: their seconds add up."
    >
      {found.length === 0 && <p class="empty">Nothing matches the filter.</p>}
      <ol class="findings">
        {shown.map(([one, n]) => (
          <li key={n} value={n + 1} data-finding={n} class={isChosen(n) ? "chosen" : ""}>
            <FindingCard data={data} one={one} id={n} share={total ? one.seconds / total : 0} />
          </li>
        ))}
      </ol>
      {found.length > shown.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          {counted(found.length - shown.length, "more finding")},{" "}
          {seconds(found.slice(FIRST).reduce((sum, [one]) => sum + one.seconds, 0))}
        </button>
      )}
    </Section>
  );
}

function isChosen(n: number): boolean {
  return selection.value?.kind === "finding" && selection.value.id === n;
}

function FindingCard(props: { data: PageData; one: Finding; id: number; share: number }): JSX.Element {
  const { data, one } = props;
  const name = functionName(one.name);
  return (
    <article aria-label={`${seconds(one.seconds)}: ${name}, ${one.kind}`}>
      <h3>
        <span class="cost">
          <Bar share={props.share} />
          {seconds(one.seconds)}
        </span>
        <Choose what={{ kind: "finding", id: props.id }} class="name">
          {name}
        </Choose>
        <span class="soft place">{place(one.file, one.line)}</span>
        <CauseChip kind={one.kind} on={filter.value.causes.has(one.kind)} />
        {one.avoidable_seconds > 0 && <span class="tag bad">avoidable</span>}
        <span class="soft">
          {counted(one.compilations.length, one.kind === "new_function" ? "compilation" : "recompilation")}
        </span>
      </h3>
      <FindingFacts data={data} one={one} />
    </article>
  );
}

/** What the card and the details have in common. */
export function FindingFacts({ data, one }: { data: PageData; one: Finding }): JSX.Element {
  return (
    <>
      <dl class="facts">
        {one.paths.length > 0 && (
          <>
            <dt>what</dt>
            <dd>
              {one.paths.slice(0, 3).map((path, n) => (
                <span key={path}>
                  {n > 0 && ", "}
                  <Text of={path} class="code" />
                </span>
              ))}
              {one.paths.length > 3 && <span class="soft">, {count(one.paths.length - 3)} more</span>}
              {one.values.length > 0 && ": "}
              {one.values.length > 0 && <Values of={one.values} />}
            </dd>
          </>
        )}
        {one.explanation !== "" && (
          <>
            <dt>why</dt>
            <dd>{short(one.explanation, 600)}</dd>
          </>
        )}
        {one.also.length > 0 && (
          <>
            <dt>also</dt>
            <dd>
              {one.also.map((kind) => (
                <CauseChip key={kind} kind={kind} on={filter.value.causes.has(kind)} />
              ))}
            </dd>
          </>
        )}
        {one.sites.length > 0 && (
          <>
            <dt>called at</dt>
            <dd>
              {one.sites.slice(0, 3).map((site, n) => (
                <span key={`${site.file}:${site.line}`}>
                  {n > 0 && ", "}
                  <SiteText site={site} />
                </span>
              ))}
              {one.sites.length > 3 && <span class="soft">, {count(one.sites.length - 3)} more</span>}
            </dd>
          </>
        )}
        {one.fix !== null && (
          <>
            <dt>fix</dt>
            <dd class="fix">
              <span>{short(one.fix, 1200)}</span> <Copy text={one.fix} what="the fix" />
            </dd>
          </>
        )}
        {one.plan !== null && (
          <>
            <dt>or</dt>
            <dd>{planText(one.plan, data)}</dd>
          </>
        )}
      </dl>
      {one.evidence !== null && (
        <details>
          <summary>what {one.framework === "torch" ? "PyTorch" : "JAX"} said</summary>
          <pre>{short(one.evidence, 4000)}</pre>
        </details>
      )}
    </>
  );
}

/** As the text report words it. */
export function planText(plan: BucketPlan, data: PageData): string {
  const sizes = plan.buckets.map((bucket) => count(bucket.size));
  const choice = sizes.length > 1 ? `${sizes.slice(0, -1).join(", ")} or ${sizes[sizes.length - 1]}` : sizes[0];
  const same = plan.same.length ? ` (and ${plan.same.slice(0, 2).join(", ")}${plan.same.length > 2 ? ", …" : ""})` : "";
  const process = plan.process === null ? undefined : data.report.run.processes[plan.process];
  const where =
    process === undefined ? "" : ` (in ${process.rank === null ? process.run : `rank ${process.rank}`} alone)`;
  return short(
    `pad axis ${plan.axis} of ${plan.path}${same} to ${choice}: ${counted(plan.buckets.length, "compilation")} instead ` +
      `of ${plan.compilations_before} (saves about ${seconds(plan.seconds_before - plan.seconds_after)}), ` +
      `${percent(plan.padding)} more elements${where}`,
    600,
  );
}

export function FindingDetails({ data, id }: { data: PageData; id: number }): JSX.Element | null {
  const one = data.report.findings[id];
  if (one === undefined) return null;
  const most = 40;
  return (
    <>
      <p>
        <b>{seconds(one.seconds)}</b> in {counted(one.compilations.length, "compilation")}
        {one.avoidable_seconds > 0 && <>, {seconds(one.avoidable_seconds)} of it avoidable</>}{" "}
        <CauseChip kind={one.kind} on={filter.value.causes.has(one.kind)} />
      </p>
      <FindingFacts data={data} one={one} />
      {one.plan !== null && <ChartPlace data={data} name="buckets" subject={id} />}
      <h3>{one.functions.length > 1 ? "Functions" : "Function"}</h3>
      <p>
        {one.functions.slice(0, most).map((each, n) => (
          <span key={each}>
            {n > 0 && ", "}
            <FunctionLink data={data} id={each} />
          </span>
        ))}
        {one.functions.length > most && <span class="soft">, {one.functions.length - most} more</span>}{" "}
        <span class="soft">{place(one.file, one.line)}</span>
      </p>
      <h3>Compilations</h3>
      <ul class="plain">
        {one.compilations.slice(0, most).map((each) => (
          <li key={each}>
            <CompilationLink data={data} id={each} />
          </li>
        ))}
      </ul>
      {one.compilations.length > most && (
        <p class="soft">… {one.compilations.length - most} more, in the table of compilations.</p>
      )}
    </>
  );
}
