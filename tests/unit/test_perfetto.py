"""The trace: valid by a schema of the Trace Event Format, nested slices, arrows, counters; nothing invented.

The trace processor of Perfetto itself is not run: its package fetches a program over the network.
"""

import json
import re

import pytest
import subprocesses
from builders import (
    compilation,
    function,
    header,
    jax_phases,
    ranks,
    recording,
    runs,
    signature,
    signatures,
    training,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_check import SCHEMA, check, slices, trace, tracks

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.model.events import Phase, PhaseEvent, Site
from jitscope.render.perfetto import render_perfetto


def test_a_run_has_a_track_for_itself_and_one_for_each_function():
    events = trace(training((64, 64)))

    assert ["run", "train_step"] == tracks(events)
    assert ["train.py --epochs 3"] == [event["args"]["name"] for event in events if event.get("name") == "process_name"]


def test_compilations_are_named_by_their_causes_and_hold_their_phases():
    events = trace(training())

    assert ["compile", "recompile: shape", "recompile: shape"] == [one["name"] for one in slices(events, "compilation")]
    assert ["trace", "lower", "compile"] * 3 == [one["name"] for one in slices(events, "phase")]
    assert [(1_000_000, 200_000), (1_200_000, 200_000), (1_400_000, 1_600_000)] == [
        (one["ts"], one["dur"]) for one in slices(events, "phase")[:3]
    ]


def test_a_compilation_says_why_and_where():
    second = slices(trace(training()), "compilation")[1]["args"]

    assert "batch['x']: f32[64,128] → f32[63,128] (shape)" == second["change 1"]
    assert ("/home/u/train.py:40", "/home/u/train.py:12") == (second["called at"], second["defined at"])
    assert second["fix"].startswith("Pad axis 0")


def test_an_arrow_leads_from_the_call_to_its_compile():
    value = recording(function(), compilation(1, call=7, wall_seconds=3.0))
    ((source, target),) = check(trace(value)).values()

    assert ("call 7", 3_000_000, "compile") == (source["name"], source["dur"], target["name"])
    assert (source["tid"], 1_000_000) == (target["tid"], source["ts"])


def test_several_compilations_of_one_call_are_in_one_slice():
    value = recording(
        function(framework="torch"),
        compilation(1, call=1, wall_seconds=5.0, framework="torch"),
        compilation(2, call=1, wall_seconds=5.0, start=3.0, framework="torch", program="torch_dynamo_resume_in_f_at_3"),
    )
    events = trace(value)

    assert ["call 1"] == [one["name"] for one in slices(events, "call")]
    assert 2 == len(check(events))


def test_an_arrow_leads_from_a_root_to_its_cascade():
    value = recording(
        function(1, "outer", line=1),
        function(2, "inner", line=2),
        compilation(1, 1, start=1.0, seconds=1.0, call=1, phases=jax_phases(4.0, 1.0)),
        compilation(2, 2, start=1.1, seconds=0.2, call=1, inside=1, inside_call=1, wall_seconds=0.2),
    )
    events = trace(value)
    arrows = {(source["name"], target["args"].get("function")) for source, target in check(events).values()}

    assert {("call 1", "inner"), ("compile", "inner")} == arrows
    assert 1 == slices(events, "compilation")[1]["args"]["because of compilation"]


def test_an_arrow_leads_to_a_backward_graph_that_was_compiled_later():
    value = recording(function(), compilation(1, call=1), PhaseEvent(1, Phase("backward", 9.0, 0.5)))
    ((source, target),) = check(trace(value)).values()

    assert ("compile", "backward", 9_000_000, 500_000) == (source["name"], target["name"], target["ts"], target["dur"])


def test_calls_in_threads_that_overlap_have_tracks_of_their_own():
    overlapping = [compilation(n, call=n, start=1.0 + n / 10, seconds=2.0, wall_seconds=2.1) for n in (1, 2, 3)]
    known = [compilation(n, call=n, start=10.0, thread=f"Thread-{n}") for n in (4, 5)]

    assert ["run", "step", "step (2)", "step (3)", "step · Thread-4", "step · Thread-5"] == tracks(
        trace(recording(function(), *overlapping, *known))
    )


def test_lambdas_of_one_source_share_a_track():
    events = []
    for number in range(1, 6):
        events += [function(number, "<lambda>"), compilation(number, number, 0.4, call=1)]

    assert ["run", "<lambda>"] == tracks(trace(recording(*events)))


def test_what_nobody_watched_has_tracks_too():
    value = recording(
        compilation(1, None, library=True, program="add"), compilation(2, None, library=False, program="helper")
    )
    events = trace(value)

    assert ["run", "eager operations", "not watched"] == tracks(events)
    assert ["add", "helper"] == [one["name"] for one in slices(events, "compilation")]


def test_each_process_is_one_in_the_trace():
    events = trace(combine(ranks((64, 63), (64,))))
    names = {event["pid"]: event["args"]["name"] for event in events if event.get("name") == "process_name"}

    assert {100: "rank 0 · train.py --epochs 3", 101: "rank 1 · train.py --epochs 3"} == names
    assert [(100, 0), (101, 2_000_000)] == [(one["pid"], one["ts"]) for one in slices(events, "run")]
    assert {100: 2, 101: 1} == {
        pid: sum(one["pid"] == pid for one in slices(events, "compilation")) for pid in (100, 101)
    }


def test_processes_of_hosts_with_equal_ids_are_told_apart():
    values = ranks((64,), (64,))
    same = [
        value.__class__(header=header(run=value.header.run, rank=rank, world_size=2, pid=7, host=f"h{rank}",
                                      started=value.header.started), events=value.events, wall_seconds=20.0)
        for rank, value in enumerate(values)
    ]  # fmt: skip
    events = trace(combine(same))

    assert 2 == len({event["pid"] for event in events if event.get("name") == "process_name"})


def counters(events, name):
    """Time and value; a viewer's name of a counter is that of the event and that of the value."""
    found = [(event, *one) for event in events if event["ph"] == "C" for one in event["args"].items()]
    return [(event["ts"], value) for event, key, value in found if f"{event['name']} {key}" == name]


def test_counters_step_when_something_is_known_to_have_happened():
    events = trace(training((64, 63)))

    assert [(0, 0.0), (3_000_000, 2.0), (4_000_000, 4.0)] == counters(events, "compile seconds")
    assert [(0, 0), (3_000_000, 1), (4_000_000, 2)] == counters(events, "cache entries")


def test_entries_are_gone_after_a_clear_and_after_a_reset():
    cleared = recording(function(), compilation(1, call=1), compilation(2, call=2, start=5.0, cleared=True))
    reset = recording(
        function(1, "f", framework="torch", line=1),
        function(2, "g", framework="torch", line=2),
        compilation(1, 1, framework="torch"),
        compilation(2, 2, framework="torch", start=5.0, generation=1),
    )

    assert [0, 1, 0, 1] == [value for _, value in counters(trace(cleared), "cache entries")]
    assert [0, 1, 1] == [value for _, value in counters(trace(reset), "cache entries")]


def test_what_failed_makes_no_entry():
    value = recording(function(framework="torch"), compilation(1, failed="recompile limit", layers=()))

    assert [0, 0] == [count for _, count in counters(trace(value), "cache entries")]


def test_hits_have_no_time_and_are_only_counted():
    few, many = trace(training((64, 64))), trace(training((64,) * 501))
    (run,) = slices(many, "run")

    assert [event for event in few if event.get("cat") != "run"] == [
        event for event in many if event.get("cat") != "run"
    ]  # the run's slice has sums
    assert ["train_step: 501 calls, 500 hits"] == run["args"]["calls and hits"]


def test_a_run_without_an_end_says_so():
    (run,) = slices(trace(recording(function(), compilation(1), end=None, wall_seconds=4.0)), "run")

    assert (4_000_000, False) == (run["dur"], run["args"]["ended"])


HOSTILE = (
    "</script><script>alert(1)</script>",
    "a\x00\x1b[31m\nb",
    "\u202egnp.exe",
    '"},{"ph":"X',
    "\\",
    "x" * 1_000_000,
)


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
def test_names_of_programs_are_data(name):
    value = recording(
        function(1, name, file=name, line=1),
        *signatures(1, signature()),
        compilation(1, program=name, call=1, wall_seconds=1.0, site=Site(name, 1, name)),
        compilation(2, None, program=name, library=True),
        runs(1, (1, "compile", 1)),
        header=header(argv=(name,), run=name, versions={name: name}),
    )
    text = render_perfetto(value, build_report(value))
    found = json.loads(text)
    SCHEMA.validate(found)

    assert len(text) < 20_000
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    assert {"M", "B", "E", "s", "f", "C"} == {event["ph"] for event in found["traceEvents"]}


def test_odd_times_stay_within_what_a_viewer_reads():
    trace(recording(function(), compilation(1, start=-5.0, seconds=1e-12), compilation(2, start=1e300, call=2)))


times = st.floats(0, 20, allow_nan=False) | st.sampled_from([1.0, 1.0000004, 2.0])
phases = st.lists(
    st.builds(Phase, st.sampled_from(["trace", "lower", "compile", "dynamo", "backward", "autotune"]), times, times),
    max_size=5,
)


@st.composite
def recordings(draw):
    events = [function(number, f"f{number}", line=number) for number in (1, 2)]
    for number in range(1, draw(st.integers(1, 8)) + 1):
        owner = draw(st.sampled_from([1, 2, None]))
        events.append(
            compilation(
                number,
                owner,
                start=draw(times),
                phases=tuple(draw(phases)),
                call=draw(st.none() | st.integers(1, 3)),
                wall_seconds=draw(st.none() | times),
                inside=draw(st.sampled_from([None, 1, 2])),
                inside_call=draw(st.none() | st.integers(1, 3)),
                thread=draw(st.sampled_from([None, "Thread-1"])),
            )
        )
    return recording(*events)


@settings(max_examples=150, deadline=None)
@given(recordings())
def test_slices_nest_and_arrows_hold_whatever_was_recorded(value):
    events = trace(value)

    assert sum(event.__class__.__name__ == "CompilationEvent" for event in value.events) == len(
        slices(events, "compilation")
    )


def test_the_renderer_loads_no_rich_and_no_networkx():
    done = subprocesses.run(
        "import jitscope.render.perfetto, jitscope.render.csv, jitscope.render.markdown, sys; print(*sys.modules)"
    )
    assert not {"rich", "networkx", "matplotlib", "jax", "torch"} & set(done.stdout.split())
