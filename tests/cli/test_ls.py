"""``jitscope ls``, as a user runs it."""

import json
import os
import shlex
import socket
from pathlib import Path

import jsonschema
import pytest
from builders import function, header, process, ranks, recording, training, write

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def folder(tmp_path):
    """Two programs, the newer one of two processes; a file that is no recording."""
    where = tmp_path / ".jitscope"
    where.mkdir()
    old = process(training(), run="20261121-000000-1", started="2026-11-21T00:00:00Z")
    for one in (old, *ranks((64, 63), (64,))):
        write(where / f"{one.header.run}.jsonl", one)
    (where / "foreign.jsonl").write_text("hello\n")
    return where


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_programs_are_listed_the_newest_first(jitscope, folder):
    done = jitscope("ls")

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(".jitscope  2 programs, 4 recordings, ")
    assert done.stdout.index("r0") < done.stdout.index("20261121-000000-1")
    assert "3 compilations, 6.00 s, 1 again, 2.00 s" in done.stdout
    assert "foreign.jsonl  not readable: " in done.stdout
    assert "\x1b" not in done.stdout


def test_the_last_line_is_a_command_that_works(jitscope, folder):
    for where in ([], [folder]):
        last = jitscope("ls", *where).stdout.splitlines()[-1]
        done = jitscope(*shlex.split(last)[1:])
        assert last.startswith("jitscope diff ")
        assert (0, "") == (done.returncode, done.stderr)


def test_the_folder_of_the_environment_is_the_default(jitscope, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere" / "x.jsonl", recording(function()))

    text = jitscope("ls", JITSCOPE_DIR=str(tmp_path / "elsewhere"), COLUMNS="120").stdout
    assert ["x.jsonl"] == [word for word in text.split() if word.endswith(".jsonl")]


def test_a_list_as_json_is_by_its_schema(jitscope, folder):
    listing = json.loads(jitscope("ls", "--format", "json").stdout)
    jsonschema.validate(listing, json.loads((DOCS / "listing.schema.json").read_text()))

    assert [2, 1] == [len(program["recordings"]) for program in listing["programs"]]
    assert ["foreign.jsonl"] == [one["file"] for one in listing["unreadable"]]


def test_an_empty_folder_is_no_error(jitscope):
    done = jitscope("ls")

    assert (0, "no recordings in .jitscope\njitscope run script.py makes one\n") == (done.returncode, done.stdout)


def test_a_broken_recording_keeps_its_place_in_the_list(jitscope, folder):
    path = folder / "20261121-000000-1.jsonl"
    path.write_bytes(path.read_bytes() + b"{oops\n{oops\n")
    done = jitscope("ls", "--format", "json")

    assert 0 == done.returncode
    (one,) = json.loads(done.stdout)["programs"][1]["recordings"]
    assert "is broken in line" in one["error"]
    assert one["compilations"] is None


def test_the_newest_programs_are_kept(jitscope, folder):
    before = names(folder)
    dry = jitscope("ls", "--keep", 1, "--dry-run")
    assert "would delete 20261121-000000-1.jsonl" in dry.stdout
    assert before == names(folder)
    last = dry.stdout.splitlines()[-1]
    done = jitscope(*shlex.split(last)[1:])

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("deleted 20261121-000000-1.jsonl")
    assert before - {"20261121-000000-1.jsonl"} == names(folder)


def test_nothing_but_recordings_is_deleted_and_none_that_is_being_made(jitscope, folder):
    live = header(
        run="running", host=socket.gethostname(), pid=os.getpid(), argv=("x.py",), started="2026-01-01T00:00:00Z"
    )
    write(folder / "running.jsonl", recording(function(), end=None, header=live))
    (folder / "notes.txt").write_text("mine")
    done = jitscope("ls", "--keep", 0, "--format", "json")
    pruning = json.loads(done.stdout)
    jsonschema.validate(pruning, json.loads((DOCS / "pruning.schema.json").read_text()))

    assert {"running.jsonl", "notes.txt", "foreign.jsonl"} == names(folder)
    assert 3 == len(pruning["deleted"])
    assert ["running.jsonl"] == [one["file"] for one in pruning["kept"]]


def test_bad_usage_is_one_line(jitscope, saved, refused):
    assert "does not exist" in refused(jitscope("ls", "nowhere"))
    assert "is a file" in refused(jitscope("ls", saved))
    for arguments in (["--dry-run"], ["--keep", "-1"], ["--keep", "x"]):
        done = jitscope("ls", *arguments)
        assert (2, "") == (done.returncode, done.stdout)
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_can_not_be_looked_into_is_one_line(jitscope, folder, refused):
    folder.chmod(0)
    try:
        assert "cannot look for recordings" in refused(jitscope("ls"))
    finally:
        folder.chmod(0o755)
