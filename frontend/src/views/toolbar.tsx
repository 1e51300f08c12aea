/** Search, filters, ways to the sections, light and dark. */

import { useComputed, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { PageData, ProcessInfo } from "../data";
import { ALL, type Filter, isAll, matchesCompilation, matchesFunction } from "../filter";
import { filter, keysShown, setTheme, theme } from "../state";
import { count, counted, functionName, seconds, short } from "../text";

export function processName(one: ProcessInfo): string {
  return one.rank !== null ? `rank ${one.rank}` : (one.process ?? `pid ${one.pid}`);
}

/** Go to a section: it is scrolled to, and focused. The hash is the filter's. */
export function goTo(id: string): void {
  const section = document.getElementById(id);
  section?.scrollIntoView({ behavior: theme.peek().still ? "auto" : "smooth", block: "start" });
  section?.focus({ preventScroll: true });
}

export function Toolbar({ data, sections }: { data: PageData; sections: readonly [string, string][] }): JSX.Element {
  return (
    <div class="toolbar">
      <div class="bar-row">
        <nav aria-label="Sections">
          {sections.map(([id, title]) => (
            <a
              key={id}
              href={`#${id}`}
              onClick={(event) => {
                event.preventDefault();
                goTo(id);
              }}
            >
              {title}
            </a>
          ))}
        </nav>
      </div>
      <Filters data={data} />
    </div>
  );
}

function Filters({ data }: { data: PageData }): JSX.Element {
  const { frameworks, kinds, processes } = useMemo(() => choices(data), [data]);
  const now = filter.value;
  const set = (change: Partial<Filter>): void => {
    filter.value = { ...filter.value, ...change };
  };
  return (
    <search class="filters">
      <SearchBox />
      {data.library.size > 0 && (
        <Pick
          label="Code"
          value={now.origin}
          options={[
            ["all", "all code"],
            ["mine", "mine"],
            ["library", "libraries'"],
          ]}
          pick={(origin) => set({ origin: origin as Filter["origin"] })}
        />
      )}
      {kinds.length > 1 && (
        <Pick
          label="Cause"
          value={one(now.causes)}
          options={[["", "every cause"], ...kinds.map(([kind, n]) => [kind, `${short(kind, 40)} (${n})`] as const)]}
          several={now.causes.size}
          pick={(kind) => set({ causes: kind === "" ? new Set() : new Set([kind]) })}
        />
      )}
      <Pick
        label="Function"
        value={now.functions.size ? groupOf(data, now) : ""}
        options={[
          ["", "every function"],
          ...data.groups
            .slice(0, 300)
            .map((each) => [String(each.id), functionName(each.functions[0]?.name ?? "", 40)] as const),
        ]}
        several={groupOf(data, now) === "" ? now.functions.size : 0}
        pick={(id) => set({ functions: new Set(data.group.get(Number(id))?.functions.map((each) => each.id) ?? []) })}
      />
      {frameworks.length > 1 && (
        <Pick
          label="Framework"
          value={one(now.frameworks)}
          options={[["", "every framework"], ...frameworks.map((each) => [each, each] as const)]}
          pick={(name) => set({ frameworks: name === "" ? new Set() : new Set([name]) })}
        />
      )}
      {processes.length > 1 && (
        <Pick
          label="Process"
          value={one(now.processes)}
          options={[
            ["", "every process"],
            ...processes.map((each, n) => [String(n), short(processName(each), 40)] as const),
          ]}
          pick={(n) => set({ processes: n === "" ? new Set() : new Set([Number(n)]) })}
        />
      )}
      <Shown data={data} />
      <span class="spacer" />
      <button type="button" class="quiet" onClick={() => setTheme(theme.value.dark ? "light" : "dark")}>
        {theme.value.dark ? "light" : "dark"}
      </button>
      <button
        type="button"
        class="quiet"
        aria-label="Keys"
        aria-expanded={keysShown.value}
        onClick={() => {
          keysShown.value = !keysShown.value;
        }}
      >
        ?
      </button>
    </search>
  );
}

function choices(data: PageData): { frameworks: string[]; kinds: [string, number][]; processes: ProcessInfo[] } {
  const kinds = new Map<string, number>();
  for (const compilation of data.compilations.values()) {
    for (const kind of new Set(compilation.causes.map((cause) => cause.kind)))
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return {
    frameworks: [...new Set(data.report.functions.map((each) => each.framework))].sort(),
    kinds: [...kinds].sort((a, b) => b[1] - a[1]),
    processes: data.report.run.processes,
  };
}

function one<T>(values: ReadonlySet<T>): string {
  return values.size === 1 ? String([...values][0]) : "";
}

/** The group that the filter's functions are, or nothing. */
function groupOf(data: PageData, now: Filter): string {
  const first = [...now.functions][0];
  const group = first === undefined ? undefined : data.group.get(first);
  if (group === undefined || group.functions.length !== now.functions.size) return "";
  return group.functions.every((each) => now.functions.has(each.id)) ? String(group.id) : "";
}

/** What is typed filters a moment later. */
function SearchBox(): JSX.Element {
  const [typed, setTyped] = useState(filter.peek().text);
  useSignalEffect(() => {
    const { text } = filter.value;
    setTyped((before) => (before.toLowerCase() === text ? before : text));
  });
  const timer = useMemo<{ id?: ReturnType<typeof setTimeout> }>(() => ({}), []);
  return (
    <input
      id="search"
      type="search"
      placeholder="search  /"
      aria-label="Search functions, files, causes, values"
      aria-keyshortcuts="/"
      value={typed}
      spellcheck={false}
      autocomplete="off"
      onInput={(event) => {
        const { value } = event.currentTarget;
        setTyped(value);
        clearTimeout(timer.id);
        timer.id = setTimeout(() => {
          filter.value = { ...filter.value, text: value.toLowerCase() };
        }, 120);
      }}
    />
  );
}

function Pick(props: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  /** How many are chosen, where that is more than the menu can show. */
  several?: number;
  pick(value: string): void;
}): JSX.Element {
  const many = (props.several ?? 0) > 1 && props.value === "";
  return (
    <select
      aria-label={props.label}
      class={props.value !== "" && props.value !== "all" ? "on" : many ? "on" : ""}
      value={many ? "several" : props.value}
      onChange={(event) => props.pick(event.currentTarget.value)}
    >
      {many && <option value="several">{props.several} chosen</option>}
      {props.options.map(([value, title]) => (
        <option key={value} value={value}>
          {title}
        </option>
      ))}
    </select>
  );
}

/** How much of the report passes the filter. */
function Shown({ data }: { data: PageData }): JSX.Element {
  const text = useComputed(() => {
    const now = filter.value;
    if (isAll(now)) return "";
    const functions = data.report.functions.filter((each) => matchesFunction(data, now, each)).length;
    const shown = [...data.compilations.values()].filter((each) => matchesCompilation(data, now, each));
    const spent = shown.reduce((sum, each) => sum + each.seconds, 0);
    return (
      `${count(functions)} of ${counted(data.functions.size, "function")}, ` +
      `${count(shown.length)} of ${counted(data.compilations.size, "compilation")}, ${seconds(spent)}`
    );
  }).value;
  return (
    <>
      <output class="shown" aria-live="polite">
        {text}
      </output>
      {text !== "" && (
        <button
          type="button"
          class="quiet"
          id="clear"
          onClick={() => {
            filter.value = ALL;
          }}
        >
          show all
        </button>
      )}
    </>
  );
}
