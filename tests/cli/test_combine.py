"""``jitscope combine``, as a user runs it."""

import json
import shlex
from pathlib import Path

import jsonschema
import pytest
from builders import process, ranks, recording, training, write

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def launch(tmp_path):
    """Three ranks in the usual folder, and a program before them."""
    where = tmp_path / ".jitscope"
    where.mkdir()
    write(where / "old.jsonl", process(training(), run="old", started="2026-11-21T00:00:00Z", argv=("old.py",)))
    return [write(where / f"{one.header.run}.jsonl", one) for one in ranks((64, 63), (64, 63, 61), (64, 63))]


def test_the_newest_run_is_the_default(jitscope, launch):
    done = jitscope("combine")

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("3 processes, ")
    assert "compiled by rank 1 · not by ranks 0, 2" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_run_is_named_by_any_of_its_processes_or_by_its_files(jitscope, launch):
    several = (launch, reversed(launch), [*launch, *launch])
    texts = {
        jitscope("combine", *arguments).stdout
        for arguments in ([], [launch[0].stem], [launch[2].stem], ["newest"], *several)
    }

    assert 1 == len(texts)


def test_a_combined_recording_is_read_like_any_other(jitscope, launch, tmp_path):
    summary = json.loads(jitscope("combine", "-o", "all.jsonl", "--format", "json").stdout)
    report = json.loads(jitscope("report", "all.jsonl", "--format", "json").stdout)
    jsonschema.validate(summary, json.loads((DOCS / "combined.schema.json").read_text()))
    jsonschema.validate(report, json.loads((DOCS / "report.schema.json").read_text()))

    assert summary["totals"] == report["totals"]
    assert [0, 1, 2] == [one["rank"] for one in report["run"]["processes"]]
    assert "3 function objects" in jitscope("why", "train_step", "all.jsonl").stdout
    assert ["all.jsonl"] == [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert "combined of 3 processes" in jitscope("ls", ".").stdout


def test_the_last_line_is_a_command_that_works(jitscope, launch):
    first = jitscope("combine").stdout.splitlines()[-1]
    second = jitscope(*shlex.split(first)[1:])
    assert (0, "") == (second.returncode, second.stderr)
    third = jitscope(*shlex.split(second.stdout.splitlines()[-1])[1:])

    assert (0, "") == (third.returncode, third.stderr)
    assert "3 processes" in third.stdout


def test_one_recording_alone_stays_as_it_is(jitscope, launch):
    done = jitscope("combine", launch[0], "-o", "one.jsonl")

    assert (0, "") == (done.returncode, done.stderr)
    assert launch[0].read_bytes() == (launch[0].parents[1] / "one.jsonl").read_bytes()


def test_recordings_of_other_runs_are_refused(jitscope, launch, refused):
    old = launch[0].parent / "old.jsonl"
    assert "are not of one run: " in refused(jitscope("combine", old, *launch))
    done = jitscope("combine", old, *launch, "--any")

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("4 processes, ")


def test_a_combined_recording_is_not_combined_again(jitscope, launch, refused):
    jitscope("combine", "-o", "all.jsonl")

    assert "is a combined recording already" in refused(jitscope("combine", "all.jsonl", launch[0]))
    assert jitscope("combine").stdout.startswith("3 processes, ")


def test_a_recording_inside_another_is_left_out_and_that_is_said(jitscope, launch, tmp_path):
    outer = process(training((64, 63)), run="a", program="a")
    inner = process(training((64,)), run="b", program="a", monotonic=1001.0)
    paths = [write(tmp_path / f"{one.header.run}.jsonl", one) for one in (outer, inner)]
    summary = json.loads(jitscope("combine", *paths, "--format", "json").stdout)

    assert (1, 2) == (len(summary["processes"]), summary["totals"]["compilations"])
    assert ["part-of-another"] == [note["slug"] for note in summary["notes"]]


def test_nothing_is_overwritten_and_nothing_is_left_behind(jitscope, launch, tmp_path, refused):
    target = tmp_path / "all.jsonl"
    target.write_text("precious")
    assert "exists already" in refused(jitscope("combine", "-o", target))
    assert "precious" == target.read_text()
    assert "is the recording itself" in refused(jitscope("combine", "-o", launch[1], "--force"))
    assert "cannot write" in refused(jitscope("combine", "-o", tmp_path / "no" / "all.jsonl"))
    launch[1].write_bytes(launch[1].read_bytes() + b"{oops\n{oops\n")
    assert "is broken in line" in refused(jitscope("combine", "-o", target, "--force"))

    assert "precious" == target.read_text()
    assert {".jitscope", "all.jsonl"} == {path.name for path in tmp_path.iterdir()}


def test_what_is_not_there_is_one_line(jitscope, launch, refused):
    assert f"did you mean {launch[0].stem}?" in refused(jitscope("combine", launch[0].stem[:-1]))
    assert "no recording at" in refused(jitscope("combine", "nothing.jsonl", launch[0]))


def test_no_recordings_is_one_line(jitscope, refused):
    assert "no recordings in .jitscope" in refused(jitscope("combine"))


def test_a_killed_rank_is_told(jitscope, launch):
    launch[1].write_bytes(b"".join(launch[1].read_bytes().splitlines(keepends=True)[:-1]) + b'{"event":"ca')
    text = jitscope("combine", "-o", "all.jsonl").stdout

    assert "no end · its last line is cut off" in text
    assert "rank 1 was killed or was still running" in jitscope("report", "all.jsonl").stdout.replace("\n  ", " ")


def test_many_processes_are_read_one_after_another(jitscope, tmp_path):
    paths = [write(tmp_path / f"{n}.jsonl", process(recording(), run=str(n), program="p", pid=n)) for n in range(1, 41)]

    assert jitscope("combine", *paths).stdout.startswith("40 processes, ")
