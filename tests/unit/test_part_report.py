"""The report of a part: its own numbers, causes against all that went before."""

from __future__ import annotations

from builders import array, compilation, function, recording, runs, signature, signatures

from jitscope.analysis.part import build_part_report
from jitscope.model.events import NoteEvent, Phase, PhaseEvent


def events():
    known = signatures(1, signature(array("x", "f32", 4)), signature(array("x", "f32", 5)))
    return known, compilation(10, call=1, signature=1), compilation(11, call=4, signature=2, seconds=2.0)


def whole_and_part(*more):
    known, first, second = events()
    whole = recording(
        function(1), function(2, "unused"), *known, NoteEvent("general", "of all"), NoteEvent("own", "of it", 2),
        first, second, runs(1, (1, "compile", 1), (1, "hit", 2), (2, "compile", 1)), *more,
    )  # fmt: skip
    part = recording(function(1), known[1], second, runs(1, (2, "compile", 1)), *more, end=3.0)
    return whole, part


def test_numbers_are_those_of_the_part_and_causes_know_what_was_before():
    report = build_part_report(*whole_and_part())
    (step,) = report.functions

    assert (1, 0, 1, 1, 2.0) == (
        step.calls, step.hits, step.compilations, step.recompilations, step.compile_seconds,
    )  # fmt: skip
    (cause,) = step.compilations_detail[0].causes
    assert ("shape", "f32[4]", "f32[5]") == (cause.kind, cause.old, cause.new)
    assert (1, 1, 2.0, 3.0) == (
        report.totals.compilations, report.totals.recompilations, report.totals.recompile_seconds,
        report.run.wall_seconds,
    )  # fmt: skip
    assert 1 == len(report.findings)


def test_within_the_part_its_first_compilation_is_none_again():
    whole, part = whole_and_part()
    (step,) = build_part_report(whole, part, part).functions

    assert (1, 0) == (step.compilations, step.recompilations)
    assert ["shape"] == [cause.kind for cause in step.compilations_detail[0].causes]


def test_what_memory_had_no_room_for_is_judged_all_the_same():
    whole, part = whole_and_part()
    short = recording(*[event for event in whole.events if getattr(event, "id", None) not in (11, 2)])
    (step,) = build_part_report(short, part).functions

    assert (1, 2.0) == (step.compilations, step.compile_seconds)


def test_a_backward_graph_of_before_is_no_broken_reference():
    report = build_part_report(*whole_and_part(PhaseEvent(10, Phase("backward", 5.0, 1.0))))

    assert 2.0 == report.totals.compile_seconds
    assert ["general"] == [note.slug for note in report.notes]
