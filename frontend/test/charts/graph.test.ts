import { describe, expect, test } from "vitest";
import { fiveFunctions, lambdaInLoop, manySignatures, pageData, thousandFunctions } from "../../harness/synthetic";
import { nextNode } from "../../src/charts/graph";
import { layout, type PlacedNode } from "../../src/charts/graph-layout";
import { calls, connected, type Picture, recompilations } from "../../src/charts/graph-model";
import { ALL } from "../../src/filter";

const none: ReadonlySet<string> = new Set();
const nodes = (picture: Picture) => picture.clusters.flatMap((one) => one.nodes);
const edges = (picture: Picture) => picture.clusters.flatMap((one) => one.edges);

function overlaps(placed: readonly PlacedNode[]): string[] {
  const found: string[] = [];
  for (const [n, a] of placed.entries()) {
    for (const b of placed.slice(n + 1)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      if (!apart) found.push(`${a.node.id} ${b.node.id}`);
    }
  }
  return found;
}

describe("the recompilation graph", () => {
  test("thrashing is two nodes and edges both ways that say how often", () => {
    const picture = recompilations(fiveFunctions(), ALL, none, 200);
    const cluster = picture.clusters[0];
    expect(cluster?.title).toContain("decode");
    expect(cluster?.nodes.map((one) => one.title)).toEqual(["S1", "S2"]);
    expect(cluster?.edges.map((one) => one.text).sort()).toEqual(["cache_evicted ×59", "cache_evicted ×59", "shape"]);
  });

  test("roots and cascades are marked, with what they cost", () => {
    const all = nodes(recompilations(fiveFunctions(), ALL, none, 200));
    expect(all.find((one) => one.id === "f1/s1")).toMatchObject({ root: true, cascade: false });
    expect(all.find((one) => one.id === "f1/s1")?.lines).toContain("root of 1: 500 ms");
    expect(all.find((one) => one.id === "f5/s1")).toMatchObject({ root: false, cascade: true });
  });

  test("signatures that came about in the same way are one node, and each when asked for", () => {
    const data = manySignatures();
    const stack = nodes(recompilations(data, ALL, none, 200)).find((one) => one.stack !== null);
    expect(stack?.members).toBe(199);
    const open = recompilations(data, ALL, new Set([stack?.stack ?? ""]), 500);
    expect(open.clusters[0]?.nodes).toHaveLength(200);
    expect(open.clusters[0]?.edges).toHaveLength(199);
  });

  test("function objects of one source are one part, and their arrows lead from one to the next", () => {
    const data = lambdaInLoop();
    const stack = nodes(recompilations(data, ALL, none, 200)).find((one) => one.stack !== null);
    expect(stack).toMatchObject({ members: 13, title: "13 signatures" });
    const open = recompilations(data, ALL, new Set([stack?.stack ?? ""]), 200);
    expect(open.clusters.map((one) => [one.nodes.length, one.edges.length])).toEqual([[14, 13]]);
    expect(open.clusters[0]?.nodes[3]?.title).toBe("object 4 S1");
  });

  test("what is left out for room is told", () => {
    const data = thousandFunctions();
    const picture = recompilations(data, ALL, none, 60);
    expect(nodes(picture).length).toBeLessThanOrEqual(60);
    const shown = nodes(picture).reduce((sum, one) => sum + one.members, 0);
    expect(shown + picture.hidden.nodes + picture.lonely).toBe(data.graphs.recompilation.nodes.length);
  });

  test("a filter by cause leaves its edges and their ends", () => {
    const picture = recompilations(fiveFunctions(), { ...ALL, causes: new Set(["static_value"]) }, none, 200);
    expect(edges(picture).map((one) => one.group)).toEqual(["value", "value"]);
    expect(nodes(picture)).toHaveLength(3);
  });
});

