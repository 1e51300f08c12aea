/** Where the graphs' nodes and edges are: layers from left to right by dagre, clusters packed side by side. */

import { layout as dagre, graphlib } from "@dagrejs/dagre";
import type { Cluster, Edge, Node } from "./graph-model";

export interface PlacedNode {
  readonly node: Node;
  /** Of its upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly edge: Edge;
  readonly points: readonly (readonly [number, number])[];
  /** Middle of its text; null: no room. */
  readonly label: readonly [number, number] | null;
}

export interface PlacedCluster {
  readonly cluster: Cluster;
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly clusters: readonly PlacedCluster[];
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** Heights of a line of text, and of a cluster's title. */
export const LINE = 15;
const TITLE = 24;
const MARGIN = 10;
/** A cluster with more nodes, and long paths, is laid out in rows, in the order of its nodes. */
const ROWS_FROM = 36;

/** Room that a text takes, in pixels: an estimate, on the safe side for the fonts of the page. */
export function room(text: string, size: number): number {
  let sum = 0;
  for (const char of text) sum += (char.codePointAt(0) ?? 0) > 0x2e80 ? size : size * 0.58;
  return sum;
}

/** What is written on an edge: that it is in a cascade, and that it failed, too. */
export function edgeText(edge: Edge): string {
  return `${edge.cascade && edge.group !== null ? "↳ " : ""}${edge.text}${edge.failed ? " ✗" : ""}`;
}

/** Width and height of a node: as large as its words, and larger the more it costs. */
export function nodeSize(node: Node, most: number): { width: number; height: number } {
  const words = Math.max(room(node.title, 13) + 14, ...node.lines.map((line) => room(line, 11)));
  const share = most > 0 ? Math.sqrt(node.seconds / most) : 0;
  return {
    width: Math.round(Math.min(Math.max(words + 16, 70), 250) + 50 * share),
    height: Math.round(10 + LINE * (1 + node.lines.length) + 34 * share),
  };
}

/** Room below a node for arrows that lead back to itself. */
function loopRoom(cluster: Cluster, id: string): number {
  return 28 * cluster.edges.filter((edge) => edge.source === id && edge.target === id).length;
}

/** Arrows that lead back to the node they come from, below it; several below each other. */
function loops(cluster: Cluster, nodes: readonly PlacedNode[]): PlacedEdge[] {
  const met = new Map<string, number>();
  const at = new Map(nodes.map((one) => [one.node.id, one]));
  return cluster.edges.flatMap((edge): PlacedEdge[] => {
    const node = at.get(edge.source);
    if (edge.source !== edge.target || node === undefined) return [];
    const n = met.get(edge.source) ?? 0;
    met.set(edge.source, n + 1);
    const spread = 0.3 - 0.06 * n;
    const [left, right] = [node.x + node.width * (0.5 - spread), node.x + node.width * (0.5 + spread)];
    const bottom = node.y + node.height;
    const low = bottom + 20 + 24 * n;
    const points = [
      [right, bottom],
      [right, low],
      [left, low],
      [left, bottom],
    ] as const;
    return [{ edge, points, label: [(left + right) / 2, low] }];
  });
}

interface Block {
  readonly cluster: Cluster;
  readonly nodes: PlacedNode[];
  readonly edges: PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** Place everything; about `width` pixels are there. */
export function layout(clusters: readonly Cluster[], width: number): Layout {
  const most = Math.max(0, ...clusters.flatMap((one) => one.nodes.map((node) => node.seconds)));
  const blocks = clusters.map((one) => {
    if (one.nodes.length > ROWS_FROM && !flat(one)) return rows(one, most, width);
    const found = layers(one, most, width);
    // A long chain is read in rows, rather than scrolled to.
    return found.width > width * 1.15 && one.nodes.length > 4 ? rows(one, most, width) : found;
  });
  return packed(blocks, width);
}

/** Whether a cluster is flat enough for layers: no path is long. */
function flat(cluster: Cluster): boolean {
  const next = new Map<string, string[]>();
  for (const edge of cluster.edges) next.set(edge.source, [...(next.get(edge.source) ?? []), edge.target]);
  const into = new Set(cluster.edges.map((edge) => edge.target));
  let layer = cluster.nodes.filter((node) => !into.has(node.id)).map((node) => node.id);
  const met = new Set(layer);
  for (let depth = 0; layer.length > 0; depth++) {
    if (depth > 6) return false;
    layer = layer.flatMap((id) => next.get(id) ?? []).filter((id) => !met.has(id) && met.add(id));
  }
  return met.size === cluster.nodes.length;
}

function layers(cluster: Cluster, most: number, width: number): Block {
  const graph = new graphlib.Graph({ multigraph: true });
  // On a phone, what follows is below.
  graph.setGraph({
    rankdir: width < 560 ? "TB" : "LR",
    nodesep: 14,
    ranksep: width < 560 ? 26 : 34,
    marginx: 2,
    marginy: 2,
  });
  for (const node of cluster.nodes) {
    const { width: wide, height } = nodeSize(node, most);
    graph.setNode(node.id, { width: wide, height: height + loopRoom(cluster, node.id) });
  }
  const between = cluster.edges.filter((edge) => edge.source !== edge.target);
  for (const [n, edge] of between.entries()) {
    graph.setEdge(
      edge.source,
      edge.target,
      { width: room(edgeText(edge), 11) + 8, height: LINE, labelpos: "c" },
      String(n),
    );
  }
  dagre(graph);
  const nodes = cluster.nodes.map((node): PlacedNode => {
    const at = graph.node(node.id) as { x: number; y: number; width: number; height: number };
    return {
      node,
      x: at.x - at.width / 2,
      y: at.y - at.height / 2,
      width: at.width,
      height: at.height - loopRoom(cluster, node.id),
    };
  });
  const edges = between.map((edge, n): PlacedEdge => {
    const at = graph.edge({ v: edge.source, w: edge.target, name: String(n) }) as {
      points: { x: number; y: number }[];
      x?: number;
      y?: number;
    };
    const label = at.x === undefined || at.y === undefined ? null : ([at.x, at.y] as const);
    return { edge, points: at.points.map((one) => [one.x, one.y] as const), label };
  });
  const size = graph.graph() as { width?: number; height?: number };
  return {
    cluster,
    nodes,
    edges: [...edges, ...loops(cluster, nodes)],
    width: size.width ?? 0,
    height: size.height ?? 0,
  };
}

/** In rows like words on a page: for long chains, which no layers can show. */
function rows(cluster: Cluster, most: number, width: number): Block {
  const limit = Math.max(width - 2 * MARGIN, 300);
  const texts = new Map<string, string>();
  for (const edge of cluster.edges) texts.set(`${edge.source} ${edge.target}`, edgeText(edge));
  const nodes: PlacedNode[] = [];
  let x = 0;
  let y = 0;
  let tallest = 0;
  let widest = 0;
  for (const node of cluster.nodes) {
    const size = nodeSize(node, most);
    const before = nodes.at(-1);
    const text = before === undefined ? undefined : texts.get(`${before.node.id} ${node.id}`);
    const gap = before === undefined || x === 0 ? 0 : text === undefined ? 24 : room(text, 11) + 36;
    if (x > 0 && x + gap + size.width > limit) {
      x = 0;
      y += tallest + 34;
      tallest = 0;
    } else x += gap;
    nodes.push({ node, x, y, ...size });
    x += size.width;
    tallest = Math.max(tallest, size.height + loopRoom(cluster, node.id));
    widest = Math.max(widest, x);
  }
  const at = new Map(nodes.map((one) => [one.node.id, one]));
  const order = new Map(nodes.map((one, n) => [one, n]));
  const edges = cluster.edges.flatMap((edge): PlacedEdge[] => {
    const [from, to] = [at.get(edge.source), at.get(edge.target)];
    if (from === undefined || to === undefined || from === to) return [];
    const next = (order.get(to) ?? 0) - (order.get(from) ?? 0) === 1;
    if (next && from.y === to.y) {
      const points = [
        [from.x + from.width, from.y + 22],
        [to.x, to.y + 22],
      ] as const;
      return [{ edge, points, label: [(points[0][0] + points[1][0]) / 2 - 4, from.y + 22] }];
    }
    return [{ edge, points: around(from, to), label: null }];
  });
  return { cluster, nodes, edges: [...edges, ...loops(cluster, nodes)], width: widest, height: y + tallest + 14 };
}

/** From one box to another that is not beside it: below the one, and in from above or below the other. */
function around(from: PlacedNode, to: PlacedNode): (readonly [number, number])[] {
  const below = to.y > from.y;
  const under = from.y + from.height + 12;
  const over = below ? to.y - 12 : to.y + to.height + 12;
  // Between neighbouring rows one straight line does.
  const near = Math.abs(over - under) < 24;
  const [low, high] = near ? [(under + over) / 2, (under + over) / 2] : [under, over];
  return [
    [from.x + from.width / 2, from.y + from.height],
    [from.x + from.width / 2, low],
    [to.x + to.width / 2, high],
    [to.x + to.width / 2, below ? to.y : to.y + to.height],
  ];
}

/** Blocks side by side in rows, each row as high as its highest. */
function packed(blocks: readonly Block[], width: number): Layout {
  const limit = Math.max(width, ...blocks.map((one) => one.width + 2 * MARGIN));
  const result = {
    clusters: [] as PlacedCluster[],
    nodes: [] as PlacedNode[],
    edges: [] as PlacedEdge[],
    width: 0,
    height: 0,
  };
  let x = MARGIN;
  let y = MARGIN;
  let tallest = 0;
  for (const block of blocks) {
    const title = block.cluster.title === "" ? 0 : TITLE;
    const own = Math.max(block.width, Math.min(room(block.cluster.title, 12), 320));
    if (x > MARGIN && x + own > limit - MARGIN) {
      x = MARGIN;
      y += tallest + 20;
      tallest = 0;
    }
    const top = y + title;
    const left = x;
    result.clusters.push({ cluster: block.cluster, x: left, y });
    for (const one of block.nodes) result.nodes.push({ ...one, x: one.x + left, y: one.y + top });
    for (const one of block.edges) {
      const points = one.points.map(([px, py]) => [px + left, py + top] as const);
      result.edges.push({
        ...one,
        points,
        label: one.label === null ? null : [one.label[0] + left, one.label[1] + top],
      });
    }
    tallest = Math.max(tallest, block.height + title);
    result.width = Math.max(result.width, x + own + MARGIN);
    x += own + 28;
  }
  return { ...result, height: y + tallest + MARGIN };
}
