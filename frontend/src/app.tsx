/** The page: header, tools, sections, details beside them, keys. */

import type { JSX } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { PageData } from "./data";
import { keysShown, said, selection } from "./state";
import { seconds, short } from "./text";
import { Caches } from "./views/caches";
import { Details } from "./views/details";
import { Graphs, Timeline, Where } from "./views/drawn";
import { Findings } from "./views/findings";
import { FirstCalls } from "./views/first";
import { Compilations, Functions } from "./views/functions";
import { Labels, Notes, Unwatched } from "./views/rest";
import { goTo, Toolbar } from "./views/toolbar";
import { Verdict } from "./views/verdict";

export function App({ data }: { data: PageData }): JSX.Element {
  const { report } = data;
  const sections = (
    [
      ["verdict", "Verdict", true],
      ["findings", "Findings", report.findings.length > 0],
      ["first", "First calls", data.firstCalls.length > 0 || report.start_up.length > 0],
      ["timeline", "Timeline", report.totals.compilations + report.totals.eager_op_compilations > 0],
      ["functions", "Functions", report.functions.length > 0],
      ["where", "Where it goes", data.compilations.size > 0],
      ["graph", "Graph", data.compilations.size > 0],
      ["compilations", "Compilations", data.compilations.size > 0],
      ["caches", "Caches", report.caches.length > 0],
      ["unwatched", "Not watched", report.eager_ops.length > 0],
      ["labels", "Labels", report.labels.length > 0],
      ["notes", "About", true],
    ] as const
  )
    .filter(([, , there]) => there)
    .map(([id, title]): [string, string] => [id, title]);
  const there = new Set(sections.map(([id]) => id));
  useKeys(sections);
  return (
    <div class={`page ${selection.value === null ? "" : "beside"}`}>
      <button type="button" class="skip" onClick={() => goTo("verdict")}>
        to the report
      </button>
      <Header data={data} />
      <Toolbar data={data} sections={sections} />
      {keysShown.value && <Keys />}
      <main>
        <Verdict data={data} />
        {there.has("findings") && <Findings data={data} />}
        {there.has("first") && <FirstCalls data={data} />}
        {there.has("timeline") && <Timeline data={data} />}
        {there.has("functions") && <Functions data={data} />}
        {there.has("where") && <Where data={data} />}
        {there.has("graph") && <Graphs data={data} />}
        {there.has("compilations") && <Compilations data={data} />}
        {there.has("caches") && <Caches data={data} />}
        {there.has("unwatched") && <Unwatched data={data} />}
        {there.has("labels") && <Labels data={data} />}
        <Notes data={data} />
      </main>
      <Details data={data} />
      <output class="hidden" aria-live="polite">
        {said.value}
      </output>
    </div>
  );
}

function Header({ data }: { data: PageData }): JSX.Element {
  const { run } = data.report;
  const program = run.argv.map((one) => one.slice(one.lastIndexOf("/") + 1)).join(" ");
  const versions = Object.entries(run.versions).filter(([name]) => name === "jax" || name === "torch");
  const parts = [
    run.started
      .replace("T", " ")
      .replace(/(:\d\d)\.\d+/, "$1")
      .replace(/\+00:00$|Z$/, " UTC"),
    run.wall_seconds === null ? null : seconds(run.wall_seconds),
    ...versions.map(([name, version]) => `${name} ${version}`),
    run.processes.length > 1 ? `${run.processes.length} processes` : run.rank === null ? null : `rank ${run.rank}`,
  ];
  return (
    <header class="top">
      <h1 title={short(run.argv.join(" "), 600)}>{short(program || run.id, 90)}</h1>
      <p class="soft">
        {parts
          .filter((one): one is string => one !== null)
          .map((one) => short(one, 60))
          .join(" · ")}
      </p>
    </header>
  );
}

function useKeys(sections: readonly [string, string][]): void {
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { target } = event;
      const typing = target instanceof HTMLElement && target.matches("input, select, textarea");
      if (event.key === "Escape") {
        if (keysShown.value) keysShown.value = false;
        else if (selection.value !== null && !(typing && target instanceof HTMLInputElement && target.value !== "")) {
          selection.value = null;
        } else if (typing) target.blur();
        else return;
      } else if (typing) return;
      else if (event.key === "/") {
        const box = document.getElementById("search");
        if (box instanceof HTMLInputElement) {
          box.focus();
          box.select();
        }
      } else if (event.key === "?") keysShown.value = !keysShown.value;
      else if (/^[1-9]$/.test(event.key)) {
        const section = sections[Number(event.key) - 1];
        if (section === undefined) return;
        goTo(section[0]);
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [sections]);
}

const KEYS: [string, string][] = [
  ["/", "search"],
  ["1 … 9", "go to a section"],
  ["Tab", "go on, into a table or a chart"],
  ["↑ ↓ Home End", "move in a table or a chart"],
  ["Enter", "show what is chosen"],
  ["Esc", "close the details"],
  ["?", "these keys"],
];

function Keys(): JSX.Element {
  return (
    <section class="keyboard" aria-label="Keys">
      <dl>
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
