/** One first call: where its time went, what can be done, what is not known. */

import type { JSX } from "preact";
import type { PageData } from "../data";
import type { FirstCall, Measured, StartUp } from "../data-first";
import { count, counted, functionName, percent, place, seconds, short, terminalName } from "../text";
import { Copy, FunctionLink, SiteText } from "./common";
import { Programs } from "./programs";
import { processName } from "./toolbar";
import { Waterfall } from "./waterfall";

/** In the details: the call, what came before it where it was its process's first, the way to the function. */
export function FirstDetails({ data, id }: { data: PageData; id: number }): JSX.Element | null {
  const call = data.firstCall.get(id)?.call;
  if (call === undefined) return null;
  const before = firstOfProcess(data, call) ? startUpOf(data, call) : undefined;
  return (
    <>
      <p>
        The first compiling call of <FunctionLink data={data} id={id} />{" "}
        <span class="soft" title={short(call.file, 600)}>
          {place(call.file, call.line)}
        </span>
      </p>
      <CallBody data={data} call={call} />
      {before !== undefined && <StartUpPart data={data} of={before} />}
    </>
  );
}

function startUpOf(data: PageData, call: FirstCall): StartUp | undefined {
  return data.report.start_up.find((one) => one.process === call.process);
}

function firstOfProcess(data: PageData, call: FirstCall): boolean {
  return !data.firstCalls.some((each) => each.call.process === call.process && each.call.started < call.started);
}

/** How `jitscope first` is asked for this call: where several functions have its source, by its compilation. */
function wantedName(data: PageData, call: FirstCall): string {
  const name = terminalName(call.name, call.function);
  const number = data.number.get(call.compilations[0] ?? -1);
  if ((data.group.get(call.function)?.functions.length ?? 1) < 2 || number === undefined) return name;
  return `'${name.replaceAll("'", "")}#${number}'`;
}

export function CallBody({ data, call }: { data: PageData; call: FirstCall }): JSX.Element {
  const command = `jitscope first ${wantedName(data, call)}`;
  const process = call.process === null ? undefined : data.report.run.processes[call.process];
  const before = firstOfProcess(data, call) && startUpOf(data, call) !== undefined;
  return (
    <div class="first-call">
      <p>
        {call.call === null ? "a call" : `call ${count(call.call)}`}
        {call.site !== null && (
          <>
            {" "}
            at <SiteText site={call.site} />
          </>
        )}
        {process !== undefined && ` in ${short(processName(process), 40)}`}: <b>{seconds(call.seconds)}</b> until it
        returned, {percent(call.attributed)} of it attributed
        {call.cache_hits > 0 && `; ${counted(call.cache_hits, "compilation")} of it came from a cache on disk`}
      </p>
      <Waterfall
        label={`First call of ${functionName(call.name)}`}
        parts={call.parts}
        seconds={call.seconds}
        rest={call.not_attributed}
        restLabel={call.kind === "region" ? "its own code, hits" : "not attributed"}
      />
      {call.later.map((part, n) => (
        <p key={n} class="later">
          later: {short(part.label, 60)} <b>{seconds(part.seconds)}</b>, outside of this call
        </p>
      ))}
      {call.advice.map((text) => (
        <p key={text} class="fix">
          <span>
            <b>do</b> {short(text, 1200)}
          </span>{" "}
          <Copy text={text} what="the advice" />
        </p>
      ))}
      <Programs of={call.eager_ops} title="Compiled by themselves inside" />
      {!before && <Programs of={call.eager_before} title="Compiled by themselves before" />}
      {call.measured !== null && <MeasuredPart of={call.measured} />}
      {call.notes.length > 0 && (
        <ul class="plain soft unknown">
          {call.notes.map((note) => (
            <li key={`${note.slug} ${note.text}`}>
              {short(note.text, 600)} <span class="slug">({short(note.slug, 60)})</span>
            </li>
          ))}
        </ul>
      )}
      <p class="next">
        In a terminal: <code>{command}</code> <Copy text={command} what="the command" />
      </p>
    </div>
  );
}

function MeasuredPart({ of }: { of: Measured }): JSX.Element {
  const median = (n: number): string => ` (median of ${count(n)})`;
  const facts: [string, string][] = [
    ["first call", `${seconds(of.first)} with its result`],
    ["second call", seconds(of.second)],
  ];
  if (of.steady !== null) facts.push(["then", seconds(of.steady) + median(of.steady_calls)]);
  if (of.eager_first === null) facts.push(["eager", `not known: ${of.eager_is}`]);
  else {
    const then = of.eager_steady === null ? "" : `, then ${seconds(of.eager_steady)}${median(of.eager_calls - 1)}`;
    facts.push(["eager", `first ${seconds(of.eager_first)}${then}: ${of.eager_is}`]);
    if (of.pays_after !== null) {
      facts.push(["break-even", `compiling has paid for itself after ${counted(of.pays_after, "call")}`]);
    } else if (of.steady !== null && of.eager_steady !== null) {
      facts.push(["break-even", "compiling never pays for itself in time here: eager calls are no slower"]);
    }
  }
  return (
    <div class="measured">
      <h4>Measured</h4>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{short(value, 400)}</dd>
          </>
        ))}
      </dl>
    </div>
  );
}

/** `2.24 s since the process began`. */
export function startUpTitle(of: StartUp): string {
  return `${seconds(of.seconds)} since the ${of.since === "process" ? "process" : "recording"} began`;
}

/** What came before the first compiling call of a process. */
export function StartUpPart({ data, of }: { data: PageData; of: StartUp }): JSX.Element {
  const process = of.process === null ? undefined : data.report.run.processes[of.process];
  const where = process === undefined ? "" : `, ${short(processName(process), 40)}`;
  return (
    <div class="start-up">
      <h3>
        Before the first compiling call{where}: <span class="number">{startUpTitle(of)}</span>
      </h3>
      <StartUpBody of={of} />
    </div>
  );
}

export function StartUpBody({ of }: { of: StartUp }): JSX.Element {
  return (
    <>
      {of.parts.length > 0 ? (
        <Waterfall
          label="Before the first compiling call"
          parts={of.parts}
          seconds={of.seconds}
          rest={of.not_attributed}
          restLabel="the program, other imports"
        />
      ) : (
        <p class="soft">What it went into was not recorded: jitscope run sees imports, and when Python began.</p>
      )}
      <Programs of={of.eager_ops} title="Compiled by themselves" />
    </>
  );
}
