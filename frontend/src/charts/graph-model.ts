/** What the graphs show: nodes and edges with their words, from the report's graphs; pure. */

import { group } from "d3-array";
import type { CompilationReport, FunctionNode, InsideEdge, PageData, RecompilationEdge, SignatureNode } from "../data";
import { type Filter, matchesCompilation, matchesFunction } from "../filter";
import { counted, seconds as duration, functionName, count as number, place, short } from "../text";
import { type CauseGroup, causeGroup } from "./causes";
import type { Selection } from "./contract";
import { processName, sourceOf } from "./lanes";

export interface Node {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly seconds: number;
  /** More than one: signatures that came about in the same way, drawn as one. */
  readonly members: number;
  /** Something else was compiled because of it. */
  readonly root: boolean;
  /** It was compiled because of something else. */
  readonly cascade: boolean;
  readonly select: Selection;
  /** What to pass as expanded to see the members. */
  readonly stack: string | null;
}

export interface Edge {
  readonly source: string;
  readonly target: string;
  /** Null: no cause, one runs inside the other. */
  readonly group: CauseGroup | null;
  readonly text: string;
  /** In full, for the tooltip and the table. */
  readonly detail: string;
  readonly seconds: number;
  /** All of it follows from another compilation. */
  readonly cascade: boolean;
  readonly failed: boolean;
}

/** What hangs together, drawn under one title. */
export interface Cluster {
  readonly title: string;
  readonly seconds: number;
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  /** Unfolded on request: takes no room from others. */
  readonly open: boolean;
}

export interface Picture {
  /** The costliest first. */
  readonly clusters: readonly Cluster[];
  /** Nodes that are left out because there are too many, and what they cost. */
  readonly hidden: { readonly nodes: number; readonly seconds: number };
  /** Nodes without any edge. */
  readonly lonely: number;
}

/** From how many nodes of a function on those that came about in the same way become one, and how many at least. */
const CROWD = 8;
const STACK = 5;
/** Most nodes of a stack that are shown each. */
const MOST_OF_STACK = 300;

/** Compilations that follow from others, by what they follow from; and the other way round. */
function cascades(data: PageData): Map<number, CompilationReport[]> {
  const found = group(data.compilations.values(), (one) => one.root);
  found.delete(null);
  return found as Map<number, CompilationReport[]>;
}

/** Signatures and what led from one to the next; `expanded`: the stacks that are shown node by node. */
export function recompilations(data: PageData, filter: Filter, expanded: ReadonlySet<string>, most: number): Picture {
  const { nodes, edges } = data.graphs.recompilation;
  const owners = new Map(nodes.map((one) => [one.id, one]));
  const shown = edges.filter((edge) => {
    const compilation = data.compilations.get(edge.compilation);
    return compilation !== undefined && matchesCompilation(data, filter, compilation);
  });
  const used = new Set(shown.flatMap((edge) => [edge.source, edge.target]));
  const lonely = nodes.filter((node) => {
    const owner = data.functions.get(node.function);
    return !used.has(node.id) && owner !== undefined && matchesFunction(data, filter, owner);
  }).length;
  // What was compared are function objects of one source, in one process.
  const home = (node: SignatureNode | undefined): string =>
    JSON.stringify([sourceOf(data, node?.function ?? null), data.functions.get(node?.function ?? -1)?.process ?? null]);
  const nodesOf = group(
    nodes.filter((node) => used.has(node.id)),
    home,
  );
  const edgesOf = group(
    shown.filter((edge) => home(owners.get(edge.source)) === home(owners.get(edge.target))),
    (edge) => home(owners.get(edge.target)),
  );
  const roots = cascades(data);
  const clusters: Cluster[] = [...nodesOf].map(([key, own]) =>
    signatureCluster(data, { nodes: own, edges: edgesOf.get(key) ?? [] }, expanded, roots),
  );
  return limited(clusters, most, lonely);
}

/** The costliest clusters, with at most `most` nodes in all (the first is always there). */
function limited(clusters: readonly Cluster[], most: number, lonely: number): Picture {
  const order = [...clusters].sort((a, b) => b.seconds - a.seconds);
  const kept: Cluster[] = [];
  let sum = 0;
  let nodes = 0;
  let seconds = 0;
  for (const one of order) {
    const own = one.open ? 1 : one.nodes.length;
    if (kept.length === 0 || (sum + own <= most && nodes === 0)) {
      kept.push(one);
      sum += own;
    } else {
      nodes += one.nodes.reduce((total, node) => total + node.members, 0);
      seconds += one.seconds;
    }
  }
  return { clusters: kept, hidden: { nodes, seconds }, lonely };
}

