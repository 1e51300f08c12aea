"""From events to the numbers of the report: what they mean, to the letter."""

import msgspec
import pytest
from builders import array, compilation, function, header, jax_phases, recording, runs, signature, signatures, training

from jitscope.analysis.build import build_report, empty_function_report
from jitscope.analysis.verdict import verdict_of
from jitscope.model.events import (
    CacheEvent,
    CallsEvent,
    EndEvent,
    NoteEvent,
    Phase,
    PhaseEvent,
    Run,
    Site,
)
from jitscope.model.report import CacheReport, Note

F4, F5, F6 = (signature(array("x", "f32", size)) for size in (4, 5, 6))


def only(report):
    (function,) = report.functions
    return function


def test_a_training_loop():
    report = build_report(training())
    step = only(report)

    assert (5, 2, 3) == (step.calls, step.hits, step.compiling_calls)
    assert (3, 2) == (step.compilations, step.recompilations)
    assert (6.0, 4.0) == pytest.approx((step.compile_seconds, step.recompile_seconds))
    assert {"trace": 0.6, "lower": 0.6, "compile": 4.8} == pytest.approx(step.phases)
    assert "polymorphic" == step.state
    assert [(1, 3, 2, 1), (2, 1, 0, 3), (3, 1, 0, 5)] == [
        (one.id, one.calls, one.hits, one.first_call) for one in step.signatures
    ]
    (family,) = step.families
    assert "params['w']: f32[128,10], batch['x']: f32[$,128]" == family.text
    assert 3 == family.signatures
    assert [False, True, True] == [one.recompile for one in step.compilations_detail]


def test_calls_are_the_sum_of_their_outcomes_and_nested_ones_are_none():
    outcomes = ["hit", "dispatch_miss", "compile", "eager_fallback", "python_path", "nested", "waited", "error"]
    history = runs(1, *((None, outcome, count) for count, outcome in enumerate(outcomes, start=1)))
    step = only(build_report(recording(function(), history)))

    assert (1, 2, 3, 4, 5, 6, 7, 8) == (
        step.hits, step.dispatch_misses, step.compiling_calls, step.eager_fallbacks,
        step.python_path_calls, step.nested_calls, step.waited_calls, step.failed_calls,
    )  # fmt: skip
    assert 1 + 2 + 3 + 4 + 5 + 7 + 8 == step.calls


def test_nested_calls_have_no_ordinal():
    history = runs(1, (1, "compile", 1), (None, "nested", 3), (2, "compile", 1), (2, "hit", 2))
    step = only(build_report(recording(function(), *signatures(1, F4, F5), history)))

    assert [(1, 1), (2, 2)] == [(one.id, one.first_call) for one in step.signatures]


def test_the_history_is_one_whatever_the_flushes():
    parts = [runs(1, (1, "hit", 2)), runs(1, (1, "hit", 3), (1, "error", 1)), CallsEvent(1, (Run(1, "error", 0),))]
    step = only(build_report(recording(function(), *signatures(1, F4), *parts)))

    assert [(1, "hit", 5), (1, "error", 1)] == [(one.signature, one.outcome, one.count) for one in step.history]


def test_what_did_not_compile_is_listed_but_not_counted():
    events = [
        compilation(1, signature=1, call=1),
        compilation(2, signature=1, call=2, layers=("trace", "lower"), phases=jax_phases(1.0)[:2]),
        compilation(3, signature=1, call=3, failed="error: no"),
    ]
    step = only(build_report(recording(function(), *signatures(1, F4), *events)))

    assert (1, 0, 3) == (step.compilations, step.recompilations, len(step.compilations_detail))
    assert pytest.approx(1.0 + 0.2 + 1.0) == step.compile_seconds
    assert 0 == step.recompile_seconds


def test_six_lambdas_of_a_loop_are_one_first_compile_and_five_recompilations():
    events = []
    for number in range(1, 7):
        events.append(function(number, "<lambda>"))
        events += signatures(number, F4, start=number)
        events.append(compilation(number, number, call=1, signature=number, program="jit(<lambda>)"))
    report = build_report(recording(*events))

    assert (6, 5) == (report.totals.compilations, report.totals.recompilations)
    causes = [one.kind for f in report.functions for d in f.compilations_detail for one in d.causes]
    assert ["first_compile"] + ["new_function"] * 5 == sorted(causes)


