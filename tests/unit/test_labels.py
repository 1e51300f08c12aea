"""Labels: what was compiled and called under each, from hand-made recordings."""

from __future__ import annotations

import msgspec
from builders import array, compilation, function, recording, runs, signature, signatures

from jitscope.analysis.build import build_report
from jitscope.analysis.labels import labels_of
from jitscope.analysis.story import story_of
from jitscope.model.events import LabelEvent, Phase, PhaseEvent
from jitscope.render.text import render_text
from jitscope.render.why import render_why


def two_tests():
    return recording(
        function(1),
        *signatures(1, signature(array("x", "f32", 4)), signature(array("x", "f32", 5))),
        compilation(10, call=1, signature=1, seconds=1.0),
        runs(1, (1, "compile", 1), (1, "hit", 2)),
        LabelEvent("test_a"),
        compilation(11, call=4, signature=2, seconds=2.0),
        compilation(12, function=None, program="jit(add)", library=True, seconds=0.5),
        runs(1, (2, "compile", 1), (None, "nested", 3)),
        LabelEvent("test_b"),
        compilation(13, function=None, program="jit(other)", seconds=0.25),
        runs(1, (2, "hit", 5)),
        PhaseEvent(11, Phase("backward", 9.0, 4.0)),
        LabelEvent("test_a"),
        runs(1, (2, "hit", 1)),
        LabelEvent(None),
    )


def test_each_compilation_and_call_is_told_under_its_label_only():
    report = build_report(two_tests())
    none, a, b = report.labels

    assert (None, 0, 3, 2, 1, 0) == (
        none.text, none.entered, none.calls, none.hits, none.compilations, none.recompilations,
    )  # fmt: skip
    assert ("test_a", 2, 2, 1, 1, 1, 1) == (
        a.text, a.entered, a.calls, a.hits, a.compilations, a.recompilations, a.eager_op_compilations,
    )  # fmt: skip
    assert ("test_b", 1, 5, 5, 0, 1) == (
        b.text, b.entered, b.calls, b.hits, b.compilations, b.unwatched_compilations,
    )  # fmt: skip
    assert ((1,), (11,)) == (a.functions, a.compilations_detail)


def test_sums_over_labels_are_the_totals():
    report = build_report(two_tests())
    totals = report.totals

    assert totals.calls == sum(one.calls for one in report.labels)
    assert totals.hits == sum(one.hits for one in report.labels)
    assert totals.compilations == sum(one.compilations for one in report.labels)
    assert totals.recompilations == sum(one.recompilations for one in report.labels)
    assert totals.compile_seconds == sum(one.compile_seconds for one in report.labels)
    assert totals.eager_op_compile_seconds == sum(
        one.eager_op_compile_seconds + one.unwatched_compile_seconds for one in report.labels
    )


def test_a_backward_graph_belongs_to_the_label_of_its_forward():
    _, a, b = build_report(two_tests()).labels

    assert 6.0 == a.compile_seconds
    assert 0.0 == b.compile_seconds


def test_a_compilation_knows_its_label():
    (step,) = build_report(two_tests()).functions

    assert [None, "test_a"] == [one.label for one in step.compilations_detail]


def test_a_recording_without_labels_has_none():
    assert () == labels_of(recording(function(1), compilation(2)), ())
    assert "by label" not in render_text(build_report(recording(function(1), compilation(2))), width=80, color=False)


def test_the_report_names_the_costliest_labels_first():
    text = render_text(build_report(two_tests()), width=100, color=False)

    assert text.index("test_a") < text.index("under no label") < text.index("test_b")
    assert "6.50 s  test_a  1 compilation, 1 again · 1 eager operation · hits 1 / 2 (50%) · 2 times" in text


def test_a_story_says_under_which_label():
    for wanted in ("step", "step#2"):
        text = render_why(story_of(two_tests(), wanted), width=100, color=False)
        assert "under test_a" in text
    assert "under test_a" not in render_why(story_of(two_tests(), "step#1"), width=100, color=False)


def test_labels_are_data():
    events = [LabelEvent("\x1b[31m\u202e[bold]"), compilation(2, function=None)]
    text = render_text(build_report(recording(*events)), width=100, color=False)

    assert r"\x1b[31m\u202e[bold]" in text


def test_labels_survive_the_file(tmp_path):
    from builders import write

    from jitscope.store.reader import load

    value = two_tests()
    loaded = load(write(tmp_path / "labels.jsonl", value))
    assert build_report(value).labels == build_report(loaded).labels
    assert b'"labels":' in msgspec.json.encode(build_report(loaded))
