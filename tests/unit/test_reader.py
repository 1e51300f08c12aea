"""Reading recordings: what is tolerated, and one clear error for the rest."""

import json
import os

import pytest
from builders import compilation, function, header, recording, training, write

from jitscope.errors import JitscopeError
from jitscope.model.events import Phase, PhaseEvent
from jitscope.store.locate import default_path, newest
from jitscope.store.reader import load


def refused(path) -> JitscopeError:
    with pytest.raises(JitscopeError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_torn_last_line_is_left_out_and_flagged(tmp_path):
    path = write(tmp_path / "run.jsonl", recording(function(), compilation(1)))
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1])):
        path.write_bytes(whole[: -1 - cut])
        loaded = load(path)

        assert loaded.torn
        assert (function(), compilation(1)) == loaded.events


def test_a_last_line_that_lacks_only_its_end_is_whole(tmp_path):
    path = write(tmp_path / "run.jsonl", training())
    path.write_bytes(path.read_bytes()[:-1])

    assert training() == load(path)


def test_a_character_torn_in_two_is_a_torn_line(tmp_path):
    path = write(tmp_path / "run.jsonl", recording(function(), function(2, "é" * 9), end=None))
    path.write_bytes(path.read_bytes()[: path.read_bytes().index("é".encode()) + 1])

    assert load(path).torn
    assert (function(),) == load(path).events


def test_a_broken_line_in_the_middle_is_an_error_with_its_number(tmp_path):
    path = write(tmp_path / "run.jsonl", training())
    for broken in (b'{"event":"funct', b"", b"\xff\xfe", b'{"event":"function","id":"one"}', b"[1]", b'{"no":1}'):
        lines = path.read_bytes().splitlines()
        lines[3] = broken
        other = tmp_path / "broken.jsonl"
        other.write_bytes(b"\n".join(lines) + b"\n")
        error = refused(other)

        assert "line 4" in str(error)
        assert "recording-broken" == error.slug


def test_a_last_line_that_is_ended_but_broken_is_an_error(tmp_path):
    path = write(tmp_path / "run.jsonl", recording(end=None))
    path.write_bytes(path.read_bytes() + b'{"event":"func\n')

    assert "line 2" in str(refused(path))


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"", "recording-empty"),
        (b"\n\n", "recording-empty"),
        (b"hello\n", "not-a-recording"),
        (b'{"a": 1}\n', "not-a-recording"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not-a-recording"),
        (b'{"event":"function","id":1}\n', "not-a-recording"),
        (b'{"event":"header"}\n', "not-a-recording"),
        (b'{"event":"header","schema":1}\n', "recording-broken"),
        (b'{"event":"header","schema":1,"jits', "recording-broken"),
        (b'{"event":"header","schema":2,"anything":[]}\n', "recording-newer"),
    ],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path, content, slug):
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)

    assert slug == refused(path).slug


def test_a_folder_or_nothing_is_refused(tmp_path):
    assert "recording-is-folder" == refused(tmp_path).slug
    assert "recording-missing" == refused(tmp_path / "none.jsonl").slug


def test_unknown_fields_are_ignored_and_unknown_events_counted(tmp_path):
    path = write(tmp_path / "run.jsonl", training())
    lines = [json.loads(line) | {"from_the_future": [1, {}]} for line in path.read_text().splitlines()]
    lines.insert(2, {"event": "weather", "rain": True})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    loaded = load(path)

    assert 1 == loaded.skipped
    assert training().events == loaded.events


def test_without_an_end_the_wall_time_is_that_of_the_last_compilation(tmp_path):
    path = write(tmp_path / "run.jsonl", recording(function(), compilation(3, seconds=1.5), compilation(1), end=None))

    assert 4.5 == load(path).wall_seconds
    late = PhaseEvent(3, Phase("backward", 7.0, 0.25))
    path = write(tmp_path / "run.jsonl", recording(function(), compilation(3), late, end=None))
    assert 7.25 == load(path).wall_seconds
    path = write(tmp_path / "run.jsonl", recording(function(), end=None))
    assert load(path).wall_seconds is None


def test_the_newest_recording_is_the_one_written_last(tmp_path, monkeypatch):
    monkeypatch.setenv("JITSCOPE_DIR", str(tmp_path))
    for age, name in ((30, "c"), (10, "a"), (20, "b")):
        path = write(default_path(name), training())
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "zzz.txt").write_text("")

    assert tmp_path / "a.jsonl" == newest()
    assert tmp_path / "a.jsonl" == newest(tmp_path)


def test_no_recordings_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.delenv("JITSCOPE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JitscopeError, match=r"no recordings in \.jitscope") as caught:
        newest()

    assert "no-recordings" == caught.value.slug


def test_the_default_folder_is_in_the_current_one(monkeypatch):
    monkeypatch.delenv("JITSCOPE_DIR", raising=False)

    assert ".jitscope/20261122-205427-1.jsonl" == default_path("20261122-205427-1").as_posix()
    assert 1 == header().schema
