/** Made-up page data for the harness and the charts' tests: runs as they look in practice, the same at each start. */

import { group } from "d3-array";
import type {
  BucketPlan,
  Cause,
  CompilationReport,
  EagerOp,
  Extent,
  FunctionReport,
  HistoryRun,
  PageData,
  ProcessInfo,
  Slice,
  State,
  Stretch,
} from "../src/data";

/** A linear congruential generator: numbers from 0 to 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One compilation of a made-up function, and the calls after it. */
export interface Step {
  start: number;
  phases: Record<string, number>;
  cause?: string;
  path?: string;
  old?: string;
  new?: string;
  signature?: number;
  hits?: number;
  fallbacks?: number;
  /** Calls before it, where it is the first. */
  failed?: string;
  root?: number;
  inside?: number;
  backward?: number;
  thread?: string;
}

export interface Made {
  name: string;
  framework?: "jax" | "torch";
  file?: string;
  line?: number;
  process?: number;
  state?: State;
  steps: Step[];
}

export interface Extra {
  end?: number | null;
  processes?: number;
  eager?: EagerOp[];
  eagerTimes?: [op: number, start: number, seconds: number][];
  plan?: BucketPlan;
}

/** Page data with these functions. Ids count up from 1 in the order of the functions and their steps. */
export function pageData(made: readonly Made[], extra: Extra = {}): PageData {
  const slices: Slice[] = [];
  const extents: Extent[] = [];
  const stretches: Stretch[] = [];
  const functions: FunctionReport[] = [];
  const graph: PageData["graphs"] = { recompilation: { nodes: [], edges: [] }, calls: { nodes: [], edges: [] } };
  let id = 0;
  let latest = 0;
  for (const [n, one] of made.entries()) {
    const details: CompilationReport[] = [];
    const history: HistoryRun[] = [];
    const signatures = new Map<
      number,
      { calls: number; hits: number; first: number; seconds: number; count: number }
    >();
    const phases: Record<string, number> = {};
    let call = 0;
    for (const [k, step] of one.steps.entries()) {
      id += 1;
      call += 1;
      const signature = step.signature ?? k + 1;
      const seconds = Object.values(step.phases).reduce((a, b) => a + b, 0) + (step.backward ?? 0);
      let at = step.start;
      let later: { start: number; end: number } | null = null;
      for (const [phase, own] of Object.entries(step.phases)) {
        slices.push({ compilation: id, episode: 0, phase, start: at, seconds: own });
        phases[phase] = (phases[phase] ?? 0) + own;
        at += own;
      }
      if (step.backward !== undefined) {
        const start = at + 0.3;
        slices.push({ compilation: id, episode: 1, phase: "backward", start, seconds: step.backward });
        later = { start, end: start + step.backward };
        phases.backward = (phases.backward ?? 0) + step.backward;
      }
      latest = Math.max(latest, at);
      const thread = step.thread ?? null;
      const mine = { compilation: id, function: n + 1, process: one.process ?? null, thread };
      extents.push({ ...mine, episode: 0, start: step.start, end: at });
      if (later !== null) extents.push({ ...mine, episode: 1, ...later });
      const cause: Cause = {
        kind: step.cause ?? (k === 0 ? "first_compile" : "shape"),
        path: step.path ?? null,
        old: step.old ?? null,
        new: step.new ?? null,
        evidence: null,
        avoidable: k === 0 ? "no" : "yes",
      };
      const known = signatures.get(signature) ?? { calls: 0, hits: 0, first: call, seconds: 0, count: 0 };
      known.calls += 1 + (step.hits ?? 0);
      known.hits += step.hits ?? 0;
      known.seconds += seconds;
      known.count += 1;
      signatures.set(signature, known);
      history.push({
        signature,
        outcome: step.failed === undefined ? "compile" : "eager_fallback",
        count: 1,
        compilation: null,
      });
      if (step.hits) history.push({ signature, outcome: "hit", count: step.hits, compilation: null });
      if (step.fallbacks)
        history.push({ signature: null, outcome: "eager_fallback", count: step.fallbacks, compilation: null });
      const next = one.steps[k + 1];
      const after = (step.hits ?? 0) + (step.fallbacks ?? 0);
      if (after > 0) {
        const stretch = { function: n + 1, start: at, end: next?.start ?? extra.end ?? null, calls: after };
        stretches.push({ ...stretch, hits: step.hits ?? 0, eager_fallbacks: step.fallbacks ?? 0 });
      }
      call += after;
      // Function objects of one source are compared with each other.
      const before = functions.findLast(
        (each) => each.name === one.name && each.line === one.line && each.process === (one.process ?? null),
      );
      const previous = details.at(-1) ?? before?.compilations_detail.at(-1);
      const home = details.length > 0 ? n + 1 : (before?.id ?? n + 1);
      details.push({
        id,
        call: call - after,
        signature,
        program: one.name,
        start: step.start,
        seconds,
        wall_seconds: null,
        phases: { ...step.phases, ...(step.backward === undefined ? {} : { backward: step.backward }) },
        layers: ["trace", "lower", "compile"],
        persistent_cache: "off",
        under: null,
        site: { file: "train.py", line: 40 + n, function: "main" },
        causes: [cause],
        fix: null,
        framework_id: null,
        hits: step.hits ?? 0,
        recompile: previous !== undefined,
        failed: step.failed ?? null,
        compared_with: previous?.id ?? null,
        inside: step.inside ?? null,
        evidence: [],
        root: step.root ?? null,
        label: null,
        caches: [],
      });
      if (previous !== undefined && (previous.signature !== signature || home !== n + 1)) {
        graph.recompilation.edges.push({
          source: `f${home}/s${previous.signature}`,
          target: `f${n + 1}/s${signature}`,
          causes: cause.kind,
          paths: cause.path ?? "",
          seconds,
          compilation: id,
          failed: step.failed !== undefined,
        });
      }
    }
    const list = [...signatures].map(([signature, each]) => ({
      id: signature,
      text: `x: f32[${signature * 8},128]`,
      calls: each.calls,
      hits: each.hits,
      first_call: each.first,
    }));
    for (const [signature, each] of signatures) {
      graph.recompilation.nodes.push({
        id: `f${n + 1}/s${signature}`,
        function: n + 1,
        signature,
        name: one.name,
        text: `x: f32[${signature * 8},128]`,
        calls: each.calls,
        hits: each.hits,
        compilations: each.count,
        seconds: each.seconds,
      });
    }
    const total = details.reduce((sum, each) => sum + each.seconds, 0);
    const again = details.slice(1).reduce((sum, each) => sum + each.seconds, 0);
    const cascades = details.filter((each) => each.root !== null);
    graph.calls.nodes.push({
      id: `f${n + 1}`,
      function: n + 1,
      name: one.name,
      framework: one.framework ?? "jax",
      calls: call,
      hits: details.reduce((sum, each) => sum + each.hits, 0),
      compilations: details.length,
      seconds: total,
      cascades: cascades.length,
      cascade_seconds: cascades.reduce((sum, each) => sum + each.seconds, 0),
    });
    for (const outer of new Set(details.map((each) => each.inside))) {
      if (outer === null) continue;
      const found = details.filter((each) => each.inside === outer);
      const follow = found.filter((each) => each.root !== null);
      graph.calls.edges.push({
        source: `f${outer}`,
        target: `f${n + 1}`,
        compilations: found.length,
        seconds: found.reduce((sum, each) => sum + each.seconds, 0),
        cascades: follow.length,
        cascade_seconds: follow.reduce((sum, each) => sum + each.seconds, 0),
      });
    }
    functions.push({
      id: n + 1,
      framework: one.framework ?? "jax",
      name: one.name,
      kind: "function",
      file: one.file ?? "/home/someone/project/train.py",
      line: one.line ?? 10 + n * 12,
      column: 0,
      calls: call,
      hits: details.reduce((sum, each) => sum + each.hits, 0),
      dispatch_misses: 0,
      eager_fallbacks: one.steps.reduce((sum, each) => sum + (each.fallbacks ?? 0), 0),
      compiling_calls: details.length,
      python_path_calls: 0,
      waited_calls: 0,
      failed_calls: 0,
      nested_calls: 0,
      compilations: details.length,
      recompilations: details.length - 1,
      compile_seconds: total,
      recompile_seconds: again,
      phases,
      state: one.state ?? (list.length === 1 ? "monomorphic" : list.length < 5 ? "polymorphic" : "megamorphic"),
      signatures: list,
      families: [],
      history,
      compilations_detail: details,
      process: one.process ?? null,
    });
  }
  const unwatched: PageData["timeline"]["unwatched"] = [];
  for (const [op, start, seconds] of extra.eagerTimes ?? []) {
    id += 1;
    unwatched.push({ compilation: id, op, site: null });
    extents.push({
      compilation: id,
      episode: 0,
      function: null,
      start,
      end: start + seconds,
      process: null,
      thread: null,
    });
    slices.push({ compilation: id, episode: 0, phase: "compile", start, seconds });
  }
  const processes: ProcessInfo[] = Array.from({ length: extra.processes ?? 0 }, (_, rank) => ({
    run: `run-r${rank}`,
    host: "node0",
    pid: 4000 + rank,
    started: "2026-01-01T00:00:00Z",
    offset_seconds: 0,
    wall_seconds: extra.end ?? null,
    ended: true,
    rank,
    process: null,
  }));
  const sum = (of: (one: FunctionReport) => number): number => functions.reduce((total, one) => total + of(one), 0);
  const totals = {
    calls: sum((one) => one.calls),
    hits: sum((one) => one.hits),
    dispatch_misses: 0,
    eager_fallbacks: sum((one) => one.eager_fallbacks),
    compiling_calls: sum((one) => one.compiling_calls),
    python_path_calls: 0,
    waited_calls: 0,
    failed_calls: 0,
    nested_calls: 0,
    compilations: sum((one) => one.compilations),
    recompilations: sum((one) => one.recompilations),
    avoidable_recompilations: 0,
    compile_seconds: sum((one) => one.compile_seconds),
    recompile_seconds: sum((one) => one.recompile_seconds),
    eager_op_compilations: 0,
    eager_op_compile_seconds: 0,
  };
  const compilations = new Map(
    functions.flatMap((one) => one.compilations_detail.map((each) => [each.id, each] as const)),
  );
  const owner = new Map(functions.flatMap((one) => one.compilations_detail.map((each) => [each.id, one] as const)));
  const groups = [...group(functions, (one) => `${one.file}:${one.line} ${one.name}`).values()].map((own) => ({
    id: own[0]?.id ?? 0,
    functions: own,
  }));
  return {
    jitscope: "0.0.0",
    report: {
      schema: 1,
      run: {
        id: "run",
        argv: ["train.py"],
        started: "2026-01-01T00:00:00Z",
        wall_seconds: extra.end ?? null,
        rank: null,
        world_size: null,
        versions: {},
        devices: [],
        processes,
      },
      totals,
      functions,
      eager_ops: extra.eager ?? [],
      notes: [],
      caches: [],
      findings: extra.plan === undefined ? [] : [finding(extra.plan)],
      labels: [],
      first_calls: [],
      start_up: [],
    },
    firstCalls: [],
    firstCall: new Map(),
    timeline: {
      end: extra.end ?? latest,
      extents: extents.sort((a, b) => a.start - b.start),
      slices,
      unwatched,
      stretches,
    },
    graphs: graph,
    signatures: new Map(),
    library: new Set(),
    source: [],
    groups,
    group: new Map(groups.flatMap((each) => each.functions.map((one) => [one.id, each] as const))),
    number: new Map(),
    functions: new Map(functions.map((one) => [one.id, one])),
    compilations,
    owner,
  };
}

