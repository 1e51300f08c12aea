"""Writing recordings: whole lines, at once, whatever happens to the program."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from builders import compilation, function, header, recording, training

from jitscope.errors import JitscopeError
from jitscope.model.events import EndEvent, FunctionEvent, NoteEvent
from jitscope.store.reader import load
from jitscope.store.writer import RecordingFile

TESTS = str(Path(__file__).parent.parent)


def test_what_was_written_is_read_back(tmp_path):
    path = tmp_path / "deep" / "er" / "run.jsonl"
    expected = training()
    file = RecordingFile(path, expected.header)
    for event in expected.events:
        file.write(event)
    file.close()

    assert expected == load(path)


def test_each_event_is_one_write_of_one_line(tmp_path, monkeypatch):
    file = RecordingFile(tmp_path / "run.jsonl", header())
    written = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: written.append(data) or real(fd, data))
    file.write(function(1, "f\nwith a line break"))
    monkeypatch.undo()

    assert 1 == len(written)
    assert written[0].endswith(b"\n")
    assert 1 == written[0].count(b"\n")


def test_events_are_on_disk_before_the_file_is_closed(tmp_path):
    path = tmp_path / "run.jsonl"
    file = RecordingFile(path, header())
    file.write(function())

    assert (function(),) == load(path).events


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("precious")
    with pytest.raises(JitscopeError, match="exists already") as caught:
        RecordingFile(path, header())

    assert "recording-exists" == caught.value.slug
    assert "precious" == path.read_text()
    RecordingFile(path, header(), force=True).close()
    assert header() == load(path).header


def test_a_path_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "run.jsonl", tmp_path / "file" / "deeper" / "run.jsonl", tmp_path):
        with pytest.raises(JitscopeError) as caught:
            RecordingFile(path, header())
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(JitscopeError):
        RecordingFile(tmp_path, header(), force=True)


def test_threads_do_not_mix_their_lines(tmp_path):
    path = tmp_path / "run.jsonl"
    file = RecordingFile(path, header())

    def work(first):
        for number in range(100):
            file.write(FunctionEvent(first + number, "jax", "f" * 500))

    threads = [threading.Thread(target=work, args=(1000 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()

    assert {1000 * n + k for n in range(8) for k in range(100)} == {event.id for event in load(path).events}


def test_nothing_is_written_after_close(tmp_path):
    path = tmp_path / "run.jsonl"
    file = RecordingFile(path, header())
    file.close()
    file.close()
    file.write(function())

    assert () == load(path).events


def test_a_forked_child_writes_nothing(tmp_path):
    path = tmp_path / "run.jsonl"
    code = f"""
        import os, sys
        sys.path.insert(0, {TESTS!r})
        from pathlib import Path
        from builders import function, header
        from jitscope.store.writer import RecordingFile
        file = RecordingFile(Path({str(path)!r}), header())
        child = os.fork()
        if child == 0:
            file.write(function(2))
            file.close()
            os._exit(0)
        os.waitpid(child, 0)
        file.write(function(1))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)

    assert (function(1),) == load(path).events


def test_a_killed_program_leaves_whole_lines(tmp_path):
    path = tmp_path / "run.jsonl"
    code = f"""
        import os, signal, sys
        sys.path.insert(0, {TESTS!r})
        from pathlib import Path
        from builders import compilation, function, header
        from jitscope.store.writer import RecordingFile
        file = RecordingFile(Path({str(path)!r}), header())
        file.write(function(1))
        file.write(compilation(1))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)

    assert -signal.SIGKILL == done.returncode
    assert (function(1), compilation(1)) == load(path).events
    assert not load(path).torn


def test_a_full_disk_ends_the_recording_at_a_whole_line(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    file = RecordingFile(path, header())
    file.write(function(1))
    real = os.write
    room = [30]

    def until_full(fd, data):
        if not room:
            raise OSError(28, "No space left on device")
        return real(fd, data[: room.pop()])

    monkeypatch.setattr(os, "write", until_full)
    with pytest.raises(JitscopeError, match="no space left on device") as caught:
        file.write(function(2))
    monkeypatch.undo()
    file.write(function(3))

    assert "recording-cut-short" == caught.value.slug
    assert (function(1),) == load(path).events
    assert not load(path).torn


def test_a_write_that_comes_out_short_is_completed(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    file = RecordingFile(path, header())
    real = os.write
    limits = [10, 10_000]
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[: limits.pop(0)]))
    file.write(function(1))
    monkeypatch.undo()

    assert (function(1),) == load(path).events


def test_names_that_are_not_utf8_are_escaped(tmp_path):
    path = tmp_path / "run.jsonl"
    name = os.fsdecode(b"caf\xe9.py")
    file = RecordingFile(path, header(argv=(name,)))
    file.write(NoteEvent("odd", name))
    file.close()

    assert ("caf\\udce9.py",) == load(path).header.argv
    assert (NoteEvent("odd", "caf\\udce9.py"),) == load(path).events


def test_the_writer_imports_next_to_nothing():
    code = "import sys, jitscope.store.writer; print(*(name for name in sys.modules if name.startswith('jitscope')))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    ours = {name for name in done.stdout.split() if not name.startswith("jitscope.model")}

    assert {"jitscope", "jitscope.errors", "jitscope.store", "jitscope.store.writer"} == ours


def test_an_end_is_an_event_like_any_other(tmp_path):
    file = RecordingFile(tmp_path / "run.jsonl", header())
    file.write(EndEvent(3.5))

    assert recording(end=3.5) == load(tmp_path / "run.jsonl")
