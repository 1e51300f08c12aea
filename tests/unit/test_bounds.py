"""What is kept is bounded, what is beyond is added up: counts stay exact, and a note says so."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from typing import get_args

import msgspec
import pytest
from builders import array, compilation, function, header, recording, runs, signature, signatures, write
from hypothesis import given, settings
from hypothesis import strategies as st

from jitscope.analysis import build, index
from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.capture import book as book_module
from jitscope.capture import history, memory, sessions
from jitscope.capture.memory import MemorySession
from jitscope.capture.recorder import FunctionKey, Recorder
from jitscope.capture.sessions import FileSession
from jitscope.model.events import CallsEvent, EndEvent, Event, Phase, PhaseEvent, RepeatEvent, Run
from jitscope.store import reader
from jitscope.store.reader import load


class Probe:
    held: tuple[int, ...] = ()

    def signatures_held(self):
        return self.held


@pytest.fixture
def recorder():
    return Recorder()


def new_book(recorder, name="step", line=1, file="train.py"):
    made = recorder.new_book(FunctionKey("jax", name, file, line, "function"), {})
    made.probe = Probe()
    recorder.thrash.quiet = True
    return made


def known(book, size):
    return book.signature(size, lambda: signature(array("x", "f32", size))).id


def compiled(recorder, book, size, seconds=1.0):
    """A call that compiles, as an adapter writes it."""
    identity = known(book, size)
    event = compilation(recorder.new_id(), book.id, seconds, call=book.next_ordinal(), signature=identity)
    recorder.compilation(event, book)
    book.add(identity, "compile")
    recorder.flush_calls(book)


def slugs(report):
    return {note.slug for note in report.notes}


def session():
    return MemorySession(header(), 0.0)


def reported(one):
    return build_report(one.recording(EndEvent(1.0)))


# -- calls ----------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=300), st.integers(1, 40))
def test_counts_are_exact_whatever_is_folded_and_added_up(calls, bound):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "FLUSH_RUNS", 16)
        patch.setattr(memory, "MEMORY_RUNS", bound)
        patch.setattr(memory, "MEMORY_RUNS_OF_ALL", 2 * bound)
        patch.setattr(index, "MOST_RUNS", bound)
        recorder = Recorder()
        books = [new_book(recorder, "f", 1), new_book(recorder, "g", 2)]
        for n, (size, count) in enumerate(calls):
            books[n % 5 == 0].add(known(books[n % 5 == 0], size), "hit", count=count)
        report = build_report(recorder.snapshot())
    expected = [Counter(), Counter()]
    for n, (size, count) in enumerate(calls):
        expected[n % 5 == 0][f"x: f32[{size}]"] += count
    found = {one.name: {each.text: each.calls for each in one.signatures} for one in report.functions}
    for name, counts in zip("fg", expected, strict=True):
        assert dict(counts) == found.get(name, {})


def test_two_signatures_in_turn_take_one_line(recorder, tmp_path):
    session = recorder.files.start_block(tmp_path / "run.jsonl", force=False)
    one = new_book(recorder)
    pair = [(known(one, size), "hit", None) for size in (1, 2)]
    for _ in range(20):
        one.log += pair * 5000
        one.log_is_full()
    recorder.files.stop_block()
    events = load(session.path).events

    assert [100_000] == [event.times for event in events if isinstance(event, RepeatEvent)]
    assert [100_000, 100_000] == [each.calls for each in build_report(load(session.path)).functions[0].signatures]


def test_a_reader_that_does_not_know_repeats_says_that_something_is_missing(tmp_path, monkeypatch):
    """It must not count one turn: the kind is one of its own, which older readers skip and count."""
    kinds = functools.reduce(operator.or_, [kind for kind in get_args(Event) if kind is not RepeatEvent])
    monkeypatch.setattr(reader, "_EVENT", msgspec.json.Decoder(kinds))
    monkeypatch.setattr(reader, "_KNOWN", reader._KNOWN - {"repeat"})
    value = recording(function(), RepeatEvent(1, (Run(None, "hit", 1),), 7))
    report = build_report(load(write(tmp_path / "run.jsonl", value)))

    assert 0 == report.totals.calls
    assert "skipped-events" in slugs(report)


def test_a_repeat_in_a_recording_is_all_its_turns():
    value = recording(
        function(), *signatures(1, signature(array("x", "f32", 1)), signature(array("x", "f32", 2))),
        compilation(3, call=1, signature=1), runs(1, (1, "compile", 1)),
        RepeatEvent(1, (Run(1, "hit", 2), Run(2, "hit", 1)), 4),
    )  # fmt: skip
    (one,) = build_report(value).functions

    assert [(9, 8, 1), (4, 4, 4)] == [(each.calls, each.hits, each.first_call) for each in one.signatures]
    assert 9 == len(one.history)


def test_a_very_long_repeat_is_counted_and_told_once_in_its_order():
    turns = RepeatEvent(1, (Run(1, "hit", 1), Run(2, "hit", 1)), 10**9)
    report = build_report(
        recording(function(), *signatures(1, *(signature(array("x", "f32", n)) for n in (1, 2))), turns)
    )
    (one,) = report.functions

    assert 2 * 10**9 == one.calls
    assert 4 == len(one.history)
    assert "history-aggregated" in slugs(report)


def test_beyond_the_bound_a_file_holds_sums(tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "FILE_RUNS", 10)
    file = FileSession(tmp_path / "run.jsonl", header(), 0.0, force=False)
    file.write(function())
    for start in (0, 20, 40):
        file.write_calls(
            [CallsEvent(1, tuple(Run(None, ("hit", "error")[n % 2], 1) for n in range(start, start + 20)))]
        )
    file.close(EndEvent(1.0))
    value = load(file.path)
    report = build_report(value)

    assert [20, 2, 2] == [len(event.runs) for event in value.events if isinstance(event, CallsEvent)]
    assert (60, 30) == (report.totals.calls, report.totals.hits)
    assert 1 == [note.slug for note in report.notes].count("history-aggregated")


# -- signatures -----------------------------------------------------------------------------------


def test_of_very_many_signatures_the_older_are_forgotten_and_the_recording_has_all(recorder, tmp_path, monkeypatch):
    monkeypatch.setattr(book_module, "KEPT_SIGNATURES", 50)
    monkeypatch.setattr("jitscope.capture.recorder.KEPT_SIGNATURES", 50)
    session = recorder.files.start_block(tmp_path / "run.jsonl", force=False)
    one = new_book(recorder)
    for size in (*range(1, 301), *range(1, 11)):
        compiled(recorder, one, size)
        one.add(known(one, size), "hit", count=2)
        assert len(one.signature_by_id) <= 51
        assert len(one.signatures) <= 51
    recorder.files.stop_block()
    report = build_report(load(session.path))
    (found,) = report.functions

    assert (930, 310, 620) == (found.calls, found.compilations, found.hits)
    assert 300 == len(found.signatures)
    assert [6] * 10 + [3] * 290 == [each.calls for each in found.signatures]
    assert "signatures-forgotten" in slugs(report)
    assert not {"broken-reference"} & slugs(report)
    assert one.incomplete


def test_a_signature_that_a_probe_speaks_of_is_kept(recorder, monkeypatch):
    monkeypatch.setattr(book_module, "KEPT_SIGNATURES", 10)
    one = new_book(recorder)
    one.probe.held = (known(one, 1),)
    for size in range(2, 40):
        one.add(known(one, size), "hit")

    assert one.probe.held[0] in one.signature_by_id
    assert one.probe.held[0] == known(one, 1)


def test_compilations_beyond_the_bound_of_memory_count(monkeypatch):
    monkeypatch.setattr(memory, "MEMORY_EVENTS", 20)
    recorder = Recorder()
    one = new_book(recorder)
    for size in range(1, 101):
        compiled(recorder, one, size, seconds=0.5)
    recorder.compilation(compilation(recorder.new_id(), None, 2.0, program="jit(add)", library=True), None)
    report = build_report(recorder.snapshot())
    totals = report.totals

    assert (100, 100, 99) == (totals.calls, totals.compilations, totals.recompilations)
    assert (50.0, 49.5) == pytest.approx((totals.compile_seconds, totals.recompile_seconds))
    assert (1, 2.0) == (totals.eager_op_compilations, pytest.approx(totals.eager_op_compile_seconds))
    assert pytest.approx(40.0) == report.functions[0].phases["compile"]
    assert "memory-bound" in slugs(report)


def test_the_first_compilation_of_a_program_is_none_again_even_where_it_is_added_up(monkeypatch):
    monkeypatch.setattr(memory, "MEMORY_EVENTS", 0)
    one = session()
    one.write(function())
    for number, seconds in ((2, 5.0), (3, 1.0), (4, 1.0)):
        one.write(compilation(number, 1, seconds))
    one.write(compilation(5, 1, 3.0, failed="no", layers=()))
    one.write(PhaseEvent(3, Phase("backward", 0.0, 0.25)))
    totals = reported(one).totals

    assert (3, 2) == (totals.compilations, totals.recompilations)
    assert (10.25, 2.25) == pytest.approx((totals.compile_seconds, totals.recompile_seconds))


# -- functions ------------------------------------------------------------------------------------


def test_functions_made_in_a_loop_are_told_with_the_first_of_their_source(recorder, monkeypatch):
    monkeypatch.setattr(memory, "MEMORY_FUNCTIONS", 10)
    for _ in range(100):
        one = new_book(recorder, "main.<locals>.<lambda>")
        compiled(recorder, one, 8)
        one.add(known(one, 8), "hit", count=4)
        recorder.forget(one)
        del one
    report = build_report(recorder.snapshot())

    assert (500, 400) == (report.totals.calls, report.totals.hits)
    assert (100, 99) == (report.totals.compilations, report.totals.recompilations)
    assert pytest.approx(99.0) == report.totals.recompile_seconds
    assert 10 == len(report.functions)
    assert "memory-bound" in slugs(report)


def test_nothing_of_functions_that_are_gone_is_left(recorder, monkeypatch):
    monkeypatch.setattr(memory, "MEMORY_FUNCTIONS", 10)
    for _ in range(200):
        one = new_book(recorder)
        compiled(recorder, one, 8)
        recorder.forget(one)
    new_book(recorder)

    assert len(recorder.memory.defined) <= 2
    assert len(recorder.memory._instead) <= 2
    assert len(recorder.books) <= 2


def test_of_very_many_sources_the_last_are_told_as_one(monkeypatch):
    monkeypatch.setattr(memory, "MEMORY_FUNCTIONS", 5)
    one = session()
    for number in range(1, 41):
        one.write(function(number, f"f{number}", line=number))
        one.write(runs(number, (None, "hit", 2)))
    report = reported(one)

    assert 80 == report.totals.calls
    assert 11 == len(report.functions)
    assert 60 == next(each for each in report.functions if each.name.startswith("(")).calls


# -- reading --------------------------------------------------------------------------------------


def test_what_was_added_up_is_combined_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMORY_EVENTS", 2)
    parts = []
    for rank in range(2):
        one = session()
        one.write(function())
        for number in range(2, 8):
            one.write(compilation(number, 1, 1.0))
        one.write(RepeatEvent(1, (Run(None, "hit", 1), Run(None, "error", 1)), 10))
        value = one.recording(EndEvent(1.0))
        parts.append(
            msgspec.structs.replace(value, header=header(run=f"r{rank}", rank=rank, world_size=2, pid=rank + 1))
        )
    totals = build_report(load(write(tmp_path / "all.jsonl", combine(parts)))).totals

    assert (40, 12, 10) == (totals.calls, totals.compilations, totals.recompilations)
    assert totals == build.build_report(combine(parts)).totals


def test_equal_signatures_of_one_function_are_one():
    same = signature(array("x", "f32", 3))
    value = recording(
        function(), *signatures(1, same), *signatures(1, same, start=7),
        compilation(2, call=1, signature=7), runs(1, (7, "compile", 1), (1, "hit", 2)),
    )  # fmt: skip
    (one,) = build_report(value).functions

    assert [(3, 2)] == [(each.calls, each.hits) for each in one.signatures]
    assert [1] == [each.signature for each in one.compilations_detail]
