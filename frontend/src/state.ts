/** What the page shows at the moment: filter, choice, theme. Filter and choice live in the location's hash. */

import { computed, signal } from "@preact/signals";
import type { Selection, Theme } from "./charts/contract";
import type { PageData } from "./data";
import { ALL, type Filter } from "./filter";
import { currentTheme } from "./theme";

export const filter = signal<Filter>(ALL);
export const selection = signal<Selection | null>(null);
export const theme = signal<Theme>(currentTheme());
/** Tables lay out all their rows (or many of them), for paper. */
export const printing = signal(false);
export const keysShown = signal(false);
/** What was last done, for screen readers. */
export const said = signal("");

export const filterKey = computed(() => toHash(filter.value, null));

const CHOICES = ["function", "first", "compilation", "signature", "finding", "cause", "phase"] as const;

/** `q=train&origin=mine&cause=shape,rank&show=function:3`; empty where nothing is chosen. */
export function toHash(shown: Filter, chosen: Selection | null): string {
  const parts: [string, string][] = [];
  if (shown.text !== "") parts.push(["q", shown.text]);
  if (shown.origin !== "all") parts.push(["origin", shown.origin]);
  const sets = [
    ["cause", shown.causes],
    ["function", shown.functions],
    ["framework", shown.frameworks],
    ["process", shown.processes],
  ] as const;
  for (const [name, values] of sets) if (values.size) parts.push([name, [...values].join(",")]);
  if (chosen !== null) {
    const owner = chosen.kind === "signature" ? `:${chosen.function}` : "";
    parts.push(["show", `${chosen.kind}:${chosen.id}${owner}`]);
  }
  return new URLSearchParams(parts).toString();
}

/** The opposite of `toHash`; what makes no sense for this data is left out. */
export function fromHash(hash: string, data: PageData): { filter: Filter; selection: Selection | null } {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const list = (name: string): string[] => (found.get(name) ?? "").split(",").filter((one) => one !== "");
  const numbers = (name: string): number[] => list(name).map(Number).filter(Number.isInteger);
  const origin = found.get("origin");
  return {
    filter: {
      text: (found.get("q") ?? "").toLowerCase(),
      origin: origin === "mine" || origin === "library" ? origin : "all",
      causes: new Set(list("cause")),
      functions: new Set(numbers("function").filter((id) => data.functions.has(id))),
      frameworks: new Set(list("framework")),
      processes: new Set(numbers("process").filter((n) => n < Math.max(data.report.run.processes.length, 1))),
    },
    selection: chosenIn(found.get("show") ?? "", data),
  };
}

function chosenIn(text: string, data: PageData): Selection | null {
  const [kind, id, owner] = text.split(":");
  const number = Number(id);
  if (!(CHOICES as readonly (string | undefined)[]).includes(kind) || !Number.isInteger(number)) return null;
  if (kind === "function" && data.functions.has(number)) return { kind, id: number };
  if (kind === "first" && data.firstCall.has(number)) return { kind, id: number };
  if (kind === "compilation" && data.compilations.has(number)) return { kind, id: number };
  if (kind === "finding" && data.report.findings[number] !== undefined) return { kind, id: number };
  if (kind === "signature" && data.functions.has(Number(owner))) return { kind, id: number, function: Number(owner) };
  return null;
}

/** Choose something: its details are shown. A cause is a filter. */
export function select(chosen: Selection | null): void {
  if (chosen?.kind === "cause") toggleCause(chosen.id);
  else if (chosen?.kind !== "phase") selection.value = chosen;
}

export function toggleCause(kind: string): void {
  const causes = new Set(filter.value.causes);
  if (!causes.delete(kind)) causes.add(kind);
  filter.value = { ...filter.value, causes };
}

const KEPT = "jitscope-theme";

/** Light, dark, or what the system says. */
export function setTheme(chosen: "light" | "dark" | null): void {
  if (chosen === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    if (chosen === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, chosen);
  } catch {
    // A browser may give files no storage: the choice holds for this visit.
  }
  theme.value = currentTheme();
}

export function keptTheme(): "light" | "dark" | null {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    return null;
  }
}

/** Keep signals, hash and system settings in step. Returns what stops it. */
export function follow(data: PageData): () => void {
  const read = (): void => {
    const now = fromHash(location.hash, data);
    filter.value = now.filter;
    selection.value = now.selection;
  };
  read();
  let chosen = selection.value;
  const write = (): void => {
    const hash = toHash(filter.value, selection.value);
    if (hash === location.hash.replace(/^#/, "")) return;
    const url = hash === "" ? location.href.replace(/#.*$/, "") : `#${hash}`;
    // "Back" leads from one thing looked at to the one before; what was typed into the search is no step.
    if (selection.value !== chosen) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
    chosen = selection.value;
  };
  const restyle = (): void => {
    theme.value = currentTheme();
  };
  const media = ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)"].map((query) => matchMedia(query));
  const before = (): void => {
    printing.value = true;
  };
  const after = (): void => {
    printing.value = false;
  };
  for (const one of media) one.addEventListener("change", restyle);
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  const stops = [filter.subscribe(write), selection.subscribe(write)];
  return () => {
    for (const one of media) one.removeEventListener("change", restyle);
    removeEventListener("hashchange", read);
    removeEventListener("popstate", read);
    removeEventListener("beforeprint", before);
    removeEventListener("afterprint", after);
    for (const stop of stops) stop();
  };
}