def test_functions_without_a_file_are_not_taken_for_one():
    events = [function(n, "<lambda>", file="", line=0) for n in (1, 2)] + [compilation(n, n) for n in (1, 2)]

    assert 0 == build_report(recording(*events)).totals.recompilations


@pytest.mark.parametrize("under", ["vmap", "grad", "backward", "transform"])
def test_each_transformation_has_its_first_compile(under):
    events = [compilation(1), compilation(2, under=under), compilation(3, under=under)]
    step = only(build_report(recording(function(), *events)))

    assert [False, False, True] == [one.recompile for one in step.compilations_detail]


def test_a_resume_function_has_its_first_compile():
    resume = {"program": "torch_dynamo_resume_in_step_at_3", "resume_of": "step", "framework": "torch"}
    main = {"program": "step", "framework": "torch"}
    events = [compilation(1, **main), compilation(2, **resume), compilation(3, **main), compilation(4, **resume)]
    step = only(build_report(recording(function(framework="torch"), *events)))

    assert [False, False, True, True] == [one.recompile for one in step.compilations_detail]
    assert 4 == step.compilations


def test_a_late_backward_is_a_phase_of_its_forward():
    late = [PhaseEvent(1, Phase("backward", 9.0, 0.5)), PhaseEvent(1, Phase("backward", 10.0, 0.25))]
    step = only(build_report(recording(function(), compilation(1, seconds=1.0), *late)))
    (detail,) = step.compilations_detail

    assert 1 == step.compilations
    assert {"trace": 0.1, "lower": 0.1, "compile": 0.8, "backward": 0.75} == pytest.approx(detail.phases)
    assert pytest.approx(1.75) == detail.seconds


def test_what_nobody_owns_goes_by_name():
    a, b = Site("a.py", 1, "f"), Site("b.py", 2, "g")
    events = [
        compilation(1, None, 0.1, program="jit(add)", library=True, site=a),
        compilation(2, None, 0.2, program="jit(add)", library=True, site=b),
        compilation(3, None, 0.2, program="jit(add)", library=True, site=b),
        compilation(4, None, 5.0, program="jit(mine)", site=None),
        compilation(5, None, 5.0, program="jit(mine)", failed="error"),
    ]
    report = build_report(recording(*events))

    assert [("jit(mine)", False, 1), ("jit(add)", True, 3)] == [
        (one.name, one.library, one.compilations) for one in report.eager_ops
    ]
    assert (b, a) == report.eager_ops[1].sites
    assert (0, 4) == (report.totals.compilations, report.totals.eager_op_compilations)
    assert pytest.approx(10.5) == report.totals.eager_op_compile_seconds


def test_hits_of_each_entry():
    events = [compilation(7, framework="torch", call=1, signature=1), runs(1, (1, "compile", 1, 7), (1, "hit", 3, 7))]
    step = only(build_report(recording(function(framework="torch"), *signatures(1, F4), *events)))

    assert [3] == [one.hits for one in step.compilations_detail]


def test_avoidable_recompilations():
    weak = signature(array("x", "f32", 4, weak_type=True))
    events = [compilation(n, signature=n, call=n) for n in (1, 2, 3)]
    report = build_report(recording(function(), *signatures(1, weak, F4, F5), *events))

    assert (2, 1) == (report.totals.recompilations, report.totals.avoidable_recompilations)


def test_functions_are_ranked_by_what_they_lost():
    events = [function(n, f"f{n}", line=n) for n in (1, 2, 3)]
    events += [compilation(1, 1, 9.0), compilation(2, 2, 1.0), compilation(3, 2, 1.0), compilation(4, 3, 9.5)]

    assert [2, 3, 1] == [one.id for one in build_report(recording(*events)).functions]


@pytest.mark.parametrize(
    ("sizes", "state"), [(0, "idle"), (1, "monomorphic"), (2, "polymorphic"), (4, "polymorphic"), (5, "megamorphic")]
)
def test_states(sizes, state):
    known = [signature(array("x", "f32", n)) for n in range(1, sizes + 1)]
    events = [compilation(n, signature=n, call=n) for n in range(1, sizes + 1)]

    assert state == only(build_report(recording(function(), *signatures(1, *known), *events))).state


