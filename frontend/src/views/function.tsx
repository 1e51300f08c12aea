/** All about one function: history, signatures, families, phases, compilations. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { FunctionReport, PageData } from "../data";
import { filter, select } from "../state";
import { count, counted, place, ratio, seconds, short, terminalName } from "../text";
import { STATES } from "../words";
import { CauseChip, Change, Choose, Copy, Explained, Phases, Text } from "./common";
import { FirstCallLine } from "./first";
import { HistoryStrip } from "./history";
import { Signatures } from "./signatures";
import { SourceOf } from "./source";
import { processName } from "./toolbar";

export function FunctionDetails(props: { data: PageData; id: number; signature: number | null }): JSX.Element | null {
  const { data } = props;
  const one = data.functions.get(props.id);
  if (one === undefined) return null;
  const group = data.group.get(one.id);
  const process = one.process === null ? undefined : data.report.run.processes[one.process];
  return (
    <>
      <p class="soft">
        {one.framework} {one.kind === "function" ? "" : one.kind}{" "}
        <span title={short(one.file, 600)}>{place(one.file, one.line)}</span>
        {process !== undefined && <> · {short(processName(process), 60)}</>}
        {data.library.has(one.id) && " · a library's"}
      </p>
      {group !== undefined && group.functions.length > 1 && <Members data={data} one={one} of={group.functions} />}
      <Numbers one={one} />
      <FirstCallLine data={data} id={one.id} />
      <HistoryStrip data={data} one={one} />
      <CompilationsOf data={data} one={one} />
      <SignatureParts data={data} one={one} chosen={props.signature} />
      {one.compile_seconds > 0 && (
        <>
          <h3>Where its {seconds(one.compile_seconds)} went</h3>
          <Phases of={one.phases} />
        </>
      )}
      <SourceOf data={data} one={one} />
      <Why one={one} />
    </>
  );
}

/** The other function objects of the same source, or the same function in other processes. */
function Members({ data, one, of }: { data: PageData; one: FunctionReport; of: FunctionReport[] }): JSX.Element {
  const objects = new Set(of.map((each) => each.process)).size === 1;
  const at = of.indexOf(one);
  return (
    <p class="members">
      {objects ? `${count(of.length)} function objects were made from this source. ` : "In several processes. "}
      <button type="button" class="quiet" disabled={at <= 0} onClick={() => choose(of[at - 1])}>
        ◂<span class="hidden">the one before</span>
      </button>{" "}
      {count(at + 1)} / {count(of.length)}{" "}
      <button type="button" class="quiet" disabled={at >= of.length - 1} onClick={() => choose(of[at + 1])}>
        ▸<span class="hidden">the next one</span>
      </button>{" "}
      {!objects && one.process !== null && (
        <span class="soft">{short(processName(data.report.run.processes[one.process] as never), 40)}</span>
      )}
    </p>
  );
}

function choose(one: FunctionReport | undefined): void {
  if (one !== undefined) select({ kind: "function", id: one.id });
}

function Numbers({ one }: { one: FunctionReport }): JSX.Element {
  const parts: [string, string][] = [
    ["calls", count(one.calls)],
    ["cache hits", ratio(one.hits, one.calls)],
    ["compilations", count(one.compilations)],
    ["again", count(one.recompilations)],
    ["compiling", seconds(one.compile_seconds)],
    ["recompiling", seconds(one.recompile_seconds)],
  ];
  const more = [
    ["eager fallbacks", one.eager_fallbacks],
    ["dispatch misses", one.dispatch_misses],
    ["through Python", one.python_path_calls],
    ["waited", one.waited_calls],
    ["failed", one.failed_calls],
    ["nested", one.nested_calls],
  ] as const;
  for (const [name, value] of more) if (value > 0) parts.push([name, count(value)]);
  return (
    <dl class="totals small">
      <div>
        <dt>state</dt>
        <dd>
          <Explained word={one.state} means={STATES[one.state]} />
        </dd>
      </div>
      {parts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function SignatureParts(props: { data: PageData; one: FunctionReport; chosen: number | null }): JSX.Element | null {
  const { one } = props;
  if (one.signatures.length === 0) return null;
  return (
    <>
      <h3>{counted(one.signatures.length, "signature")}</h3>
      <Signatures data={props.data} one={one} chosen={props.chosen} />
      {one.families.length > 0 && (
        <>
          <h3>{one.families.length === 1 ? "A family" : `${one.families.length} families`}</h3>
          <p class="about">Signatures that differ only in the sizes written $.</p>
          <ul class="plain">
            {one.families.slice(0, 20).map((family) => (
              <li key={family.text}>
                <Text of={family.text} limit={240} class="code" />{" "}
                <span class="soft">
                  {counted(family.signatures, "signature")}, {seconds(family.compile_seconds)}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

const LISTED = 12;

function CompilationsOf({ data, one }: { data: PageData; one: FunctionReport }): JSX.Element | null {
  const [all, setAll] = useState(false);
  if (one.compilations_detail.length === 0) return null;
  const shown = all ? one.compilations_detail.slice(0, 500) : one.compilations_detail.slice(0, LISTED);
  return (
    <>
      <h3>Why it was compiled</h3>
      <ol class="compilations">
        {shown.map((each) => (
          <li key={each.id}>
            <Choose what={{ kind: "compilation", id: each.id }} class="name">
              #{data.number.get(each.id)}
            </Choose>{" "}
            <span class="soft">
              {each.call === null ? "" : `call ${count(each.call)}, `}
              {seconds(each.seconds)}
            </span>{" "}
            {each.causes.slice(0, 3).map((cause) => (
              <span key={`${cause.kind} ${cause.path}`} class="cause">
                <CauseChip kind={cause.kind} on={filter.value.causes.has(cause.kind)} />{" "}
                {cause.path !== null && <Text of={cause.path} limit={60} class="code" />}{" "}
                <Change old={cause.old} now={cause.new} />
              </span>
            ))}
            {each.causes.length > 3 && <span class="soft">, {each.causes.length - 3} more</span>}
            {each.failed !== null && <span class="tag bad">failed: {short(each.failed, 80)}</span>}
          </li>
        ))}
      </ol>
      {one.compilations_detail.length > shown.length && !all && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          {counted(one.compilations_detail.length - shown.length, "more compilation")}
        </button>
      )}
      {one.compilations_detail.length > shown.length && all && (
        <p class="soft">… {counted(one.compilations_detail.length - shown.length, "more compilation")}, in the table</p>
      )}
    </>
  );
}

/** The command that tells the story of it in a terminal. */
function Why({ one }: { one: FunctionReport }): JSX.Element {
  const command = `jitscope why ${terminalName(one.name, one.id)}`;
  return (
    <p class="next">
      In a terminal: <code>{command}</code> <Copy text={command} what="the command" />
    </p>
  );
}