function nodeKey(owner: number, signature: number | null): string {
  return `${owner}/${signature}`;
}

/** `S3`; where a source has several function objects, `object 2 S3`. */
function signatureNames(data: PageData, functions: readonly number[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [k, id] of functions.entries()) {
    const object = functions.length > 1 ? `object ${k + 1} ` : "";
    for (const [n, one] of (data.functions.get(id)?.signatures ?? []).entries()) {
      found.set(nodeKey(id, one.id), `${object}S${n + 1}`);
    }
  }
  return found;
}

function signatureCluster(
  data: PageData,
  parts: { nodes: SignatureNode[]; edges: RecompilationEdge[] },
  expanded: ReadonlySet<string>,
  roots: ReadonlyMap<number, CompilationReport[]>,
): Cluster {
  const functions = [...new Set(parts.nodes.map((one) => one.function))].sort((a, b) => a - b);
  const id = functions[0] ?? -1;
  const owner = data.functions.get(id);
  const names = signatureNames(data, functions);
  const detailed = functions.flatMap((each) => data.functions.get(each)?.compilations_detail ?? []);
  const byNode = group(detailed, (one) => nodeKey(data.owner.get(one.id)?.id ?? -1, one.signature));
  const own = (node: SignatureNode): CompilationReport[] => byNode.get(nodeKey(node.function, node.signature)) ?? [];
  const stacks = stacksOf(id, parts, expanded);
  const home = new Map<string, string>();
  for (const [stack, { members }] of stacks) for (const one of members) home.set(one.id, stack);
  const nodes = parts.nodes
    .filter((node) => !home.has(node.id))
    .map((node) => signatureNode(data, node, names, own(node), roots));
  for (const [stack, { members, opens }] of stacks) {
    const told = members.map((one) => names.get(nodeKey(one.function, one.signature)) ?? "no signature");
    const seconds = members.reduce((sum, one) => sum + one.seconds, 0);
    const hits = members.reduce((sum, one) => sum + one.hits, 0);
    const times = members.reduce((sum, one) => sum + one.compilations, 0);
    const all = members.flatMap(own);
    nodes.push({
      id: stack,
      title: `${number(members.length)} ${opens ? "" : "more "}signatures`,
      lines: [
        `${told[0]} … ${told.at(-1)}, same cause`,
        `${duration(seconds)} · ${number(times)}×, ${number(hits)} hits`,
      ],
      seconds,
      members: members.length,
      root: all.some((one) => roots.has(one.id)),
      cascade: all.some((one) => one.root !== null),
      select: { kind: "function", id },
      stack: opens ? stack : null,
    });
  }
  const place_ = owner === undefined ? "" : place(owner.file, owner.line, 40);
  const rank = processName(data, owner?.process ?? null);
  return {
    title: [
      `${tail(functionName(owner?.name ?? "", 200), 60)}${functions.length > 1 ? ` ×${functions.length}` : ""}`,
      place_,
      rank,
    ]
      .filter(Boolean)
      .join(" · "),
    seconds: parts.nodes.reduce((sum, one) => sum + one.seconds, 0),
    nodes,
    open: [...expanded].some((one) => one.startsWith(`f${id}|`)),
    edges: merged(data, parts.edges, home),
  };
}

/** A stack: nodes that came about in the same way. */
interface Stack {
  readonly members: SignatureNode[];
  /** It can be unfolded; of one that was, it holds what is too much to be drawn. */
  readonly opens: boolean;
}

/** The stacks of a function, by name. */
function stacksOf(
  id: number,
  parts: { nodes: SignatureNode[]; edges: RecompilationEdge[] },
  expanded: ReadonlySet<string>,
): Map<string, Stack> {
  const found = new Map<string, Stack>();
  if (parts.nodes.length <= CROWD) return found;
  const ways = group(parts.edges, (edge) => edge.target);
  const way = (node: SignatureNode): string =>
    [...new Set(ways.get(node.id)?.map((edge) => `${edge.causes}|${edge.paths}`))].sort().join("|");
  for (const [key, members] of group(parts.nodes, way)) {
    const name = `f${id}|${key}`;
    if (key === "" || members.length < STACK) continue;
    if (!expanded.has(name)) {
      found.set(name, { members, opens: true });
      continue;
    }
    const rest = [...members].sort((a, b) => b.seconds - a.seconds).slice(MOST_OF_STACK);
    if (rest.length > 0) found.set(name, { members: rest, opens: false });
  }
  return found;
}