function finding(plan: BucketPlan): PageData["report"]["findings"][number] {
  return {
    kind: "shape",
    path: plan.path,
    paths: [plan.path],
    framework: "jax",
    name: "train_step",
    file: "train.py",
    line: 10,
    functions: [1],
    compilations: [2],
    seconds: plan.seconds_before,
    avoidable_seconds: plan.seconds_before,
    sites: [],
    values: [],
    also: [],
    explanation: "",
    fix: null,
    evidence: null,
    plan,
  };
}

const jax = (seconds: number): Record<string, number> => ({
  trace: seconds * 0.2,
  lower: seconds * 0.1,
  compile: seconds * 0.7,
});
const torch = (seconds: number): Record<string, number> => ({
  dynamo: seconds * 0.2,
  aot_autograd: seconds * 0.15,
  inductor: seconds * 0.4,
  codegen: seconds * 0.25,
});

/** Five functions: a slow first call, a ragged last batch, thrashing between two sizes, eager fallbacks, a steady one. */
export function fiveFunctions(): PageData {
  const epochs = Array.from({ length: 6 }, (_, n) => 14 + n * 7.5);
  const thrashing: Step[] = Array.from({ length: 120 }, (_, n) => ({
    start: 15 + n * 0.36,
    phases: jax(0.16 + (n % 7) * 0.01),
    signature: (n % 2) + 1,
    ...(n < 2 ? {} : { cause: "cache_evicted" }),
  }));
  return pageData(
    [
      {
        name: "Trainer.train_step",
        steps: [
          { start: 1, phases: jax(8.2), hits: 311 },
          {
            start: epochs[0] ?? 14,
            phases: jax(3.1),
            path: "batch['x']",
            old: "f32[64,128]",
            new: "f32[17,128]",
            hits: 1903,
          },
        ],
      },
      { name: "generate.<locals>.decode", state: "thrashing", steps: thrashing },
      {
        name: "evaluate",
        steps: epochs.map((start, n) => ({
          start: start + 3.4,
          phases: jax(0.9),
          hits: 40,
          signature: n + 1,
          path: "batch['x']",
          old: `f32[${n},8]`,
          new: `f32[${n + 1},8]`,
        })),
      },
      {
        name: "encoder",
        framework: "torch",
        steps: [
          { start: 10.2, phases: torch(2.4), backward: 1.1, hits: 30 },
          {
            start: 20,
            phases: torch(1.9),
            cause: "static_value",
            path: "L['step']",
            old: "1",
            new: "2",
            hits: 12,
            backward: 0.7,
          },
          { start: 24, phases: torch(1.8), cause: "static_value", path: "L['step']", old: "2", new: "3", hits: 12 },
          {
            start: 30,
            phases: { dynamo: 0.2 },
            cause: "recompile_limit",
            failed: "recompile_limit reached",
            fallbacks: 840,
          },
        ],
      },
      {
        name: "loss_fn",
        steps: [
          { start: 1.4, phases: jax(0.5), hits: 2200, inside: 1, root: 1 },
          { start: 14.2, phases: jax(0.4), inside: 1, root: 2, cause: "new_function" },
        ],
      },
    ],
    {
      end: 61,
      eager: [
        {
          name: "jit(convert_element_type)",
          framework: "jax",
          library: true,
          compilations: 41,
          compile_seconds: 1.31,
          sites: [],
        },
        { name: "jit(_normal)", framework: "jax", library: true, compilations: 6, compile_seconds: 0.52, sites: [] },
        {
          name: "jit(broadcast_in_dim)",
          framework: "jax",
          library: true,
          compilations: 12,
          compile_seconds: 0.2,
          sites: [],
        },
        { name: "jit(helper)", framework: "jax", library: false, compilations: 2, compile_seconds: 0.9, sites: [] },
      ],
      eagerTimes: Array.from({ length: 61 }, (_, n) => [n % 4, 0.2 + n * 0.013, 0.011] as [number, number, number]),
      plan: {
        path: "batch['x']",
        axis: 0,
        buckets: [
          { size: 16, sizes: [9, 12, 15], calls: 40, padding: 0.21 },
          { size: 32, sizes: [18, 22, 23, 27, 30, 31], calls: 212, padding: 0.09 },
          { size: 64, sizes: [33, 41, 47, 52, 58, 60, 61, 64], calls: 1204, padding: 0.06 },
        ],
        compilations_before: 17,
        seconds_before: 20.4,
        seconds_after: 3.6,
        padding: 0.07,
        same: ["batch['y'] axis 0"],
        process: null,
      },
    },
  );
}

