"""When compilations ran, and their phases one after another."""

from itertools import pairwise

from builders import compilation, function, recording, training
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.build import build_report
from jitscope.analysis.select import select_functions
from jitscope.analysis.timed import lanes, stretches, timed_compilations
from jitscope.model.events import Phase, PhaseEvent


def timed(value):
    return timed_compilations(value, build_report(value))


def test_compilations_come_in_the_order_in_which_they_began():
    value = recording(function(), compilation(1, start=5.0, call=2), compilation(2, start=1.0, call=1))

    assert [2, 1] == [one.id for one in timed(value)]


def test_phases_follow_each_other_as_recorded():
    (one,) = timed(recording(function(), compilation(1, start=3.0, seconds=2.0)))

    assert [("trace", 3.0, True), ("lower", 3.2, True), ("compile", 3.4, True)] == [
        (phase.name, round(phase.start, 9), phase.known) for phase in one.phases
    ]
    assert (3.0, 5.0) == (one.start, round(one.end, 9))


def test_phases_that_share_a_start_are_laid_one_after_another_and_say_so():
    phases = (Phase("dynamo", 1.0, 0.5), Phase("aot_autograd", 1.0, 0.25), Phase("inductor", 1.0, 1.0))
    found = stretches(phases)

    assert [(1.0, True), (1.5, False), (1.75, False)] == [(one.start, one.known) for one in found]
    assert [0.5, 0.25, 1.0] == [one.seconds for one in found]


def test_a_backward_graph_compiled_later_is_apart_from_its_compilation():
    (one,) = timed(recording(function(), compilation(1, seconds=1.0), PhaseEvent(1, Phase("backward", 9.0, 0.5))))

    assert (2.0, [(9.0, 0.5, True)]) == (one.end, [(late.start, late.seconds, late.known) for late in one.late])
    assert 1.5 == one.seconds


def test_what_ran_at_an_unknown_time_has_a_duration_only():
    phases = (Phase("dynamo", 1.0, 0.5), Phase("autotune", 1.0, 2.0))
    (one,) = timed(recording(function(), compilation(1, phases=phases)))

    assert ([("autotune", False)], 1.5) == ([(late.name, late.known) for late in one.late], one.end)


def test_causes_are_those_of_the_report():
    first, second, third = timed(training())

    assert ((("first_compile",), False), (("shape",), True)) == (
        (first.causes, first.recompile),
        (second.causes, second.recompile),
    )
    assert third.recompile


def test_programs_that_nobody_watched_are_there_unless_the_report_is_of_one_function():
    value = recording(function(), compilation(1), compilation(2, None, library=True, program="jit(add)"))
    report = build_report(value)

    assert [("step", 1), ("jit(add)", None)] == [(one.name, one.function) for one in timed_compilations(value, report)]
    assert [1] == [one.id for one in timed_compilations(value, select_functions(report, "step"))]


spans = st.tuples(st.floats(0, 100, allow_nan=False) | st.sampled_from([1.0, 2.0]), st.floats(0, 10, allow_nan=False))


@given(st.lists(spans, max_size=8))
def test_no_phase_ever_overlaps_the_next_and_none_grows(found):
    phases = [Phase(f"p{n}", start, seconds) for n, (start, seconds) in enumerate(found)]
    made = stretches(phases)
    recorded = {phase.name: phase for phase in phases}

    assert {one.name for one in made} == set(recorded)
    for before, after in pairwise(made):
        assert before.end <= after.start + 1e-9
    for one in made:
        assert one.start >= recorded[one.name].start
        assert one.seconds <= recorded[one.name].seconds
        assert not one.known or one.start >= recorded[one.name].start


@given(st.lists(spans, max_size=20))
def test_lanes_hold_everything_and_never_overlap(found):
    intervals = [stretches([Phase(str(n), *span)])[0] for n, span in enumerate(found)]
    made = lanes(intervals)

    assert sorted(one.name for one in intervals) == sorted(one.name for lane in made for one in lane)
    for lane in made:
        for before, after in pairwise(lane):
            assert before.end <= after.start
