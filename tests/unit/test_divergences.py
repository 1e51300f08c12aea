"""What some ranks compile, and others do not."""

import msgspec
from builders import array, compilation, function, process, ranks, recording, runs, signature, signatures, static

from jitscope.analysis import functions
from jitscope.analysis.build import build_report
from jitscope.analysis.divergence import summarize
from jitscope.model.events import FunctionEvent


def one(rank, *leaves, rank_known=True, name="step", times=1, seconds=1.0, **fields):
    made = [compilation(10 + n, seconds=seconds, call=n, signature=1) for n in range(1, times + 1)]
    value = recording(
        function(1, name), *signatures(1, signature(*leaves)), *made, runs(1, (1, "compile", times), (1, "hit", 3))
    )
    who = {"rank": rank, "world_size": 4} if rank_known else {"process": f"worker-{rank}", "program": "p"}
    return process(value, run=f"r{rank}", pid=rank, **who | fields)


X = array("x", "f32", 8)


def test_ranks_that_do_the_same_do_not_diverge():
    assert () == summarize(ranks((64, 63), (64, 63), (64, 63))).divergences


def test_what_a_rank_alone_compiled_is_told_with_who_and_why():
    (found,) = summarize(ranks((64, 64, 64), (64, 64, 61), (64, 64, 64))).divergences

    assert ((1,), (0, 2), ()) == (found.compiled_by, found.missing_in, found.never_met)
    assert {0: 0, 1: 1, 2: 0} == found.compilations
    assert ("train_step", 2.0, 2.0, ("shape",)) == (found.name, found.seconds, found.slowest_seconds, found.causes)
    assert "batch['x']: f32[61,128]" in found.signature


def test_the_costliest_comes_first():
    parts = [one(0, X, name="cheap"), one(1, X, name="dear", seconds=9.0)]

    assert ["dear", "cheap"] == [each.name for each in summarize(parts).divergences]


def test_a_function_that_a_rank_never_met_is_a_divergence():
    (found,) = summarize([one(0, X), process(recording(), run="r1", rank=1, world_size=4, pid=1)]).divergences

    assert ((0,), (1,), (1,)) == (found.compiled_by, found.missing_in, found.never_met)


def test_processes_that_are_no_ranks_are_compared_where_they_share_the_function():
    main, worker = one(0, X, rank_known=False), one(1, X, rank_known=False, name="load")
    assert () == summarize([main, worker]).divergences

    worker = one(1, array("x", "f32", 9), rank_known=False)
    assert 2 == len(summarize([main, worker]).divergences)


def test_compiling_more_often_is_a_divergence():
    (found,) = summarize([one(0, X, times=3), one(1, X)]).divergences

    assert ({0: 3, 1: 1}, ()) == (found.compilations, found.missing_in)


def test_what_holds_in_one_process_only_is_no_difference():
    def placed(rank):
        return one(
            rank,
            array("x", "f32", 8, device=f"cuda:{rank}"),
            static("cfg", "Config", identity=1000 + rank, token=rank),
            static("fn", f"<function f at 0x7f00000{rank}>"),
        )

    assert () == summarize([placed(rank) for rank in range(4)]).divergences


def test_several_devices_in_one_process_are_a_difference():
    plain = one(0, array("x", "f32", 8, device="cuda:0"), array("y", "f32", 8, device="cuda:0"))
    mixed = one(1, array("x", "f32", 8, device="cuda:1"), array("y", "f32", 8, device="cuda:0"))

    assert 2 == len(summarize([plain, mixed]).divergences)


def test_signatures_that_look_alike_are_told_apart():
    leaves = [array(f"p{n}", "f32", 4) for n in range(20)]
    other = [*leaves[:-1], array("p19", "f32", 5)]
    texts = {each.signature for each in summarize([one(0, *leaves), one(1, *other)]).divergences}

    assert 2 == len(texts)
    assert any("p19: f32[5]" in text for text in texts)


def test_functions_are_summed_over_processes_with_the_slowest():
    (found,) = summarize(ranks((64, 63), (64, 63, 61), (64,))).functions

    assert ((0, 1, 2), 6, 3, 12.0) == (
        found.processes,
        found.compilations,
        found.recompilations,
        found.compile_seconds,
    )
    assert (1, 6.0) == (found.slowest, found.slowest_seconds)


def test_other_options_are_another_function():
    def with_options(rank, options):
        value = one(rank, X)
        events = tuple(
            msgspec.structs.replace(event, options=options) if isinstance(event, FunctionEvent) else event
            for event in value.events
        )
        return msgspec.structs.replace(value, events=events)

    combined = summarize([with_options(0, {"static_argnames": "n"}), with_options(1, {})])

    assert 2 == len(combined.functions) == len(combined.divergences)


def test_the_notes_say_whose_they_are():
    combined = summarize([one(0, X), process(recording(end=None), run="r1", rank=1, pid=1)])

    assert ["no-end"] == [note.slug for note in combined.notes]
    assert combined.notes[0].text.startswith("rank 1: ")


def test_what_ranks_compiled_alike_is_judged_once(monkeypatch):
    judged = []
    real = functions.judge_compilation
    monkeypatch.setattr(functions, "judge_compilation", lambda *one, **more: judged.append(1) or real(*one, **more))
    parts = ranks(*[(64, 63, 61)] * 10, (64, 63, 60))
    combined = summarize(parts)

    assert 6 == len(judged)
    monkeypatch.undo()
    assert [build_report(one).totals for one in parts] == [one.totals for one in combined.processes]
