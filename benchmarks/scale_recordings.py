"""Large synthetic recordings, for `scale.py`: what a long program would have written, in whatever number of events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from jitscope.model.events import (
    CallsEvent,
    CompilationEvent,
    ContextEvent,
    EndEvent,
    Event,
    FunctionEvent,
    Header,
    Phase,
    Run,
    SignatureEvent,
    Site,
)
from jitscope.model.recording import Recording
from jitscope.model.signature import ArrayLeaf, Signature, StaticLeaf


def header(**fields: object) -> Header:
    """A header; ``fields`` replace the usual ones."""
    usual = Header(
        schema=1,
        jitscope="0.1.0",
        run="20261122-205427-4242",
        argv=("train.py",),
        cwd="/home/u",
        started="2026-11-22T20:54:27Z",
        monotonic=1000.0,
        host="box",
        pid=4242,
    )
    return msgspec.structs.replace(usual, **fields)


def mixed(events: int, functions: int = 1000) -> Recording:
    """About ``events`` of them: functions, each with signatures (a fifth), compilations (a fifth), and calls."""
    functions = max(1, min(functions, events // 10))
    each = max(1, (events - functions) // functions // 5)
    found: list[Event] = [ContextEvent(1, {"jax_enable_x64": "False"})]
    found += [_function(10 + n, n) for n in range(functions)]
    identity = 10 + functions
    for turn in range(each):
        for n in range(functions):
            identity += 2
            found.append(SignatureEvent(identity, 10 + n, _signature(turn, n)))
            found.append(_compilation(identity + 1, 10 + n, identity, turn, n))
            found.append(CallsEvent(10 + n, (Run(identity, "compile", 1),)))
            found += [CallsEvent(10 + n, (Run(identity, "hit", 7 + more),)) for more in range(2)]
    return Recording(header=header(), events=(*found, EndEvent(3600.0)))


def one_function(compilations: int) -> Recording:
    """One function compiled for that many signatures: two sizes vary, each by itself."""
    found: list[Event] = [ContextEvent(1, {"jax_enable_x64": "False"}), _function(10, 0)]
    for n in range(compilations):
        found.append(SignatureEvent(20 + 2 * n, 10, _signature(n % 331, n // 331)))
        found.append(_compilation(21 + 2 * n, 10, 20 + 2 * n, n, 0))
        found.append(CallsEvent(10, (Run(20 + 2 * n, "compile", 1), Run(20 + 2 * n, "hit", 3))))
    return Recording(header=header(), events=(*found, EndEvent(3600.0)))


def rank(number: int, of: int, size: int) -> Recording:
    """One of the recordings of a launch, of about ``size`` bytes; ranks differ in few signatures."""
    compilations = size // 970
    functions = 20
    found: list[Event] = [ContextEvent(1, {"jax_enable_x64": "False"})]
    found += [_function(10 + n, n) for n in range(functions)]
    for n in range(compilations):
        turn = n // functions if n % 97 else n // functions + number
        identity = 100 + 2 * n
        found.append(SignatureEvent(identity, 10 + n % functions, _signature(turn, n % functions)))
        found.append(_compilation(identity + 1, 10 + n % functions, identity, n // functions, n % functions))
        found.append(CallsEvent(10 + n % functions, (Run(identity, "compile", 1), Run(identity, "hit", 50))))
    own = header(
        run=f"20261122-205427-{5000 + number}-r{number}",
        pid=5000 + number,
        rank=number,
        world_size=of,
        monotonic=1000.0 + number / 100,
    )
    return Recording(header=own, events=(*found, EndEvent(3600.0)))


def write(path: Path, recording: Recording) -> Path:
    """Write a recording as capture would."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        for event in (recording.header, *recording.events):
            file.write(encode(event) + b"\n")
    return path


def _function(identity: int, n: int) -> FunctionEvent:
    return FunctionEvent(identity, "jax", f"step_{n}", f"/home/u/part_{n % 17}.py", 10 + n, body=identity)


def _signature(turn: int, n: int) -> Signature:
    leaves = (
        ArrayLeaf("params['w']", "bf16", (128, 64 + n)),
        ArrayLeaf("params['b']", "bf16", (64 + n,)),
        ArrayLeaf("batch['x']", "f32", (1 + turn, 128)),
        ArrayLeaf("batch['y']", "i32", (1 + turn,)),
        StaticLeaf("causal", "bool", str(turn % 2 == 0), token=turn % 2),
    )
    return Signature(leaves=leaves, positional=2, keywords=("causal",))


def _compilation(identity: int, function: int, signature: int, turn: int, n: int) -> CompilationEvent:
    start = identity * 0.001
    return CompilationEvent(
        id=identity,
        function=function,
        program=f"jit(step_{n})",
        call=1 + 4 * turn,
        signature=signature,
        site=Site("/home/u/train.py", 40 + n % 3, "main"),
        start=start,
        wall_seconds=0.06,
        phases=(Phase("trace", start, 0.01), Phase("lower", start + 0.01, 0.01), Phase("compile", start + 0.02, 0.03)),
        layers=("trace", "lower", "compile"),
        persistent_cache="off",
        context=1,
    )


def ranks(folder: Path, count: int, size: int) -> Iterator[Path]:
    """Write the recordings of a launch."""
    for number in range(count):
        yield write(folder / f"r{number:04}.jsonl", rank(number, count, size))
