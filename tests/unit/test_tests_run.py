"""What a test run compiled, from hand-made recordings: by test, by function, over several workers."""

from __future__ import annotations

from builders import array, compilation, function, recording, runs, signature, signatures

from jitscope.analysis.build import build_report
from jitscope.analysis.tests_run import added_up, summary_of
from jitscope.model.events import LabelEvent
from jitscope.render.tests_run import render_tests_run


def worker(*sizes, name="step"):
    """One test a size, each with a compilation; the second has a label inside of it."""
    events = [function(1, name)]
    for number, size in enumerate(sizes, start=1):
        events += [
            LabelEvent(f"t.py::test_{size}" + (" › epoch 1" if number == 2 else "")),
            *signatures(1, signature(array("x", "f32", size)), start=number + 1),
            compilation(10 + number, call=number, signature=number + 1, seconds=float(number)),
            runs(1, (number + 1, "compile", 1)),
        ]
    return recording(*events, LabelEvent(None), compilation(90, function=None, library=True, seconds=0.5))


def run_of(*sizes, **fields):
    return summary_of(build_report(worker(*sizes, **fields)), f"run-{sizes[0]}.jsonl")


def test_labels_inside_of_a_test_are_the_tests():
    found = {one.test: (one.compilations, one.recompilations, one.seconds) for one in run_of(4, 5).tests}

    assert {"t.py::test_4": (1, 0, 1.0), "t.py::test_5": (1, 1, 2.0), None: (0, 0, 0.5)} == found


def test_a_function_compiled_again_tells_in_which_tests_and_why():
    (step,) = run_of(4, 5, 6).functions

    assert (2, 5.0, ("t.py::test_5", "t.py::test_6"), ("x (shape)",)) == (
        step.recompilations, step.seconds, step.tests, step.causes,
    )  # fmt: skip


def test_workers_are_added_up():
    both = added_up([run_of(4, 5), run_of(7, 8), run_of(9, name="other")], ["worker gw3"])

    assert ("run-4.jsonl", "run-7.jsonl", "run-9.jsonl") == both.recordings
    assert 1.0 + 2.0 + 1.0 + 2.0 + 1.0 + 3 * 0.5 == both.seconds
    (step,) = both.functions
    assert (2, 4.0, ("t.py::test_5", "t.py::test_8")) == (step.recompilations, step.seconds, step.tests)
    assert [None] == [one.test for one in both.tests if one.test is None]


def test_the_summary_reads():
    text = render_tests_run(
        added_up([run_of(4, 5)], ["worker gw1 (what it recorded: run-gw1.jsonl)"]),
        {"t.py::test_4": 2.0, "t.py::test_5": 4.0},
        width=80,
        color=False,
    )

    assert [
        "3.00 s of 6.00 s of tests compiling (50%): 2 compilations, 1 again · 1 eager",
        "  operation · 500 ms more outside of tests",
        "slowest to compile",
        "  2.00 s of 4.00 s  t.py::test_5  1 compilation, 1 again",
        "  1.00 s of 2.00 s  t.py::test_4  1 compilation",
        "compiled again",
        "  2.00 s  step  train.py:12  1 again in 1 test: x (shape)",
        "note: worker gw1 (what it recorded: run-gw1.jsonl) ended without its numbers:",
        "  they are not in here",
        "jitscope report run-4.jsonl",
    ] == text.splitlines()


def test_nothing_compiled_is_said():
    empty = summary_of(build_report(recording()), "run.jsonl")

    assert "nothing was compiled in 1.50 s of tests" in render_tests_run(empty, {"a": 1.5}, width=80, color=False)
