"""The anatomy of first calls, on recordings made by hand."""

import msgspec
import pytest
from builders import compilation, function, header, recording, runs
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.break_even import break_even
from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.analysis.first_call import first_calls
from jitscope.analysis.first_select import select_call
from jitscope.analysis.parts import seconds_together
from jitscope.errors import JitscopeError
from jitscope.model.events import CompilingCallEvent, EndEvent, MeasuredEvent, Phase, PhaseEvent, Site, Span, StartEvent

SITE = Site("/home/u/train.py", 40, "main")


def phases(start, *seconds):
    """Trace, lower, compile, one after the other."""
    found = []
    for name, each in zip(("trace", "lower", "compile"), seconds, strict=True):
        found.append(Phase(name, start, each))
        start += each
    return tuple(found)


def spans(found, program="step"):
    return tuple(Span(phase.name, phase.start, phase.seconds, program) for phase in found)


def op(number, start, *, name="add", seconds=(0.1, 0.1, 0.2), **fields):
    """An eager operation's program."""
    return compilation(
        number, None, program=name, library=True, start=start, phases=phases(start, *seconds), site=SITE, **fields
    )


def jax_call(**fields):
    """A call from 10.0 to 14.0: 0.5 s before the trace, then 1, 0.5, 1.5 s, then 0.5 s until it returned."""
    found = phases(10.5, 1.0, 0.5, 1.5)
    return [
        function(1),
        compilation(1, call=1, phases=found, start=10.5, wall_seconds=4.0, persistent_cache="off"),
        CompilingCallEvent(1, 1, 10.0, 4.0, spans(found), site=SITE, **fields),
        runs(1, (None, "compile", 1), (None, "hit", 3)),
    ]


def torch_call(kind="function"):
    """A call from 0 to 10: two frames compiled, with runs between and after, and a backward graph later."""
    steps = (
        Span("build_guards", 3.0, 1.0),
        Span("compile_file", 1.5, 1.0),
        Span("inductor_compile", 1.25, 1.5),
        Span("entire_frame_compile", 1.0, 3.25),
        Span("dynamo", 1.0, 3.5),
        Span("dynamo", 6.0, 2.0),
    )
    return recording(
        function(1, "f", framework="torch", kind=kind),
        compilation(1, framework="torch", call=1, phases=(Phase("dynamo", 1.0, 3.5),), wall_seconds=10.0),
        CompilingCallEvent(1, 1, 0.0, 10.0, steps, site=SITE),
        PhaseEvent(1, Phase("backward", 12.0, 0.75)),
    )


def only(value):
    (one,) = first_calls(value).calls
    return one


def tree(parts):
    return {part.label: tree(part.parts) or part.seconds for part in parts}


def test_a_jax_call_is_its_phases_and_its_dispatch_and_the_rest_is_not_attributed():
    one = only(recording(*jax_call()))

    assert {"trace": 1.0, "lower": 0.5, "compile (XLA)": 1.5, "dispatch": 0.5} == tree(one.parts)
    assert (4.0, 0.5, 0.875) == (one.seconds, one.not_attributed, one.attributed)
    assert [0.5, 1.5, 2.0, 3.5] == [part.start for part in one.parts]
    assert (True, True, SITE) == (one.first, one.complete, one.site)
    assert ["asynchronous", "not-measured"] == [note.slug for note in one.notes]


def test_eager_operations_inside_are_one_part_and_are_listed_with_their_places():
    inner = [op(2, 11.0, inside=1, inside_call=1), op(3, 11.5, name="mul", inside=1, inside_call=1)]
    found = phases(10.5, 2.0, 0.5, 0.5)
    events = (
        function(1),
        *inner,
        compilation(1, call=1, phases=found, start=10.5),
        CompilingCallEvent(1, 1, 10.0, 4.0, (*spans(inner[0].phases), *spans(inner[1].phases), *spans(found))),
    )
    one = only(recording(*events))
    trace = one.parts[0]

    assert pytest.approx(0.8) == trace.parts[0].seconds
    assert ("eager operations", 2, "add 1×, mul 1×") == (
        trace.parts[0].label,
        trace.parts[0].count,
        trace.parts[0].program,
    )
    assert pytest.approx(1.2) == trace.own
    assert [("add", 1, (SITE,)), ("mul", 1, (SITE,))] == [(each.name, each.count, each.sites) for each in one.eager_ops]
    assert any("inside of this call" in text and "numpy" in text for text in one.advice)


