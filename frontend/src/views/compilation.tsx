/** All about one compilation. */

import type { JSX } from "preact";
import type { CompilationReport, PageData } from "../data";
import { filter } from "../state";
import { count, counted, seconds, short } from "../text";
import { AVOIDABLE } from "../words";
import { CachesOf } from "./caches";
import { CauseChip, Change, Choose, CompilationLink, Copy, FunctionLink, Phases, SiteText, Text } from "./common";
import { SourceAt } from "./source";

export function CompilationDetails({ data, id }: { data: PageData; id: number }): JSX.Element | null {
  const one = data.compilations.get(id);
  const owner = data.owner.get(id);
  if (one === undefined || owner === undefined) return null;
  return (
    <>
      <p>
        A compilation of <FunctionLink data={data} id={owner.id} />: <b>{seconds(one.seconds)}</b>
        {one.call !== null && <>, at call {count(one.call)}</>}, {seconds(one.start)} after the start
        {one.wall_seconds !== null && <span class="soft"> (the whole call took {seconds(one.wall_seconds)})</span>}
      </p>
      {data.firstCall.get(owner.id)?.call.compilations.includes(one.id) && (
        <p>
          It is part of the function's first compiling call:{" "}
          <Choose what={{ kind: "first", id: owner.id }}>where that call's time went</Choose>
        </p>
      )}
      {one.failed !== null && <p class="warning">No code came of it: {short(one.failed, 400)}</p>}
      <Causes data={data} one={one} />
      {one.fix !== null && (
        <p class="fix">
          <b>fix</b> {short(one.fix, 1200)} <Copy text={one.fix} what="the fix" />
        </p>
      )}
      {one.site !== null && (
        <>
          <h3>Called at</h3>
          <p>
            <SiteText site={one.site} />
          </p>
          <SourceAt data={data} site={one.site} />
        </>
      )}
      <CachesOf one={one} />
      <Cascade data={data} one={one} />
      <h3>Phases</h3>
      <Phases of={one.phases} />
      <Facts data={data} one={one} />
      {one.evidence.length > 0 && (
        <>
          <h3>What {owner.framework === "torch" ? "PyTorch" : "JAX"} said</h3>
          <pre>{short(one.evidence.slice(0, 20).join("\n"), 8000).replaceAll("\\n", "\n")}</pre>
        </>
      )}
    </>
  );
}

function Causes({ data, one }: { data: PageData; one: CompilationReport }): JSX.Element {
  const against = one.compared_with;
  return (
    <>
      <h3>
        Why
        {against !== null && (
          <span class="soft">
            , compared with <CompilationLink data={data} id={against} />
          </span>
        )}
      </h3>
      {one.causes.length === 0 && <p class="soft">No cause is known.</p>}
      <ul class="plain">
        {one.causes.slice(0, 60).map((cause, n) => (
          <li key={`${n} ${cause.kind}`}>
            <CauseChip kind={cause.kind} on={filter.value.causes.has(cause.kind)} />{" "}
            {cause.path !== null && <Text of={cause.path} class="code" />} <Change old={cause.old} now={cause.new} />
            {AVOIDABLE[cause.avoidable] && <span class="soft"> {AVOIDABLE[cause.avoidable]}</span>}
            {cause.evidence !== null && <pre>{short(cause.evidence, 2000)}</pre>}
          </li>
        ))}
      </ul>
      {one.causes.length > 60 && <p class="soft">… {one.causes.length - 60} more</p>}
    </>
  );
}

function Cascade({ data, one }: { data: PageData; one: CompilationReport }): JSX.Element | null {
  const caused = [...data.compilations.values()].filter((each) => each.root === one.id);
  if (one.root === null && one.inside === null && caused.length === 0) return null;
  return (
    <>
      <h3>In the call of another function</h3>
      {one.inside !== null && (
        <p>
          It ran inside of <FunctionLink data={data} id={one.inside} />.
        </p>
      )}
      {one.root !== null && (
        <p>
          <CompilationLink data={data} id={one.root} /> made it necessary.
        </p>
      )}
      {caused.length > 0 && (
        <>
          <p>It made {counted(caused.length, "other compilation")} necessary:</p>
          <ul class="plain">
            {caused.slice(0, 20).map((each) => (
              <li key={each.id}>
                <CompilationLink data={data} id={each.id} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Facts({ data, one }: { data: PageData; one: CompilationReport }): JSX.Element {
  const signature = data.owner.get(one.id)?.signatures.find((each) => each.id === one.signature);
  const extent = data.timeline.extents.find((each) => each.compilation === one.id);
  const facts: [string, string | null][] = [
    ["signature", signature?.text ?? null],
    ["program", one.program],
    ["layers that ran", one.layers.join(", ")],
    ["persistent cache", one.persistent_cache],
    ["under", one.under],
    ["PyTorch's id", one.framework_id],
    ["calls it served", one.hits > 0 ? count(one.hits) : null],
    ["thread", extent?.thread ?? null],
    ["label", one.label],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === null || value === "" ? null : (
          <>
            <dt>{name}</dt>
            <dd>
              <Text of={value} limit={400} />
            </dd>
          </>
        ),
      )}
    </dl>
  );
}
