"""Combined recordings: sums stay sums, whatever the order."""

import itertools
import random

import msgspec
import pytest
from builders import (
    array,
    compilation,
    function,
    header,
    process,
    ranks,
    recording,
    runs,
    signature,
    signatures,
    static,
    training,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.analysis.divergence import sum_totals, summarize
from jitscope.analysis.story import story_of
from jitscope.model.events import (
    CacheEvent,
    CompilationEvent,
    ContextEvent,
    FunctionEvent,
    LabelEvent,
    NoteEvent,
    Phase,
    PhaseEvent,
)
from jitscope.model.report import Totals
from jitscope.render.why import render_why
from jitscope.store.reader import load


def busy(seed, rank):
    """A bit of everything, of one process."""
    chance = random.Random(seed)
    events = [ContextEvent(900, {"jax_enable_x64": "False"})]
    for number in range(1, chance.randint(2, 5)):
        events += [function(number, f"f{number % 3}", line=number % 3, body=number)]
        known = [signature(array("x", "f32", size), static("n", size, token=chance.randint(1, 9))) for size in range(4)]
        start = 100 * number
        events += signatures(number, *known, start=start)
        history = []
        for call in range(1, chance.randint(1, 9)):
            which = start + chance.randint(0, 3)
            kind = chance.choice(["hit", "compile", "dispatch_miss", "nested", "error"])
            history.append((which, kind, chance.randint(1, 3) if kind != "compile" else 1))
            if kind == "compile":
                inside = chance.choice([None, 1])
                events.append(
                    compilation(
                        1000 * number + call,
                        number,
                        chance.random(),
                        call=call,
                        signature=which,
                        program=f"jit(f{number % 3})",
                        context=900,
                        inside=inside,
                        inside_call=call if inside else None,
                        under=chance.choice([None, None, "grad"]),
                        layers=chance.choice([("trace", "lower", "compile"), ("trace",)]),
                    )
                )
        events.append(runs(number, *history))
    events += [compilation(5000, None, 0.25, program="jit(add)", library=True), NoteEvent("odd", "something", 1)]
    events += [CacheEvent("jax", 1, 2, 0.5)]
    value = recording(*events, end=chance.choice([20.0, None]), torn=chance.choice([False, True]))
    return process(value, run=f"run-{rank}", rank=rank, world_size=3, pid=rank + 1, monotonic=1000.0 + rank)


@pytest.mark.parametrize("seed", range(20))
def test_totals_are_the_sums_of_the_processes_totals(seed):
    parts = [busy(seed * 10 + rank, rank) for rank in range(3)]
    combined = build_report(combine(parts)).totals
    added = [build_report(one).totals for one in parts]

    for name in Totals.__struct_fields__:
        assert getattr(combined, name) == pytest.approx(sum(getattr(one, name) for one in added)), name
    assert msgspec.to_builtins(summarize(parts).totals) == pytest.approx(msgspec.to_builtins(combined))
    assert sum_totals(added) == summarize(parts).totals


@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=6), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_each_process_has_its_own_first_compile(batches):
    totals = build_report(combine(ranks(*batches))).totals

    assert sum(len(set(sizes)) for sizes in batches) == totals.compilations
    assert sum(len(set(sizes)) - 1 for sizes in batches) == totals.recompilations