def test_eager_operations_before_are_told_with_the_call_that_follows_and_once():
    first, *more = jax_call()
    again = phases(20.0, 0.1, 0.1, 0.1)
    events = [
        first,
        function(2, "other", line=50),
        *[op(10 + n, 1.0 + n) for n in range(6)],
        *more,
        op(20, 15.0, name="mul"),
        compilation(30, 2, call=1, phases=again, start=20.0),
        CompilingCallEvent(2, 1, 20.0, 0.3, spans(again)),
    ]
    found = first_calls(recording(*events))
    step, other = found.calls

    assert [("add", 6)] == [(one.name, one.count) for one in step.eager_before]
    assert [("mul", 1)] == [(one.name, one.count) for one in other.eager_before]
    assert any(text.startswith("6 operations (add; the costliest at train.py:40) were") for text in step.advice)
    assert [("add", 6)] == [(one.name, one.count) for one in found.start_up[0].eager_ops]


def test_a_torch_call_is_its_steps_and_what_ran_between_and_after():
    one = only(torch_call())
    dynamo, run = one.parts[0], one.parts[1]

    assert {"dynamo": {"inductor": {"C++ compile": 1.0}, "guards": 1.0}, "run": 3.5} == tree(one.parts)
    assert (2, 5.5, 3.0) == (dynamo.count, dynamo.seconds, dynamo.own)
    assert (2, 4.5) == (run.count, run.start)
    assert 1.0 == one.not_attributed
    assert [("backward", 0.75)] == [(part.name, part.seconds) for part in one.later]


@pytest.mark.parametrize("step", ["compile_file", "async_compile.wait", "async_compile.precompile"])
def test_where_kernels_take_much_of_it_the_folder_that_keeps_them_is_named(step):
    one = only(
        recording(
            function(1, "f", framework="torch"),
            compilation(1, framework="torch", call=1, phases=(Phase("dynamo", 1.0, 3.5),), wall_seconds=10.0),
            CompilingCallEvent(1, 1, 0.0, 10.0, (Span(step, 1.0, 4.0), Span("dynamo", 1.0, 5.0)), site=SITE),
        )
    )
    assert ["TORCHINDUCTOR_CACHE_DIR" in text for text in one.advice] == [True]


@pytest.mark.parametrize(
    ("devices", "returned", "told"),
    [("jax: NVIDIA H100 80GB HBM3 x1", 8.0, True), ("jax: cpu x1", 8.0, False), ("jax: NVIDIA H100 x1", 4.0, False)],
)
def test_what_a_gpu_loads_at_its_first_run_is_said_to_be_in_dispatch(devices, returned, told):
    found = phases(10.5, 1.0, 0.5, 1.5)
    one = only(
        recording(
            function(1),
            compilation(1, call=1, phases=found, start=10.5, wall_seconds=returned),
            CompilingCallEvent(1, 1, 10.0, returned, spans(found), site=SITE),
            EndEvent(20.0, devices=(devices,)),
            end=None,
        )
    )
    assert told == ("loading" in [note.slug for note in one.notes])


def test_what_a_region_does_besides_is_not_told_to_run():
    one = only(torch_call("region"))

    assert ["dynamo"] == [part.name for part in one.parts]
    assert 4.5 == one.not_attributed


@pytest.mark.parametrize("steps", [(), (Span("entire_backward_compile", 5.01, 0.9),)], ids=["thread", "same thread"])
def test_a_backward_graph_compiled_inside_of_a_regions_call_is_told_once(steps):
    value = recording(
        function(1, "train_step", framework="python", kind="region"),
        compilation(1, framework="torch", call=1, phases=(Phase("dynamo", 1.0, 2.0),)),
        CompilingCallEvent(1, 1, 0.0, 10.0, (Span("dynamo", 1.0, 2.0), *steps)),
        PhaseEvent(1, Phase("backward", 5.0, 1.0)),
    )
    one = only(value)

    assert {"dynamo": 2.0, "backward": 0.9 if steps else 1.0} == pytest.approx(tree(one.parts))
    assert () == one.later


def test_a_compile_of_another_function_in_the_call_has_its_name():
    found = phases(11.0, 0.5, 0.5, 1.0)
    events = (
        function(1, "outer", framework="python", kind="region"),
        function(2, "inner", line=30),
        compilation(1, 2, call=1, phases=found, start=11.0, inside=1, inside_call=1),
        CompilingCallEvent(1, 1, 10.0, 4.0, spans(found)),
    )
    outer = next(one for one in first_calls(recording(*events)).calls if one.name == "outer")

    assert 4.0 == seconds_together(first_calls(recording(*events)).calls)
    assert {"trace of inner": 0.5, "lower of inner": 0.5, "compile (XLA) of inner": 1.0} == tree(outer.parts)


