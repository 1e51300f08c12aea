"""Small synthetic recordings: what a program would have recorded, said in few words."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from jitscope.model.caching import CacheLookup
from jitscope.model.events import (
    CallsEvent,
    CompilationEvent,
    CompilingCallEvent,
    EndEvent,
    Event,
    FunctionEvent,
    Header,
    MeasuredEvent,
    Phase,
    PhaseEvent,
    Run,
    SignatureEvent,
    Site,
    Span,
    StartEvent,
)
from jitscope.model.recording import Recording
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, StaticLeaf


def header(**fields):
    return Header(
        **{
            "schema": 1,
            "jitscope": "0.1.0",
            "run": "20261122-205427-4242",
            "argv": ("train.py", "--epochs", "3"),
            "cwd": "/home/u",
            "started": "2026-11-22T20:54:27Z",
            "monotonic": 1000.0,
            "host": "box",
            "pid": 4242,
            "versions": {"python": "3.11.7", "jax": "0.10.2"},
            "devices": ("cpu:0",),
        }
        | fields
    )


def array(path: str, dtype: str, *shape: int, **fields) -> ArrayLeaf:
    return ArrayLeaf(path=path, dtype=dtype, shape=shape, **fields)


def static(path: str, value: object, **fields) -> StaticLeaf:
    return StaticLeaf(path=path, type=fields.pop("type", type(value).__name__), value=repr(value), **fields)


def signature(*leaves: Leaf, **fields) -> Signature:
    return Signature(leaves=leaves, positional=fields.pop("positional", len(leaves)), **fields)


def function(number: int = 1, name: str = "step", **fields) -> FunctionEvent:
    return FunctionEvent(
        id=number,
        framework=fields.pop("framework", "jax"),
        name=name,
        file=fields.pop("file", "/home/u/train.py"),
        line=fields.pop("line", 12),
        **fields,
    )


def signatures(function: int, *known: Signature, start: int = 1) -> list[SignatureEvent]:
    return [SignatureEvent(start + n, function, one) for n, one in enumerate(known)]


def jax_phases(seconds: float, start: float = 0.0) -> tuple[Phase, ...]:
    """Trace 10 %, lower 10 %, compile 80 % of ``seconds``."""
    return (
        Phase("trace", start, seconds * 0.1),
        Phase("lower", start + seconds * 0.1, seconds * 0.1),
        Phase("compile", start + seconds * 0.2, seconds * 0.8),
    )


def compilation(number: int, function: int | None = 1, seconds: float = 1.0, **fields) -> CompilationEvent:
    start = fields.pop("start", float(number))
    return CompilationEvent(
        id=number,
        function=function,
        program=fields.pop("program", "jit(step)"),
        start=start,
        phases=fields.pop("phases", jax_phases(seconds, start)),
        layers=fields.pop("layers", ("trace", "lower", "compile")),
        site=fields.pop("site", Site("/home/u/train.py", 40, "main")),
        **fields,
    )


def runs(function: int, *runs: tuple) -> CallsEvent:
    return CallsEvent(function, tuple(Run(*run) for run in runs))


def recording(*events: Event, end: float | None = 20.0, **fields) -> Recording:
    """A recording of ``events``; closed after ``end`` seconds, or never."""
    closing = (EndEvent(end),) if end is not None else ()
    fields = {"header": header(), "wall_seconds": end} | fields
    return Recording(events=(*events, *closing), **fields)


def write(path: Path, value: Recording) -> Path:
    """Write ``value`` as the writer would."""
    lines = [msgspec.json.encode(one) for one in (value.header, *value.events)]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def training(batches=(64, 64, 63, 64, 61)) -> Recording:
    """A step called with one size a batch: each new size compiles."""
    known: dict[int, int] = {}
    events: list[Event] = [function(1, "train_step")]
    history = []
    for call, size in enumerate(batches, start=1):
        outcome = "hit"
        if size not in known:
            known[size] = len(known) + 1
            outcome = "compile"
            events += signatures(
                1,
                signature(array("params['w']", "f32", 128, 10), array("batch['x']", "f32", size, 128)),
                start=known[size],
            )
            events.append(
                compilation(len(known), call=call, signature=known[size], seconds=2.0, program="jit(train_step)")
            )
        history.append((known[size], outcome, 1))
    return recording(*events, runs(1, *history))


def slow_start() -> Recording:
    """Two slow first calls, of JAX and of torch, what came before them, and what caches on disk did."""
    found = tuple(Phase(*each) for each in (("trace", 10.5, 1.0), ("lower", 11.5, 0.45), ("compile", 12.0, 1.6)))
    before = tuple(Phase(*each) for each in (("trace", 8.0, 0.1), ("lower", 8.1, 0.1), ("compile", 8.2, 0.3)))
    inside = (
        Span("compile_file", 16.0, 2.0),
        Span("build_guards", 18.5, 0.01),
        Span("gc", 18.52, 0.01),
        Span("inductor_compile", 15.5, 3.5),
        Span("dynamo", 15.0, 4.0),
    )
    site = Site("/home/u/train.py", 40, "main")
    hit = CacheLookup("jax", "hit", key="jit_step-ab", read_seconds=0.25, stored_seconds=2.0, stored_whole=True)
    miss = CacheLookup("fx_graph", "miss", key="fq", reason="no_entry", read_seconds=0.125, unwritten="remote_only")
    return recording(
        StartEvent("python", -0.5, 0.5),
        StartEvent("import jax", 1.0, 2.0),
        function(1, "train_step"),
        function(2, "Model.forward", framework="torch", file="/home/u/model.py", line=7),
        function(3, "quick", file="/home/u/quick.py"),
        compilation(4, None, program="add", library=True, start=8.0, phases=before, site=site),
        compilation(1, 1, call=1, start=10.5, phases=found, caches=(hit,), persistent_cache="hit", wall_seconds=4.0),
        CompilingCallEvent(1, 1, 10.0, 4.0, tuple(Span(one.name, one.start, one.seconds) for one in found), site=site),
        compilation(
            2, 2, call=1, framework="torch", start=15.0, phases=(Phase("dynamo", 15.0, 4.0),), caches=(miss,),
            program="forward", framework_id="0/0", wall_seconds=4.5,
        ),
        CompilingCallEvent(2, 1, 14.75, 4.5, inside, site=site),
        PhaseEvent(2, Phase("backward", 19.5, 0.25)),
        compilation(3, 3, call=1, start=19.75, seconds=0.125),
        MeasuredEvent(1, 1, 4.25, 0.5, steady=(0.1, 0.2, 0.3), eager=(3.0, 1.0), eager_is="as it is written"),
        runs(1, (None, "compile", 1), (None, "hit", 3)),
        runs(2, (None, "compile", 1)),
        runs(3, (None, "compile", 1)),
    )  # fmt: skip


def process(value: Recording, **fields) -> Recording:
    """The same recording, made by another process: its header's fields."""
    return msgspec.structs.replace(value, header=header(**fields))


def ranks(*batches, **fields) -> list[Recording]:
    """The recordings of one launch: `training` with its own batches on each rank, 2 s apart."""
    return [
        process(
            training(sizes),
            run=f"20261122-205427-{100 + rank}-r{rank}",
            rank=rank,
            world_size=len(batches),
            pid=100 + rank,
            started=f"{datetime(2026, 11, 22, 20, 54, 27) + timedelta(seconds=2 * rank):%Y-%m-%dT%H:%M:%SZ}",
            monotonic=1000.0 + 2 * rank,
            **fields,
        )
        for rank, sizes in enumerate(batches)
    ]
