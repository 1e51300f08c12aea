/** Beside the page: all about what is chosen. Escape closes it, and the focus goes back to where it was. */

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Selection } from "../charts/contract";
import type { PageData } from "../data";
import { selection } from "../state";
import { functionName } from "../text";
import { CompilationDetails } from "./compilation";
import { FindingDetails } from "./findings";
import { FirstDetails } from "./first-call";
import { FunctionDetails } from "./function";

export function Details({ data }: { data: PageData }): JSX.Element | null {
  const chosen = selection.value;
  const panel = useRef<HTMLElement>(null);
  const before = useRef<Element | null>(null);
  const name = chosen === null ? null : `${chosen.kind}:${chosen.id}`;
  // At once, not after the next frame: a key pressed in between would go nowhere.
  useLayoutEffect(() => {
    if (name === null) {
      const back = before.current;
      before.current = null;
      if (back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
      return;
    }
    const active = document.activeElement;
    if (before.current === null && active !== document.body) before.current = active;
    panel.current?.scrollTo({ top: 0 });
    panel.current?.focus({ preventScroll: true });
  }, [name]);
  if (chosen === null) return null;
  return (
    <aside ref={panel} class="details" tabIndex={-1} aria-labelledby="details-title" id="details">
      <header>
        <h2 id="details-title">{title(data, chosen)}</h2>
        <button
          type="button"
          class="quiet"
          aria-keyshortcuts="Escape"
          onClick={() => {
            selection.value = null;
          }}
        >
          close
        </button>
      </header>
      <Body data={data} chosen={chosen} />
    </aside>
  );
}

function title(data: PageData, chosen: Selection): string {
  if (chosen.kind === "compilation") {
    return `${functionName(data.owner.get(chosen.id)?.name ?? "")} #${data.number.get(chosen.id) ?? "?"}`;
  }
  if (chosen.kind === "finding") return functionName(data.report.findings[chosen.id]?.name ?? "");
  if (chosen.kind === "first") return `${functionName(data.functions.get(chosen.id)?.name ?? "")}: first call`;
  const id = chosen.kind === "signature" ? chosen.function : chosen.kind === "function" ? chosen.id : -1;
  return functionName(data.functions.get(id)?.name ?? "");
}

function Body({ data, chosen }: { data: PageData; chosen: Selection }): JSX.Element | null {
  switch (chosen.kind) {
    case "function":
      return <FunctionDetails key={chosen.id} data={data} id={chosen.id} signature={null} />;
    case "first":
      return <FirstDetails key={chosen.id} data={data} id={chosen.id} />;
    case "signature":
      return <FunctionDetails key={chosen.function} data={data} id={chosen.function} signature={chosen.id} />;
    case "compilation":
      return <CompilationDetails key={chosen.id} data={data} id={chosen.id} />;
    case "finding":
      return <FindingDetails key={chosen.id} data={data} id={chosen.id} />;
    default:
      return null;
  }
}