def test_causes_are_told_against_the_same_process():
    report = build_report(combine(ranks((64, 63), (32, 31))))
    changes = {
        (function.process, cause.old, cause.new)
        for function in report.functions
        for one in function.compilations_detail
        for cause in one.causes
    }

    assert changes == {
        (0, None, None),
        (0, "f32[64,128]", "f32[63,128]"),
        (1, None, None),
        (1, "f32[32,128]", "f32[31,128]"),
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_recordings_makes_no_difference(seed):
    parts = [busy(seed * 10 + rank, rank) for rank in range(3)]
    combined = {msgspec.json.encode(combine(order)) for order in itertools.permutations(parts)}
    summaries = {msgspec.json.encode(summarize(order)) for order in itertools.permutations(parts)}

    assert (1, 1) == (len(combined), len(summaries))


@pytest.mark.parametrize("seed", range(5))
def test_one_recording_alone_gives_its_own_report(seed):
    value = busy(seed, 0)

    assert build_report(combine([value])) == build_report(value)
    assert summarize([value]).totals == build_report(value).totals
    assert () == summarize([value]).divergences


def test_a_combined_recording_is_read_back_as_it_was(tmp_path):
    combined = combine([busy(rank, rank) for rank in range(3)])

    assert combined == load(write(tmp_path / "combined.jsonl", combined))


def test_ids_are_told_apart_and_references_follow():
    combined = combine([busy(rank, rank) for rank in range(3)])
    for kind in (FunctionEvent, CompilationEvent):
        known = [event.id for event in combined.events if isinstance(event, kind)]
        assert len(known) == len(set(known))
    owners = {event.id: event.process for event in combined.events if isinstance(event, FunctionEvent)}
    for event in combined.events:
        if isinstance(event, CompilationEvent) and event.function is not None:
            assert owners[event.function] == event.process


def test_a_reference_to_nothing_stays_one():
    lost = compilation(1, function=7, signature=8)
    parts = [process(recording(lost), run=f"r{rank}", rank=rank, pid=rank) for rank in range(2)]
    parts.append(process(training(), run="r2", rank=2, pid=2))
    report = build_report(combine(parts))

    assert "broken-reference" in {note.slug for note in report.notes}
    assert 2 == report.totals.eager_op_compilations


def test_clocks_of_one_host_are_joined_by_the_monotonic_one_and_hosts_by_the_wall_clock():
    one = process(training((64,)), run="a", rank=0, pid=1, monotonic=1000.0, started="2026-11-22T20:54:27Z")
    same = process(training((64,)), run="b", rank=1, pid=2, monotonic=1003.5, started="2026-11-22T20:54:30Z")
    far = process(
        training((64,)), run="c", rank=2, pid=3, host="other", monotonic=5.0, started="2026-11-22T20:54:29+00:00"
    )
    combined = combine([one, same, far])

    assert [(0.0, "monotonic"), (3.5, "monotonic"), (2.0, "monotonic")] == [
        (each.offset_seconds, each.clock) for each in combined.header.processes
    ]
    assert [1.0, 4.5, 3.0] == [event.start for event in combined.events if isinstance(event, CompilationEvent)]
    assert 23.5 == combined.wall_seconds


def test_a_host_that_was_started_anew_is_placed_by_the_wall_clock():
    one = process(training((64,)), run="a", rank=0, pid=1, monotonic=9000.0)
    other = process(training((64,)), run="b", rank=1, pid=2, monotonic=1.0, started="2026-11-22T20:54:29Z")

    assert [(0.0, "monotonic"), (2.0, "started")] == [
        (each.offset_seconds, each.clock) for each in combine([one, other]).header.processes
    ]


def test_the_header_says_what_the_processes_were():
    value = combine([*ranks((64,), (63,)), process(recording(end=None), run="z", rank=2, pid=9)])

    assert ["rank 0", "rank 1", "rank 2"] == [one.label for one in value.header.processes]
    assert [True, True, False] == [one.ended for one in value.header.processes]
    assert value.header.rank is None
    (note,) = [note for note in build_report(value).notes if note.slug == "no-end"]
    assert note.text.startswith("rank 2 was killed")


def test_calls_that_a_killed_process_did_not_write_are_counted_for_it_alone():
    killed = recording(function(), *signatures(1, signature()), compilation(1, call=3, signature=1), end=None)
    ended = recording(function(), *signatures(1, signature()), compilation(1, call=3, signature=1))
    parts = [process(killed, run="a", rank=0, pid=1), process(ended, run="b", rank=1, pid=2)]

    assert [1, 0] == [one.totals.calls for one in summarize(parts).processes]
    assert 1 == build_report(combine(parts)).totals.calls


def test_a_label_ends_with_its_process():
    labelled = recording(LabelEvent("test_a"), function())
    parts = [process(value, run=f"r{n}", rank=n, pid=n) for n, value in enumerate([labelled, training((64,))])]
    labels = [event for event in combine(parts).events if isinstance(event, LabelEvent)]

    assert [LabelEvent("test_a"), LabelEvent(None)] == labels


def test_a_backward_stays_with_its_forward():
    value = recording(function(), compilation(1, seconds=1.0), PhaseEvent(1, Phase("backward", 5.0, 3.0)))
    parts = [process(value, run=f"r{n}", rank=n, pid=n, monotonic=1000.0 + n) for n in range(2)]
    report = build_report(combine(parts))

    assert [4.0, 4.0] == [pytest.approx(one.compile_seconds) for one in report.functions]


def test_compile_ids_of_another_process_are_not_taken_for_this_ones():
    def entries(sizes):
        known = signatures(1, *(signature(array("x", "f32", size)) for size in sizes))
        made = [
            compilation(n + 10, framework="torch", call=n, signature=n, framework_id=f"0/{n - 1}", program="f")
            for n in range(1, len(sizes) + 1)
        ]
        return recording(function(framework="torch"), *known, *made)

    parts = [process(entries((4, 5)), run=f"r{n}", rank=n, pid=n) for n in range(2)]
    story = story_of(combine(parts), "step#4")

    assert 3 == story.timeline[3].compared_with
    text = render_why(story_of(combine(parts), "step"), width=80, color=False)
    assert "f1  rank 0" in text


def test_one_function_in_several_processes_is_one_group_in_the_story():
    story = story_of(combine(ranks((64, 63), (64, 61))), "train_step")

    assert (["rank 0", "rank 1"], 4, 2) == (
        [one.process for one in story.objects],
        story.compilations,
        story.recompilations,
    )
    assert [(64, 2), (63, 1), (61, 1)] == [
        (int(one.text.split("batch['x']: f32[")[1].split(",")[0]), one.calls) for one in story.signatures
    ]


def test_the_share_of_time_is_that_of_all_processes():
    from jitscope.analysis.verdict import verdict_of

    assert 0.1 == pytest.approx(verdict_of(build_report(combine(ranks((64,), (64,), (64,), (64,))))).compiling_share)


def test_a_bucket_plan_is_for_one_process():
    (finding,) = build_report(combine(ranks(range(64, 50, -1), range(64, 60, -1)))).findings

    assert (0, 14) == (finding.plan.process, finding.plan.compilations_before)
    assert 16 == len(finding.compilations)


def test_header_fields_of_one_process_are_none():
    assert () == header().processes
