"""What `jitscope run` costs a whole program."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import Any

from harness import BARE, Options, Table, in_turns, judge, ratios, rows_of
from processes import PROGRAMS, answer, python

TARGET = "at most 1 % slower, where it computes for more than 10 s"
LIMIT = 0.01


def measure_jax(options: Options) -> Iterator[Table]:
    """A training loop on JAX."""
    yield _table("jax", options)


def measure_torch(options: Options) -> Iterator[Table]:
    """A training loop on torch."""
    yield _table("torch", options)


def _table(framework: str, options: Options) -> Table:
    program = str(PROGRAMS / f"train_{framework}.py")
    length = 2 if options.quick else 11
    tried = answer(program, "--seconds", "1" if options.quick else "3")
    steps = str(round(tried["steps"] * length / tried["loop"]))
    folder = tempfile.mkdtemp()

    def run(*command: str) -> dict[str, Any]:
        seconds, printed = python(*command, program, steps, env={"JITSCOPE_DIR": folder})
        told = json.loads(printed.splitlines()[-1])
        return {"wall": seconds, "rest": seconds - told["loop"], **told}

    bare, watched = BARE, "jitscope run"
    found = in_turns({bare: run, watched: lambda: run("-m", "jitscope", "run")}, options.rounds(5, 1))
    losses = {one["loss"] for answers in found.values() for one in answers}
    if len(losses) != 1:
        raise AssertionError(f"watching changed the result: {losses}")
    rows = []
    for case, key in (("start to end", "wall"), ("the loop alone", "loop"), ("all but the loop", "rest")):
        times = {name: [one[key] for one in answers] for name, answers in found.items()}
        verdict = judge(TARGET, ratios(times, watched, bare), 1 + LIMIT)
        rows += rows_of(case, times, "s", {watched: verdict} if key == "wall" else None)
    return Table(
        name=f"whole_{framework}",
        title=f"A program under jitscope run: {'JAX' if framework == 'jax' else 'torch'}",
        method=f"A training loop of {int(steps):,} steps, about {length} s, in fresh processes, in turns. The last "
        "batch of 50 is shorter, so there are two compiles. `jitscope run` records to a file and prints its report at "
        "the end. Both end with the same loss.",
        rows=rows,
        notes=["What is outside of the loop (imports, compiles, jitscope's report) does not grow with its length."],
    )
