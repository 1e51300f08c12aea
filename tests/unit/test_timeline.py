"""When what happened: extents of compiles, and calls between them."""

from __future__ import annotations

import msgspec
import pytest
from builders import compilation, function, jax_phases, process, ranks, recording, runs, signature, signatures, training

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.analysis.select import select_functions
from jitscope.analysis.timeline import timeline_of
from jitscope.model.events import Phase, RepeatEvent, Run


def timeline(value):
    return timeline_of(value, build_report(value))


def test_calls_are_split_where_the_function_compiled():
    one = recording(
        function(),
        *signatures(1, signature(), signature()),
        compilation(1, call=1, signature=1, start=1.0, seconds=2.0),
        compilation(2, call=5, signature=2, start=7.0, seconds=1.0),
        runs(1, (1, "compile", 1), (1, "hit", 3), (2, "compile", 1), (2, "hit", 4), (1, "eager_fallback", 2)),
        end=20.0,
    )

    found = timeline(one).stretches

    assert [(3.0, 7.0, 3, 3, 0), (8.0, 20.0, 6, 4, 2)] == [
        (each.start, each.end, each.calls, each.hits, each.eager_fallbacks) for each in found
    ]


def test_a_run_that_goes_on_past_a_compile_is_split():
    """The cache was cleared: calls of one fate on both sides, and in the history they are neighbours."""
    one = recording(
        function(),
        *signatures(1, signature()),
        compilation(1, call=1, signature=1, start=1.0),
        compilation(2, call=2, signature=1, start=4.0),
        runs(1, (1, "compile", 1), (1, "compile", 1), (None, "nested", 9), (1, "hit", 5)),
    )

    assert [(5.0, 20.0, 5)] == [(each.start, each.end, each.calls) for each in timeline(one).stretches]


def test_every_call_that_did_not_compile_is_in_one_stretch():
    one = training((64, 64, 63, 64, 61, 64, 64))
    report = build_report(one)

    calls = sum(each.calls for each in timeline_of(one, report).stretches)

    assert report.totals.calls - report.totals.compiling_calls == calls


def test_an_end_that_is_not_known_is_none():
    one = recording(
        function(), *signatures(1, signature()), compilation(1, call=1, signature=1),
        runs(1, (1, "compile", 1), (1, "hit", 3)), end=None,
    )  # fmt: skip

    (stretch,) = timeline(one).stretches

    assert stretch.end is None


def test_a_history_that_lost_its_order_is_one_stretch():
    one = recording(
        function(),
        *signatures(1, signature(), signature()),
        compilation(1, call=1, signature=1),
        compilation(2, call=3, signature=2),
        runs(1, (1, "compile", 1), (1, "hit", 1), (2, "compile", 1)),
        RepeatEvent(1, (Run(1, "hit", 1), Run(2, "hit", 1)), 100_000),
    )

    (stretch,) = timeline(one).stretches

    assert (0.0, 20.0, 200_003) == (stretch.start, stretch.end, stretch.calls)


def test_nested_phases_add_up_to_the_extent():
    """torch: dynamo encloses inductor, each has its own time only."""
    phases = (Phase("dynamo", 1.0, 0.5), Phase("aot_autograd", 1.1, 0.25), Phase("inductor", 1.2, 1.0))
    one = recording(function(framework="torch"), compilation(1, call=1, start=1.0, phases=phases))

    (extent,) = timeline(one).extents

    assert (1.0, 2.75) == (extent.start, pytest.approx(extent.end))


@pytest.mark.parametrize("late", ["backward", "autotune"])
def test_what_was_compiled_later_is_an_episode_of_its_own(late):
    phases = (Phase("dynamo", 1.0, 0.5), Phase(late, 9.0, 2.0))
    one = recording(function(framework="torch"), compilation(1, call=1, start=1.0, phases=phases))

    found = timeline(one)

    assert [(0, 1.0, 1.5), (1, 9.0, 11.0)] == [(each.episode, each.start, each.end) for each in found.extents]
    assert [(0, "dynamo"), (1, late)] == [(each.episode, each.phase) for each in found.slices]


def test_a_phase_after_what_others_did_is_no_other_episode():
    """JAX: an eager operation compiled inside the trace is not in the trace's own time."""
    phases = (Phase("trace", 1.0, 0.1), Phase("lower", 3.0, 0.1))

    (extent,) = timeline(recording(function(), compilation(1, call=1, start=1.0, phases=phases))).extents

    assert 3.1 == pytest.approx(extent.end)


def test_what_nobody_watched_is_there_with_its_program():
    one = recording(
        compilation(1, None, program="jit(add)", library=True, start=1.0),
        compilation(2, None, program="jit(mul)", library=True, start=3.0, seconds=5.0),
    )
    report = build_report(one)

    found = timeline_of(one, report)

    assert ["jit(add)", "jit(mul)"] == [report.eager_ops[each.op].name for each in found.unwatched]
    assert [None, None] == [each.function for each in found.extents]


def test_only_what_the_report_holds_is_there():
    one = recording(
        function(1, "kept"), function(2, "other"),
        compilation(1, 1, call=1), compilation(2, 2, call=1), compilation(3, None),
        runs(1, (None, "compile", 1)), runs(2, (None, "compile", 1), (None, "hit", 1)),
    )  # fmt: skip

    found = timeline_of(one, select_functions(build_report(one), "kept"))

    assert [1] == [each.compilation for each in found.extents]
    assert () == found.stretches


def test_ranks_start_when_they_started():
    value = combine(ranks((64, 64), (64, 63)))

    found = timeline(value)

    assert [(0, 1.0), (1, 3.0), (1, 4.0)] == sorted((each.process, each.start) for each in found.extents)
    assert {20.0, 22.0} >= {each.end for each in found.stretches if each.end is not None and each.end > 5}


def test_the_thread_is_told_where_the_recording_has_it():
    one = recording(function(), compilation(1, call=1, phases=jax_phases(1.0), thread="loader-1"))

    assert ["loader-1"] == [each.thread for each in timeline(one).extents]


def test_the_end_is_that_of_the_last_compile_where_none_is_recorded():
    value = process(recording(function(), compilation(1, call=1, start=5.0, seconds=2.0), end=None))

    assert 7.0 == pytest.approx(timeline(msgspec.structs.replace(value, wall_seconds=None)).end)
