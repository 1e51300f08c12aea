/** Small parts that all views share. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Selection } from "../charts/contract";
import type { PageData, Site } from "../data";
import { marked } from "../marks";
import { said, select } from "../state";
import { functionName, percent, place, printable, seconds, short } from "../text";
import { phaseProperty } from "../theme";

/** Longest text shown in a tool tip. */
const TIP = 600;

/** A text from a program, cut, with the whole of it (or much of it) as tool tip. */
export function Text({ of, limit = 80, class: name }: { of: string; limit?: number; class?: string }): JSX.Element {
  const shown = short(of, limit);
  const whole = shown === of ? undefined : short(of, TIP);
  return (
    <span class={name} title={whole}>
      {shown}
    </span>
  );
}

/** A button that looks like a link: chooses something. */
export function Choose(props: {
  what: Selection;
  children: ComponentChildren;
  class?: string;
  label?: string;
}): JSX.Element {
  return (
    <button
      type="button"
      class={`link ${props.class ?? ""}`}
      aria-label={props.label}
      onClick={(event) => {
        event.stopPropagation();
        select(props.what);
      }}
    >
      {props.children}
    </button>
  );
}

export function FunctionLink({ data, id }: { data: PageData; id: number }): JSX.Element {
  const one = data.functions.get(id);
  if (one === undefined) return <span class="soft">function {id}, not in this page</span>;
  return (
    <Choose what={{ kind: "function", id }} class="name">
      {functionName(one.name)}
    </Choose>
  );
}

export function CompilationLink({ data, id }: { data: PageData; id: number }): JSX.Element {
  const one = data.compilations.get(id);
  const owner = data.owner.get(id);
  if (one === undefined || owner === undefined) return <span class="soft">not in this page</span>;
  return (
    <>
      <Choose what={{ kind: "compilation", id }} class="name">
        {functionName(owner.name)} #{data.number.get(id)}
      </Choose>
      <span class="soft"> {seconds(one.seconds)}</span>
    </>
  );
}

export function SiteText({ site }: { site: Site }): JSX.Element {
  return (
    <span class="site" title={`${short(site.file, TIP)}:${site.line} in ${short(site.function, 200)}`}>
      {place(site.file, site.line)}
      <span class="soft"> in {functionName(site.function, 40)}</span>
    </span>
  );
}

/** What changed: old → new, with what differs marked. */
export function Change({ old, now }: { old: string | null; now: string | null }): JSX.Element | null {
  if (old === null && now === null) return null;
  return (
    <span class="change">
      {old === null ? null : <Marked text={old} others={[now]} />}
      {old !== null && " → "}
      {now === null ? <span class="soft">nothing</span> : <Marked text={now} others={old === null ? [] : [old]} />}
    </span>
  );
}

export function Marked({ text, others }: { text: string; others: readonly (string | null)[] }): JSX.Element {
  if (text.length > 400) return <Text of={text} limit={200} class="code" />;
  const parts = marked(text, others);
  // Where all of it differs, the arrow beside it says so.
  if (parts.length === 1) return <code>{printable(text)}</code>;
  return (
    <code>
      {parts.map((part, n) => (part.differs ? <mark key={n}>{printable(part.text)}</mark> : printable(part.text)))}
    </code>
  );
}

/** Values in the order in which they were seen: at most eight. */
export function Values({ of }: { of: readonly string[] }): JSX.Element {
  const shown = of.length > 8 ? [...of.slice(0, 6), null, ...of.slice(-1)] : of;
  return (
    <span class="change">
      {shown.map((each, n) => (
        <span key={n}>
          {n > 0 && <span aria-hidden="true"> → </span>}
          {each === null ? (
            <span class="soft">{of.length - 7} more</span>
          ) : (
            <Marked text={each} others={of.slice(0, 50)} />
          )}
        </span>
      ))}
    </span>
  );
}

/** A kind of cause: pressing it shows only what has it. */
export function CauseChip({ kind, on }: { kind: string; on?: boolean }): JSX.Element {
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={on ?? false}
      title={`Show only what has the cause ${short(kind, 60)}`}
      onClick={(event) => {
        event.stopPropagation();
        select({ kind: "cause", id: kind });
      }}
    >
      {short(kind, 40)}
    </button>
  );
}

/** A button that copies `text`. */
export function Copy({ text, what }: { text: string; what: string }): JSX.Element {
  const [done, setDone] = useState<"" | "copied" | "select it yourself">("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    const worked = await copied(text);
    setDone(worked ? "copied" : "select it yourself");
    said.value = worked ? `${what} copied` : "this browser does not let the page copy";
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(""), 2000);
  };
  return (
    <button type="button" class="copy" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {done || "copy"}
    </button>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    const worked = document.execCommand("copy");
    area.remove();
    return worked;
  }
}

/** A bar of `share` (0 to 1) behind or beside a number. */
export function Bar({ share }: { share: number }): JSX.Element {
  const width = `${Math.max(Math.min(share, 1), 0) * 100}%`;
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ width }} />
    </span>
  );
}

/** Seconds by phase, as one bar and a list. */
export function Phases({ of }: { of: Record<string, number> }): JSX.Element | null {
  const all = Object.entries(of).filter(([, value]) => value > 0);
  const sum = all.reduce((total, [, value]) => total + value, 0);
  if (sum === 0) return null;
  return (
    <div class="phases">
      <div class="stack" aria-hidden="true">
        {all.map(([name, value]) => (
          <span
            key={name}
            style={{ width: `${(value / sum) * 100}%`, background: `var(${phaseProperty(name)})` }}
            title={`${short(name, 40)}: ${seconds(value)}`}
          />
        ))}
      </div>
      <ul>
        {all.map(([name, value]) => (
          <li key={name}>
            <span class="key" style={{ background: `var(${phaseProperty(name)})` }} aria-hidden="true" />
            {short(name, 40)} <b>{seconds(value)}</b> <span class="soft">{percent(value / sum)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A word that needs explaining, explained on hover and to screen readers. */
export function Explained({ word, means }: { word: string; means: string }): JSX.Element {
  return (
    <abbr title={means} class="state">
      {word}
    </abbr>
  );
}

export function Section(props: {
  id: string;
  title: string;
  about?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section id={props.id} aria-labelledby={`${props.id}-title`} tabIndex={-1}>
      <h2 id={`${props.id}-title`}>{props.title}</h2>
      {props.about !== undefined && <p class="about">{props.about}</p>}
      {props.children}
    </section>
  );
}
