"""Lists of recordings: counts are the report's, and nothing but recordings is thrown away."""

import os
import socket
from pathlib import Path

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
    signature,
    signatures,
    training,
    write,
)

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.analysis.listing import Found, listing_of
from jitscope.analysis.tally import UNREAD, tally
from jitscope.model.events import NoteEvent, Phase, PhaseEvent
from jitscope.model.report import Totals
from jitscope.store.reader import load
from jitscope.store.shelf import alive, delete, glance, glance_at


def lambdas():
    made = [
        event
        for n in range(1, 5)
        for event in (function(n, "<lambda>", line=3), compilation(n, n, 0.5, program="jit(<lambda>)"))
    ]
    return recording(*made, compilation(9, None, 0.25, program="jit(add)", library=True))


def torch():
    known = signatures(1, *(signature(array("x", "f32", size)) for size in range(3)))
    made = [compilation(10 + n, framework="torch", call=n, signature=n) for n in (1, 2)]
    limit = compilation(13, call=3, signature=3, framework="torch", layers=(), failed="recompile limit: exceeded")
    backward = PhaseEvent(11, Phase("backward", 5.0, 2.0))
    return recording(function(framework="torch"), *known, *made, limit, backward, NoteEvent("a", "b"))


def regions():
    made = [
        compilation(1, 1, program="jit(a)", under=None),
        compilation(2, 1, program="jit(b)"),
        compilation(3, 1, program="jit(a)", under="grad"),
        compilation(4, 1, program="jit(a)", maker=("x.py", 3, 1)),
        compilation(5, 1, program="jit(a)", layers=("trace",)),
        compilation(6, 1, program="jit(a)"),
        compilation(7, 99, program="jit(a)"),
    ]
    return recording(function(kind="region", file=""), *made, end=None)


VALUES = {
    "training": training,
    "lambdas": lambdas,
    "torch": torch,
    "regions": regions,
    "nothing": recording,
    "combined": lambda: combine(ranks((64, 63), (64,))),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_tally_counts_as_the_report_does(tmp_path, name):
    value = VALUES[name]()
    totals = build_report(value).totals
    found = tally(load(write(tmp_path / "run.jsonl", value), without=UNREAD))

    for field in set(Totals.__struct_fields__) & set(type(found).__struct_fields__):
        assert getattr(totals, field) == pytest.approx(getattr(found, field)), field
    assert (name == "torch") == found.gave_up


def test_what_is_not_read_is_still_looked_at(tmp_path):
    path = write(tmp_path / "run.jsonl", training())
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith(b'{"event":"signature"'))
    lines[at] = lines[at][:-20] + b"\n"
    path.write_bytes(b"".join(lines))

    with pytest.raises(Exception, match=f"broken in line {at + 1}"):
        load(path, without=UNREAD)


def found(value, name="run.jsonl", **fields):
    return Found(name, 10, value.header, "complete", value.wall_seconds, value.torn, tally(value), **fields)


def test_processes_are_listed_under_their_program_and_added_up():
    first, second = ranks((64, 63), (64,))
    other = process(training(), run="z", pid=1, started="2026-11-23T00:00:00Z")
    listing = listing_of("here", [found(second), found(other), found(first)])

    assert ["z", first.header.run] == [program.id for program in listing.programs]
    assert ["rank 0", "rank 1"] == [one.process for one in listing.programs[1].recordings]
    assert (3, 1, 6.0) == (
        listing.programs[1].compilations,
        listing.programs[1].recompilations,
        listing.programs[1].compile_seconds,
    )
    assert "recompiled" == listing.programs[1].verdict


def test_what_is_in_another_recording_too_is_counted_once():
    outer = process(training((64, 63)), run="a", program="a")
    inner = process(training((64,)), run="b", program="a", monotonic=1001.0)
    (program,) = listing_of("here", [found(outer), found(inner)]).programs

    assert [None, "a"] == [one.part_of for one in program.recordings]
    assert 2 == program.compilations


def test_a_recording_that_can_not_be_read_is_kept_with_its_reason():
    listing = listing_of("here", [Found("x.jsonl", 3, None, error="no"), found(training())])

    assert ("x.jsonl", "no") == (listing.unreadable[0].file, listing.unreadable[0].error)
    assert 1 == len(listing.programs)


def mine(**fields):
    return header(host=socket.gethostname(), **fields)


def test_whether_a_process_runs_is_told_where_it_can_be():
    assert "yes" == alive(mine(pid=os.getpid()))
    assert "yes" == alive(mine(pid=1))
    assert "no" == alive(mine(pid=2**22 + 1))
    assert "unknown" == alive(header(host="elsewhere", pid=os.getpid()))


def test_a_glance_sees_the_first_line_and_the_last(tmp_path):
    ended = glance(write(tmp_path / "a.jsonl", training()))
    assert (20.0, "no", None) == (ended.end.wall_seconds, ended.alive, ended.error)
    running = recording(function(), end=None, header=mine(pid=os.getpid()))
    assert "yes" == glance(write(tmp_path / "b.jsonl", running)).alive
    (tmp_path / "c.jsonl").write_text("hello\n")
    assert (None, True) == (glance(tmp_path / "c.jsonl").header, "not a jitscope" in glance(tmp_path / "c.jsonl").error)
    assert 3 == len(glance_at(tmp_path))
    assert "cannot read" in glance(tmp_path / "gone.jsonl").error


def test_nothing_but_recordings_is_deleted(tmp_path):
    old = write(tmp_path / "old.jsonl", training())
    running = write(tmp_path / "running.jsonl", recording(function(), end=None, header=mine(pid=os.getpid())))
    foreign, empty, newer = (tmp_path / name for name in ("foreign.jsonl", "empty.jsonl", "newer.jsonl"))
    foreign.write_text('{"data": 1}\n')
    empty.write_text("")
    newer.write_text('{"event":"header","schema":99}\n')
    link = tmp_path / "link.jsonl"
    link.symlink_to(write(tmp_path / "target", training()))
    fate = delete([old, running, foreign, empty, newer, link])

    assert {old} == {path for path, why in fate.items() if why is None}
    assert f"its process {os.getpid()} still runs" == fate[running]
    assert {"empty.jsonl", "foreign.jsonl", "link.jsonl", "newer.jsonl", "running.jsonl", "target"} == {
        path.name for path in tmp_path.iterdir()
    }


def test_a_broken_recording_is_one_all_the_same(tmp_path):
    path = write(tmp_path / "broken.jsonl", training())
    path.write_bytes(path.read_bytes() + b"{oops\n{oops\n")

    assert {path: None} == delete([path])


def test_what_can_not_be_deleted_says_why(tmp_path, monkeypatch):
    path = write(tmp_path / "a.jsonl", training())

    def refuse(self, missing_ok=False):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)

    assert {path: "permission denied"} == delete([path])


def test_a_tally_is_a_plain_value():
    assert 3 == msgspec.to_builtins(tally(training()))["compilations"]