/** 1,000 functions with 10,000 compilations, over ten minutes. */
export function thousandFunctions(): PageData {
  const next = random(7);
  const kinds = ["shape", "dtype", "static_value", "new_function", "config", "tree_structure", "sharding", "unknown"];
  const made: Made[] = [];
  for (let n = 0; n < 1000; n++) {
    // A few functions compile much, most compile little.
    const count = n < 10 ? 400 : n < 60 ? 40 : n < 500 ? 6 : 3;
    const from = next() * 200;
    const gap = 400 / count;
    const kind = kinds[Math.floor(next() * kinds.length)] ?? "shape";
    const steps = Array.from({ length: count }, (_, k): Step => {
      const size = (next() ** 3 * 2 + 0.02) * (n < 10 ? 0.3 : 1);
      const of = n % 3 === 0 ? torch(size) : jax(size);
      const root = n % 7 === 3 && n > 10 ? 1 + Math.floor(next() * 300) : undefined;
      return {
        start: from + k * gap + next() * gap * 0.5,
        phases: of,
        ...(k === 0 ? {} : { cause: kind, path: "x" }),
        hits: Math.floor(next() * 1000),
        ...(root === undefined ? {} : { root, inside: 1 + (n % 40) }),
      };
    });
    made.push({ name: `package.module_${n % 50}.function_${n}`, framework: n % 3 === 0 ? "torch" : "jax", steps });
  }
  return pageData(made, { end: 640 });
}