def test_without_spans_the_phases_are_told_and_that_it_is_only_them():
    value = recording(function(1), op(9, 1.2, inside=1, inside_call=1), compilation(1, call=1, wall_seconds=2.0))
    one = only(value)

    assert {"trace": 0.1, "lower": 0.1, "compile (XLA)": 0.8, "eager operations": 0.4} == pytest.approx(tree(one.parts))
    assert pytest.approx(0.6) == one.not_attributed
    assert not one.complete
    assert "phases-only" == one.notes[0].slug
    assert all(part.start is None for part in one.parts)


def test_without_a_wall_time_the_sum_of_the_phases_is_told_as_such():
    one = only(recording(function(1), compilation(1, call=1)))

    assert (1.0, 0.0, 1.0) == (one.seconds, one.not_attributed, one.attributed)
    assert "no-wall-time" in [note.slug for note in one.notes]


def test_spans_that_were_left_out_are_told():
    assert "the 7 shortest steps" in only(recording(*jax_call(left_out=7))).notes[0].text


def test_programs_of_a_region_whose_spans_were_left_out_are_its_parts_all_the_same():
    found = [msgspec.structs.replace(op(number, 10.0 + number, call=1), function=1) for number in (1, 2, 3)]
    found[1] = msgspec.structs.replace(found[1], phases=(*found[1].phases, Phase("cache_read", 12.2, 0.05)))
    # Of the first one all is kept, of the second one the lowering.
    kept = (*spans(found[0].phases, "add"), Span("lower", 12.1, 0.1, "add"))
    event = CompilingCallEvent(1, 1, 10.5, 4.0, kept, left_out=5)
    one = only(recording(function(1, kind="region", framework="python"), *found, event))
    (part,) = one.parts

    assert ("eager_op", 3) == (part.name, part.count)
    assert pytest.approx(3 * 0.4 + 0.05) == part.seconds
    assert pytest.approx(4.0 - part.seconds) == one.not_attributed


def test_what_was_compiled_to_measure_a_call_is_not_told_to_the_program():
    measuring = MeasuredEvent(1, 1, 4.0, 0.5, (0.1,), (0.5, 0.1), "as it is", start=9.0, seconds=7.0)
    later = phases(20.0, 0.1, 0.1, 0.2)
    value = recording(
        op(11, 1.0, name="weights"),
        op(12, 9.1, name="copy"),
        *jax_call(),
        op(13, 15.0, name="measured"),
        op(14, 17.0, name="inputs"),
        function(2, "next"),
        compilation(2, 2, call=1, phases=later, start=20.0),
        CompilingCallEvent(2, 1, 20.0, 0.5, spans(later, "next")),
        measuring,
    )
    found = first_calls(value)
    before = {one.name: [each.name for each in one.eager_before] for one in found.calls}
    (start_up,) = found.start_up

    assert {"step": ["weights"], "next": ["inputs"]} == before
    assert ["weights"] == [each.name for each in start_up.eager_ops]
    assert 9.0 == start_up.seconds


def test_what_was_compiled_ahead_of_time_belongs_to_no_call():
    assert () == first_calls(recording(function(1), compilation(1, under="aot"))).calls


def test_what_came_before_counts_from_the_start_of_the_process_imports_in_each_other():
    starts = [
        StartEvent("python", -0.5, 0.5),
        StartEvent("import torch._dynamo", 2.0, 1.0),
        StartEvent("import torch", 1.0, 3.0),
    ]
    (before,) = first_calls(recording(*starts, *jax_call())).start_up

    assert ("process", 10.5) == (before.since, before.seconds)
    assert {"start Python and jitscope": 0.5, "import torch": {"import torch._dynamo": 1.0}} == tree(before.parts)
    assert 7.0 == before.not_attributed


def test_an_import_inside_of_the_call_is_one_of_its_parts():
    head, made, call, history = jax_call()
    imported = Span("import triton", 10.1, 0.3)
    call = msgspec.structs.replace(call, spans=(imported, *call.spans))
    one = only(recording(head, made, call, history, StartEvent("import triton", 10.1, 0.3)))

    assert "import triton" == one.parts[0].label
    assert pytest.approx(0.2) == one.not_attributed


