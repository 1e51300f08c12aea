"""What a report costs grows with the number of events, not with its square: operations are counted, not timed."""

from __future__ import annotations

import sys

import pytest
from builders import array, compilation, function, recording, runs, signature, signatures

from jitscope.analysis.build import build_report
from jitscope.render.text import render_text


def calls_of(work):
    """How many functions are called, of Python and of C; each turn of a generator counts."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def one_function(compilations, framework="jax"):
    events = [function(framework=framework)]
    for n in range(1, compilations + 1):
        entry = {"framework": "torch", "framework_id": f"0/{n}"} if framework == "torch" else {}
        events += signatures(1, signature(array("x", "f32", n), array("y", "i32", n)), start=2 * n)
        events.append(compilation(2 * n + 1, call=2 * n - 1, signature=2 * n, **entry))
        events.append(runs(1, (2 * n, "compile", 1), (2 * n, "hit", 1)))
    return recording(*events)


def many_functions(count):
    events = []
    for n in range(count):
        start = 10 * n
        events.append(function(start + 1, f"f{n}", line=n + 1, framework=("jax", "torch")[n % 2]))
        events += signatures(start + 1, *(signature(array("x", "f32", size)) for size in (1, 2, 3)), start=start + 2)
        for k in range(3):
            events.append(compilation(start + 5 + k, start + 1, call=k + 1, signature=start + 2 + k))
            events.append(runs(start + 1, (start + 2 + k, "compile", 1)))
    return recording(*events)


def shown(value):
    render_text(build_report(value), width=80, color=False, source="run.jsonl")


@pytest.mark.parametrize(
    "make", [one_function, lambda n: one_function(n, "torch"), many_functions], ids=["jax", "torch", "functions"]
)
def test_four_times_the_events_take_about_four_times_the_work(make):
    small, large = make(250), make(1000)
    shown(make(10))  # what is imported, and kept

    assert calls_of(lambda: shown(large)) < 5 * calls_of(lambda: shown(small))