/** Eight ranks; rank 5 compiles late and more. */
export function eightRanks(): PageData {
  const made: Made[] = [];
  for (let rank = 0; rank < 8; rank++) {
    const late = rank === 5 ? 3 : 0;
    made.push({
      name: "train_step",
      process: rank,
      steps: [
        { start: 1 + rank * 0.05 + late, phases: jax(5), hits: 400 },
        ...(rank === 5
          ? [{ start: 12, phases: jax(4.2), path: "batch", old: "f32[64]", new: "f32[63]", hits: 20 }]
          : []),
      ],
    });
    made.push({
      name: "loader",
      process: rank,
      steps: [
        { start: 0.3 + rank * 0.03, phases: jax(0.4), hits: 400 },
        { start: 2 + rank * 0.03, phases: jax(0.3), hits: 10, thread: "prefetch-1" },
      ],
    });
  }
  return pageData(made, { end: 20, processes: 8 });
}

/** One function that has compiled for 200 sizes, and one that goes on from each of three types. */
export function manySignatures(): PageData {
  const next = random(3);
  const sizes: Step[] = Array.from({ length: 200 }, (_, n) => ({
    start: 1 + n * 0.4,
    phases: jax(0.1 + next() * 0.2),
    path: "tokens",
    old: `i32[${n}]`,
    new: `i32[${n + 1}]`,
    hits: Math.floor(next() * 4),
  }));
  const types: Step[] = Array.from({ length: 9 }, (_, n) => ({
    start: 2 + n * 8,
    phases: jax(0.5 + next()),
    cause: n === 0 ? "first_compile" : n % 3 === 0 ? "dtype" : n % 3 === 1 ? "static_value" : "shape",
    path: n % 3 === 1 ? "causal" : "q",
    hits: 50,
  }));
  return pageData(
    [
      { name: "tokenize", steps: sizes },
      { name: "attention", steps: types },
    ],
    { end: 90 },
  );
}

/** A lambda that a loop makes anew each time, called twice. */
export function lambdaInLoop(): PageData {
  const made = Array.from(
    { length: 14 },
    (_, n): Made => ({
      name: "main.<locals>.<lambda>",
      line: 19,
      steps: [{ start: 1 + n, phases: jax(0.3), signature: 1, hits: 1, ...(n === 0 ? {} : { cause: "new_function" }) }],
    }),
  );
  return pageData(made, { end: 20 });
}

export const SCENES: Readonly<Record<string, () => PageData>> = {
  five: fiveFunctions,
  thousand: thousandFunctions,
  ranks: eightRanks,
  signatures: manySignatures,
  lambda: lambdaInLoop,
};