function signatureNode(
  data: PageData,
  node: SignatureNode,
  names: ReadonlyMap<string, string>,
  own: readonly CompilationReport[],
  roots: ReadonlyMap<number, CompilationReport[]>,
): Node {
  const led = own.flatMap((one) => roots.get(one.id) ?? []);
  const follows = own.find((one) => one.root !== null);
  const lines = [
    what(data, node),
    `${duration(node.seconds)} · ${number(node.compilations)}×, ${number(node.hits)} ${node.hits === 1 ? "hit" : "hits"}`,
  ];
  if (led.length > 0)
    lines.push(`root of ${number(led.length)}: ${duration(led.reduce((sum, one) => sum + one.seconds, 0))}`);
  if (follows?.root != null)
    lines.push(`↳ from ${tail(functionName(data.owner.get(follows.root)?.name ?? "another", 200), 22)}`);
  return {
    id: node.id,
    title: names.get(nodeKey(node.function, node.signature)) ?? "no signature",
    lines,
    seconds: node.seconds,
    members: 1,
    root: led.length > 0,
    cascade: follows !== undefined,
    select:
      node.signature === null
        ? { kind: "function", id: node.function }
        : { kind: "signature", id: node.signature, function: node.function },
    stack: null,
  };
}

/** What tells a signature from the others of its function, short. */
function what(data: PageData, node: SignatureNode): string {
  const table = data.signatures.get(node.function);
  const row = table?.rows.find((one) => one.signature === node.signature);
  if (table === undefined || row === undefined || table.paths.length === 0) return short(node.text, 30);
  const parts = table.paths.map((path, n) => `${path}: ${row.values[n] ?? "absent"}`);
  return short(parts.join(", "), 30);
}

/** Edges between the same nodes, for the same causes, as one; those inside a stack are left out. */
function merged(data: PageData, edges: readonly RecompilationEdge[], home: ReadonlyMap<string, string>): Edge[] {
  const moved: RecompilationEdge[] = [];
  for (const edge of edges) {
    const source = home.get(edge.source) ?? edge.source;
    const target = home.get(edge.target) ?? edge.target;
    if (source === target && home.has(edge.source)) continue;
    moved.push({ ...edge, source, target });
  }
  const found = group(moved, (one) => JSON.stringify([one.source, one.target, one.causes]));
  return [...found.values()].map((same) => {
    const first = same[0] as RecompilationEdge;
    const kinds = first.causes.split(", ");
    const seconds = same.reduce((sum, one) => sum + one.seconds, 0);
    const paths = [...new Set(same.map((one) => one.paths).filter(Boolean))];
    const times = same.length > 1 ? ` ×${number(same.length)}` : "";
    const more = kinds.length > 1 ? ` +${kinds.length - 1}` : "";
    return {
      source: first.source,
      target: first.target,
      group: causeGroup(kinds[0] ?? ""),
      text: `${short(kinds[0] || "unknown", 20)}${more}${times}`,
      detail: [
        short(first.causes || "unknown", 120),
        ...paths.slice(0, 3).map((one) => short(one, 80)),
        `${duration(seconds)}${times}`,
      ].join(" · "),
      seconds,
      cascade: same.every((one) => (data.compilations.get(one.compilation)?.root ?? null) !== null),
      failed: same.every((one) => one.failed),
    };
  });
}

