/** Causes in groups that fit on a legend: each has a colour (of charts.css), a glyph and a dash of its own. */

export type CauseGroup =
  | "first"
  | "size"
  | "type"
  | "value"
  | "structure"
  | "place"
  | "identity"
  | "state"
  | "break"
  | "cache"
  | "unknown";

export interface CauseGroupWords {
  readonly title: string;
  readonly kinds: readonly string[];
  /** Custom property of charts.css. */
  readonly colour: string;
  /** An SVG path around (0, 0), about 8 wide. */
  readonly glyph: string;
  /** Whether the glyph is an outline rather than filled. */
  readonly hollow: boolean;
  /** The dashes of an edge with this cause; empty: a solid line. */
  readonly dash: readonly number[];
}

export const CAUSE_GROUPS: Readonly<Record<CauseGroup, CauseGroupWords>> = {
  first: {
    title: "first compile",
    kinds: ["first_compile", "nested_first", "backward"],
    colour: "--cause-first",
    glyph: "M-3.5-3L3.5-3L0 3.5Z",
    hollow: true,
    dash: [],
  },
  size: {
    title: "sizes",
    kinds: ["shape", "rank", "shape_constraint"],
    colour: "--cause-size",
    glyph: "M-3.5 0A3.5 3.5 0 1 1 3.5 0A3.5 3.5 0 1 1-3.5 0Z",
    hollow: false,
    dash: [],
  },
  type: {
    title: "types",
    kinds: ["dtype", "weak_type", "python_type", "requires_grad"],
    colour: "--cause-type",
    glyph: "M-3.2-3.2H3.2V3.2H-3.2Z",
    hollow: false,
    dash: [6, 3],
  },
  value: {
    title: "values",
    kinds: ["static_value", "captured_value"],
    colour: "--cause-value",
    glyph: "M0-4.4L4.4 0L0 4.4L-4.4 0Z",
    hollow: false,
    dash: [2, 2],
  },
  structure: {
    title: "structure",
    kinds: ["tree_structure", "argument_passing", "aliasing"],
    colour: "--cause-structure",
    glyph: "M-1.3-4H1.3V-1.3H4V1.3H1.3V4H-1.3V1.3H-4V-1.3H-1.3Z",
    hollow: false,
    dash: [8, 2, 2, 2],
  },
  place: {
    title: "placement",
    kinds: ["layout", "device", "sharding", "committed"],
    colour: "--cause-place",
    glyph: "M-3.4-3.4H3.4V3.4H-3.4Z",
    hollow: true,
    dash: [10, 3],
  },
  identity: {
    title: "new function, options",
    kinds: ["new_function", "options"],
    colour: "--cause-identity",
    glyph: "M0-4.6L1.2-1.5L4.4-1.4L1.9.6L2.7 3.7L0 1.9L-2.7 3.7L-1.9.6L-4.4-1.4L-1.2-1.5Z",
    hollow: false,
    dash: [12, 3, 3, 3],
  },
  state: {
    title: "modules, settings",
    kinds: ["module_attribute", "module_structure", "training_mode", "config"],
    colour: "--cause-state",
    glyph: "M-3.8 3.2L0-3.8L3.8 3.2Z",
    hollow: false,
    dash: [4, 2],
  },
  break: {
    title: "graph break",
    kinds: ["graph_break"],
    colour: "--cause-break",
    glyph: "M-3.4-3.8H-1.2V3.8H-3.4ZM1.2-3.8H3.4V3.8H1.2Z",
    hollow: false,
    dash: [1, 3],
  },
  cache: {
    title: "cache lost or full",
    kinds: ["cache_cleared", "cache_evicted", "recompile_limit"],
    colour: "--cause-cache",
    glyph: "M-4-2.6L-2.6-4L0-1.4L2.6-4L4-2.6L1.4 0L4 2.6L2.6 4L0 1.4L-2.6 4L-4 2.6L-1.4 0Z",
    hollow: false,
    dash: [3, 3],
  },
  unknown: {
    title: "unknown",
    kinds: ["unknown"],
    colour: "--cause-unknown",
    glyph: "M-3.5 0A3.5 3.5 0 1 1 3.5 0A3.5 3.5 0 1 1-3.5 0Z",
    hollow: true,
    dash: [1, 4],
  },
};

export const CAUSE_ORDER = Object.keys(CAUSE_GROUPS) as readonly CauseGroup[];

const GROUP_OF_KIND: ReadonlyMap<string, CauseGroup> = new Map(
  CAUSE_ORDER.flatMap((group) => CAUSE_GROUPS[group].kinds.map((kind) => [kind, group] as const)),
);

/** The group of a cause by its kind in the report; `unknown` for a kind of a newer jitscope. */
export function causeGroup(kind: string): CauseGroup {
  return GROUP_OF_KIND.get(kind) ?? "unknown";
}