@pytest.mark.parametrize(
    ("measured", "after"),
    [
        ((10.0, 1.0, 1.0, 2.0, 2.0), 10 - 1),  # 10 + 1 + 7 = 18 = 2 + 16
        ((10.0, 1.0, 1.0, 12.0, 2.0), 1),
        ((10.0, 1.0, 1.0, 9.5, 1.5), 2),
        ((10.0, 1.0, 2.0, 2.0, 2.0), None),
        ((10.0, 1.0, 3.0, 2.0, 2.0), None),
        ((1.0, 1e300, 0.0, 1e-308, 1e-308), None),
    ],
)
def test_compiling_has_paid_for_itself(measured, after):
    assert after == break_even(*measured)


@given(*[st.floats(0.001, 100.0)] * 5)
def test_break_even_is_the_first_number_of_calls_that_takes_no_longer(first, second, steady, eager_first, eager_steady):
    def compiled(calls):
        return first + second * (calls > 1) + steady * max(calls - 2, 0)

    def eager(calls):
        return eager_first + eager_steady * (calls - 1)

    after = break_even(first, second, steady, eager_first, eager_steady)
    if after is None:
        assert all(compiled(calls) > eager(calls) for calls in (1, 2, 3, 10, 1000))
    else:
        assert compiled(after) <= eager(after) * (1 + 1e-6)
        assert after == 1 or compiled(after - 1) > eager(after - 1) * (1 - 1e-6)


def test_what_was_measured_is_in_medians():
    event = MeasuredEvent(1, 1, 5.0, 0.5, (0.1, 0.2, 0.9), (3.0, 1.0, 1.0), "as it is")
    one = only(recording(*jax_call(), event))

    assert (5.0, 0.5, 0.2, 3, 3.0, 1.0, 3) == (
        one.measured.first,
        one.measured.second,
        one.measured.steady,
        one.measured.steady_calls,
        one.measured.eager_first,
        one.measured.eager_steady,
        one.measured.eager_calls,
    )
    assert 4 == one.measured.pays_after
    assert () == one.notes


def test_a_call_of_many_is_told_by_its_compilation():
    second = phases(30.0, 0.1, 0.1, 0.2)
    value = recording(
        *jax_call(),
        compilation(2, call=5, phases=second, start=30.0, wall_seconds=1.0),
        compilation(3, under="aot"),
    )
    one, before = select_call(value, "step#2")

    assert (5, False, None) == (one.call, one.first, before)
    assert select_call(value, "step")[1] is not None
    for wanted, text in (("step#4", "no compilation #4"), ("step#3", "ahead of time"), ("stop", "did you mean step?")):
        with pytest.raises(JitscopeError, match=text):
            select_call(value, wanted)


def test_a_function_that_compiled_in_no_call_has_no_first_call():
    with pytest.raises(JitscopeError, match="no call of it compiled"):
        select_call(recording(function(1), runs(1, (None, "hit", 2))), "step")


def test_where_it_compiled_in_no_call_that_is_told():
    under_grad = recording(function(1), compilation(1, under="transform"))
    watched_inside = recording(
        function(1, "train_step", kind="region", framework="python"),
        function(2, "model"),
        compilation(1, 2, call=1, inside=1, inside_call=1),
    )

    with pytest.raises(JitscopeError, match="under a transformation"):
        select_call(under_grad, "step")
    with pytest.raises(JitscopeError, match="the watched functions there: model"):
        select_call(watched_inside, "train_step")


def test_calls_of_combined_recordings_are_their_processes_own():
    ranks = [
        recording(
            *jax_call(),
            StartEvent("python", -0.5, 0.5),
            header=header(rank=rank, world_size=2, run=f"r{rank}", pid=rank, monotonic=1000.0 + 2 * rank),
        )
        for rank in (0, 1)
    ]
    found = first_calls(combine(ranks))

    assert [0, 1] == sorted(one.process for one in found.calls)
    assert [4.0, 4.0] == [one.seconds for one in found.calls]
    assert [10.5, 10.5] == pytest.approx([one.seconds for one in found.start_up])
    assert [1.0, 1.0] == pytest.approx([one.parts[0].seconds for one in found.calls])


def test_a_report_has_the_longest_and_a_recording_without_functions_is_fine():
    assert ["step"] == [one.name for one in build_report(recording(*jax_call())).first_calls]
    lost = CompilingCallEvent(77, 1, 0.0, 1.0)
    assert () == build_report(recording(lost)).first_calls
    assert () == first_calls(recording(EndEvent(1.0))).start_up
