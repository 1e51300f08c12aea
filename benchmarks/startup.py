"""What importing jitscope, the first `watch`, and `jitscope report` take."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import BARE, Options, Row, Table, estimate, in_turns, judge, rows_of
from processes import PROGRAMS, answer, python

HEAVY = ("jax", "torch", "rich", "networkx", "click")
FIRST_WATCH = 0.030
REPORT = 0.5
RECORD = """
import sys, jax, jax.numpy as jnp, jitscope
with jitscope.record(sys.argv[1]):
    for name in range(5):
        f = jitscope.watch(jax.jit(lambda x, n=name: x * n))
        for size in range(1, 9):
            for _ in range(size):
                f(jnp.ones(size))
"""


def measure(options: Options) -> Iterator[Table]:
    """Fresh processes, in turns."""
    check = f"import sys, jitscope; sys.exit(any(name in sys.modules for name in {HEAVY}))"
    python("-c", check)  # raises if `import jitscope` imports any of them
    rows: list[Row] = []
    contest = {
        BARE: functools.partial(_wall, "-c", "pass"),
        "import jitscope": functools.partial(_wall, "-c", "import jitscope"),
    }
    found = in_turns(contest, options.rounds(21, 5))
    times = {name: [one["wall"] for one in answers] for name, answers in found.items()}
    rows += rows_of("python -c, start to end", times, "s")
    for framework in ("jax", "torch"):
        program = str(PROGRAMS / "first_watch.py")
        answers = [answer(program, framework) for _ in range(options.rounds(7 if framework == "jax" else 5, 1))]
        target = "under 30 ms on top of the framework's import"
        for key, name in (("framework", f"import {framework}"), ("watch", "import jitscope, and the first watch")):
            values = [one[key] for one in answers]
            verdict = judge(target, values, FIRST_WATCH) if key == "watch" else None
            rows.append(Row(case=framework, contestant=name, unit="s", value=estimate(values), verdict=verdict))
    recording = Path(tempfile.mkdtemp()) / "small.jsonl"
    python("-c", RECORD, str(recording))
    contest = {
        BARE: functools.partial(_wall, "-c", "pass"),
        "jitscope --help": functools.partial(_wall, "-m", "jitscope", "--help"),
        "jitscope report": functools.partial(_wall, "-m", "jitscope", "report", str(recording)),
    }
    found = in_turns(contest, options.rounds(15, 3))
    times = {name: [one["wall"] for one in answers] for name, answers in found.items()}
    verdict = judge("under 0.5 s, start to end", times["jitscope report"], REPORT)
    lines = len(recording.read_text(encoding="utf-8").splitlines())
    rows += rows_of("commands, start to end", times, "s", {"jitscope report": verdict})
    yield Table(
        name="startup",
        title="Starting",
        method="Fresh processes, in turns. `bare` is `python -c pass`. The frameworks' rows are measured inside of the "
        "process, after the framework was imported and had made a jitted or compiled function. The recording that is "
        f"reported has {lines} lines: 5 functions, 40 compiles.",
        rows=rows,
        notes=[f"`import jitscope` imports none of {', '.join(HEAVY)}."],
    )


def _wall(*args: str) -> dict[str, float]:
    return {"wall": python(*args)[0]}