describe("the call graph", () => {
  test("has the functions that compiled inside others, and counts the rest", () => {
    const picture = calls(fiveFunctions(), ALL, 100);
    expect(nodes(picture).map((one) => one.title)).toEqual(["Trainer.train_step", "loss_fn"]);
    expect(edges(picture)[0]).toMatchObject({ source: "f1", target: "f5", cascade: true });
    expect(picture.lonely).toBe(3);
  });

  test("a part that is too large is cut to its costliest", () => {
    const picture = calls(thousandFunctions(), ALL, 10);
    expect(picture.clusters[0]?.nodes.length).toBeLessThanOrEqual(10);
    expect(picture.hidden.nodes).toBeGreaterThan(0);
  });

  test("parts that do not hang together are apart", () => {
    const parts = connected(
      ["a", "b", "c", "d", "e"].map((id) => ({ id })),
      [
        { source: "a", target: "b" },
        { source: "c", target: "b" },
        { source: "d", target: "e" },
      ],
    );
    expect(parts.map((one) => one.nodes.map((node) => node.id))).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    expect(parts.map((one) => one.edges.length)).toEqual([2, 1]);
  });
});

describe("the layout", () => {
  const data = manySignatures();
  const stack = nodes(recompilations(data, ALL, none, 200)).find((one) => one.stack !== null)?.stack ?? "";
  const pictures: [string, Picture][] = [
    ["five functions", recompilations(fiveFunctions(), ALL, none, 200)],
    ["200 signatures in a chain", recompilations(data, ALL, new Set([stack]), 500)],
    ["the costliest of 1,000 functions", recompilations(thousandFunctions(), ALL, none, 120)],
    ["calls", calls(thousandFunctions(), ALL, 80)],
  ];
  for (const [name, picture] of pictures) {
    for (const width of [340, 1200]) {
      test(`${name}, ${width} pixels: no node lies on another, all are inside`, () => {
        const found = layout(picture.clusters, width);
        expect(overlaps(found.nodes)).toEqual([]);
        for (const one of found.nodes) {
          expect(one.x).toBeGreaterThanOrEqual(0);
          expect(one.x + one.width).toBeLessThanOrEqual(found.width);
          expect(one.y + one.height).toBeLessThanOrEqual(found.height);
        }
      });
    }
  }

  test("a long chain is no wider than the page", () => {
    const picture = recompilations(data, ALL, new Set([stack]), 500);
    expect(layout(picture.clusters, 1200).width).toBeLessThan(1300);
  });

  test("an arrow from a node to itself is below it, and nothing else is there", () => {
    const data = pageData([
      {
        name: "f",
        steps: [1, 2, 3, 4].map((start) => ({
          start,
          phases: { compile: 1 },
          signature: start < 3 ? start : 2,
          cause: "cache_cleared",
        })),
      },
    ]);
    data.graphs.recompilation.edges.push({
      source: "f1/s2",
      target: "f1/s2",
      causes: "cache_cleared",
      paths: "",
      seconds: 1,
      compilation: 3,
      failed: false,
    });
    const found = layout(recompilations(data, ALL, none, 200).clusters, 1200);
    const node = found.nodes.find((one) => one.node.id === "f1/s2");
    const loop = found.edges.find((one) => one.edge.source === one.edge.target);
    if (node === undefined || loop === undefined) throw new Error("nothing drawn");
    for (const [x, y] of loop.points) {
      expect(x).toBeGreaterThan(node.x);
      expect(x).toBeLessThan(node.x + node.width);
      expect(y).toBeGreaterThanOrEqual(node.y + node.height);
      expect(y).toBeLessThan(found.height);
    }
  });

  test("what costs more is larger", () => {
    const found = layout(recompilations(fiveFunctions(), ALL, none, 200).clusters, 1200);
    const size = (id: string): number =>
      found.nodes.filter((one) => one.node.id === id).map((one) => one.width * one.height)[0] ?? 0;
    expect(size("f1/s1")).toBeGreaterThan(size("f1/s2"));
  });

  test("arrow keys go to the nearest node in their direction", () => {
    const found = layout(recompilations(fiveFunctions(), ALL, none, 200).clusters, 1200).nodes;
    const from = found.find((one) => one.node.id === "f3/s2");
    if (from === undefined) throw new Error("no node");
    expect(nextNode(found, from, "ArrowRight")?.node.id).toBe("f3/s3");
    expect(nextNode(found, from, "ArrowLeft")?.node.id).toBe("f3/s1");
  });
});