@pytest.mark.parametrize(
    ("second", "state"),
    [
        ({"call": 2}, "thrashing"),
        ({"call": 1}, "monomorphic"),
        ({"call": 2, "evidence": ("0/0: GLOBAL_STATE changed: grad_mode",)}, "monomorphic"),
        ({"call": 2, "under": "vmap"}, "monomorphic"),
        ({"call": 2, "program": "jit(inner)"}, "monomorphic"),
        ({"call": 2, "context": 7}, "monomorphic"),
        ({"call": 2, "failed": "no"}, "monomorphic"),
    ],
)
def test_thrashing_is_compiling_a_signature_again(second, state):
    events = [compilation(1, signature=1, call=1), compilation(2, signature=1, **second)]

    assert state == only(build_report(recording(function(), *signatures(1, F4), *events))).state


def test_a_killed_program_loses_hits_but_not_compiling_calls():
    events = [
        *signatures(1, F4, F5),
        compilation(1, signature=1, call=1),
        runs(1, (1, "compile", 1)),
        compilation(2, signature=2, call=37),
    ]
    report = build_report(recording(function(), *events, end=None))
    step = only(report)

    assert (2, 2) == (step.calls, step.compiling_calls)
    assert [1, 37] == [one.first_call for one in step.signatures]
    assert ["no-end"] == [note.slug for note in report.notes]
    # With an end, the history is whole: nothing is guessed.
    assert 1 == only(build_report(recording(function(), *events))).calls


def test_run_and_end():
    end = EndEvent(3.0, {"torch": "2.13.0"}, ("cpu",))
    report = build_report(recording(end, end=None, header=header(rank=1, world_size=8)))

    assert (3.0, 1, 8, ("cpu",)) == (
        report.run.wall_seconds,
        report.run.rank,
        report.run.world_size,
        report.run.devices,
    )
    assert {"python": "3.11.7", "jax": "0.10.2", "torch": "2.13.0"} == report.run.versions
    assert () == report.notes


def test_notes_are_kept_each_once():
    events = [
        function(name="step"),
        NoteEvent("no-hook", "hits cannot be told apart", function=1),
        NoteEvent("no-hook", "hits cannot be told apart", function=1),
        NoteEvent("odd", "step is odd", function=1),
        NoteEvent("plain", "something"),
    ]
    report = build_report(recording(*events, torn=True, skipped=2))

    assert ["torn", "skipped-events", "no-hook", "odd", "plain"] == [note.slug for note in report.notes]
    assert Note("no-hook", "step: hits cannot be told apart") in report.notes
    assert Note("odd", "step is odd") in report.notes


def test_references_to_nothing_are_cut_and_counted():
    events = [
        compilation(1, 99),
        compilation(2, signature=99),
        PhaseEvent(99, Phase("backward", 0.0, 1.0)),
        runs(99, (None, "hit", 1)),
    ]
    report = build_report(recording(function(), *events))

    assert ["broken-reference"] == [note.slug for note in report.notes]
    assert ": 4;" in report.notes[0].text
    assert (1, 1) == (report.totals.compilations, report.totals.eager_op_compilations)


def test_persistent_caches_are_summed_up():
    events = [CacheEvent("jax", hits=1, misses=2, seconds=0.5), CacheEvent("jax", hits=3)]

    assert (CacheReport("jax", 4, 2, 0.5, saved_unknown=4),) == build_report(recording(*events)).caches


def test_the_verdict():
    eager = compilation(9, None, 2.0, program="jit(add)", library=True)
    events = training().events
    report = build_report(recording(*events[:-1], eager))
    verdict = verdict_of(report)

    assert (20.0, False, 4, 2, 5) == (
        verdict.wall_seconds, verdict.at_least, verdict.compilations, verdict.hits, verdict.calls
    )  # fmt: skip
    assert (8.0, 0.4, 4.0, 0.5) == pytest.approx(
        (verdict.compiling_seconds, verdict.compiling_share, verdict.recompiling_seconds, verdict.recompiling_share)
    )


def test_the_verdict_of_nothing():
    verdict = verdict_of(build_report(recording(end=None)))

    assert (None, True, None, None) == (
        verdict.wall_seconds, verdict.at_least, verdict.compiling_share, verdict.recompiling_share
    )  # fmt: skip


def test_a_function_that_was_never_called():
    report = empty_function_report(function())

    assert (0, "idle", ()) == (report.calls, report.state, report.compilations_detail)


def test_the_same_recording_gives_the_same_report():
    once, twice = (msgspec.json.encode(build_report(training())) for _ in range(2))

    assert once == twice