/** Functions and which compiled inside which. */
export function calls(data: PageData, filter: Filter, most: number): Picture {
  const all = data.graphs.calls;
  const admitted = new Set(
    all.nodes
      .filter((node) => {
        const owner = data.functions.get(node.function);
        return owner !== undefined && matchesFunction(data, filter, owner);
      })
      .map((node) => node.id),
  );
  // An edge is shown with one end that matches: what it leads to, or comes from, is then shown as well.
  const edges = all.edges.filter((edge) => admitted.has(edge.source) || admitted.has(edge.target));
  const used = new Set(edges.flatMap((edge) => [edge.source, edge.target]));
  const nodes = all.nodes.filter((node) => used.has(node.id));
  const lonely = [...admitted].filter((id) => !used.has(id)).length;
  const led = new Set(edges.filter((edge) => edge.cascades > 0).map((edge) => edge.source));
  const clusters = connected(nodes, edges).map((part): Cluster => {
    const own = part.nodes.map((node) => functionNode(data, node, led));
    const seconds = part.nodes.reduce((sum, node) => sum + node.seconds, 0);
    return { title: "", seconds, open: false, nodes: own, edges: part.edges.map((edge) => insideEdge(edge)) };
  });
  return limited(
    clusters.flatMap((one) => trimmed(one, most)),
    most,
    lonely,
  );
}

/** A cluster that alone is too large, cut to its costliest nodes. */
function trimmed(cluster: Cluster, most: number): Cluster[] {
  if (cluster.nodes.length <= most) return [cluster];
  const order = [...cluster.nodes].sort((a, b) => b.seconds - a.seconds);
  const kept = new Set(order.slice(0, most).map((one) => one.id));
  const rest = order.slice(most);
  const seconds = rest.reduce((sum, one) => sum + one.seconds, 0);
  return [
    {
      ...cluster,
      seconds: cluster.seconds - seconds,
      nodes: cluster.nodes.filter((one) => kept.has(one.id)),
      edges: cluster.edges.filter((one) => kept.has(one.source) && kept.has(one.target)),
    },
    { title: cluster.title, seconds: 0, open: false, nodes: rest, edges: [] },
  ];
}

function functionNode(data: PageData, node: FunctionNode, led: ReadonlySet<string>): Node {
  const owner = data.functions.get(node.function);
  const where = owner === undefined ? "" : place(owner.file, owner.line, 30);
  const lines = [
    [where, processName(data, owner?.process ?? null)].filter(Boolean).join(" · "),
    `${duration(node.seconds)} · ${number(node.compilations)}×`,
  ];
  if (node.cascades > 0) lines.push(`↳ ${number(node.cascades)} in cascades, ${duration(node.cascade_seconds)}`);
  return {
    id: node.id,
    title: tail(functionName(node.name, 200), 28),
    lines: lines.filter(Boolean),
    seconds: node.seconds,
    members: 1,
    root: led.has(node.id),
    cascade: node.cascades > 0,
    select: { kind: "function", id: node.function },
    stack: null,
  };
}

function insideEdge(edge: InsideEdge): Edge {
  const follow = edge.cascades > 0 ? `, ${number(edge.cascades)} because of it` : "";
  return {
    source: edge.source,
    target: edge.target,
    group: null,
    text: `${number(edge.compilations)}× ${duration(edge.seconds)}`,
    detail: `${counted(edge.compilations, "compilation")} inside it, ${duration(edge.seconds)}${follow}`,
    seconds: edge.seconds,
    cascade: edge.cascades > 0,
    failed: false,
  };
}

/** The end of `text`, which tells qualified names apart, in at most `limit` characters. */
export function tail(text: string, limit: number): string {
  return text.length <= limit ? text : `…${text.slice(text.length - limit + 1)}`;
}

interface Linked {
  readonly source: string;
  readonly target: string;
}

/** The parts of a graph that hang together. */
export function connected<N extends { id: string }, E extends Linked>(
  nodes: readonly N[],
  edges: readonly E[],
): { nodes: N[]; edges: E[] }[] {
  const leader = new Map(nodes.map((node) => [node.id, node.id]));
  const find = (id: string): string => {
    let at = id;
    while (leader.get(at) !== at) at = leader.get(at) ?? at;
    leader.set(id, at);
    return at;
  };
  for (const edge of edges) {
    if (leader.has(edge.source) && leader.has(edge.target)) leader.set(find(edge.source), find(edge.target));
  }
  const found = new Map<string, { nodes: N[]; edges: E[] }>();
  for (const node of nodes) {
    const key = find(node.id);
    const part = found.get(key) ?? { nodes: [], edges: [] };
    part.nodes.push(node);
    found.set(key, part);
  }
  for (const edge of edges) if (leader.has(edge.source)) found.get(find(edge.source))?.edges.push(edge);
  return [...found.values()];
}
