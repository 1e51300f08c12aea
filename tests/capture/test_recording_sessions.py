"""Recordings as a program makes them: written as it happens, refused where they must be, harmless in trouble."""

from __future__ import annotations

import json
import os
import signal

import pytest
from subprocesses import run

import jitscope
from jitscope.store.reader import load


def test_a_killed_program_leaves_a_readable_recording(tmp_path):
    pytest.importorskip("jax")
    path = tmp_path / "killed.jsonl"
    done = run(
        f"""
        import os, signal, jitscope, jax, numpy as np
        with jitscope.record({str(path)!r}):
            f = jitscope.jit(lambda x: x + 1)
            for n in (2, 2, 3):
                f(np.ones(n, np.float32))
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        check=False,
    )

    assert -signal.SIGKILL == done.returncode
    recording = load(path)
    from jitscope.analysis.build import build_report

    report = build_report(recording)
    (function,) = report.functions
    assert 2 == function.compilations
    assert 3 == function.calls
    assert "no-end" in [note.slug for note in report.notes]


def test_a_recording_ends_with_the_program_even_inside_the_block(tmp_path):
    path = tmp_path / "left.jsonl"
    run(
        f"""
        import sys, jitscope
        block = jitscope.record({str(path)!r})
        block.__enter__()
        step = jitscope.watch(lambda: None)
        for _ in range(5):
            step()
        sys.exit(0)
        """
    )

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert "end" == lines[-1]["event"]
    assert [[None, "hit", 5, None]] == [run for line in lines if line["event"] == "calls" for run in line["runs"]]


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("precious")
    with pytest.raises(jitscope.JitscopeError, match=r"run\.jsonl"), jitscope.record(path):
        pass

    assert "precious" == path.read_text()
    with jitscope.record(path, force=True):
        pass
    assert load(path).header.run


def test_recordings_may_not_overlap(tmp_path):
    with (
        jitscope.record(tmp_path / "a.jsonl"),
        pytest.raises(RuntimeError, match=r"already open"),
        jitscope.record(tmp_path / "b.jsonl"),
    ):
        pass
    assert not (tmp_path / "b.jsonl").exists()


def test_recordings_without_a_name_get_one_each(tmp_path, monkeypatch):
    monkeypatch.setenv("JITSCOPE_DIR", str(tmp_path))
    with jitscope.record() as first:
        pass
    with jitscope.record() as second:
        pass

    assert sorted([first.path, second.path]) == sorted(tmp_path.glob("*.jsonl"))
    assert [first.path.stem, second.path.stem] == [load(p.path).header.run for p in (first, second)]


def test_a_recording_can_be_reported_while_it_is_open(tmp_path):
    step = jitscope.watch(lambda: None)
    with jitscope.record(tmp_path / "open.jsonl") as recording:
        for _ in range(3):
            step()
        live = recording.report().value

    assert 3 == live.totals.calls
    assert [] == [note.slug for note in live.notes if note.slug == "no-end"]
    assert 3 == recording.report().value.totals.calls


def test_calls_before_a_recording_are_not_in_it(tmp_path):
    step = jitscope.watch(lambda: None)
    step()
    with jitscope.record(tmp_path / "run.jsonl") as recording:
        step()
        step()
    step()

    assert 2 == recording.report().value.totals.calls
    assert 4 == jitscope.stats(step).calls


def test_switched_off_watch_returns_its_argument_and_nothing_is_written(tmp_path):
    path = tmp_path / "run.jsonl"
    done = run(
        f"""
        import jitscope
        def f(): return 1
        assert jitscope.watch(f) is f
        with jitscope.record({str(path)!r}):
            f()
        try:
            jitscope.stats(f)
        except jitscope.JitscopeError as error:
            print(error)
        """,
        JITSCOPE="0",
    )

    assert "JITSCOPE=0 is set" in done.stdout
    assert not path.exists()


def test_an_error_inside_jitscope_becomes_a_note_and_the_call_goes_on():
    done = run(
        """
        import jitscope
        from jitscope.capture.region import RegionProbe
        def broken(*args): raise ZeroDivisionError("ours")
        step = jitscope.watch(lambda x: x + 1)
        RegionProbe.settle = broken
        from jitscope.capture.watch import book_of
        book_of(step).alarm()
        assert 3 == step(2)
        print([note.text for note in jitscope.report().value.notes if note.slug == "internal-error"])
        """
    )

    assert "['settle: ZeroDivisionError: ours']\n" == done.stdout
    assert "" == done.stderr


def test_a_forked_child_leaves_the_recording_to_its_parent(tmp_path):
    if not hasattr(os, "fork"):
        pytest.skip("no fork")
    path = tmp_path / "run.jsonl"
    run(
        f"""
        import os, jitscope
        step = jitscope.watch(lambda: None)
        with jitscope.record({str(path)!r}):
            step()
            child = os.fork()
            if child == 0:
                for _ in range(100):
                    step()
                os._exit(0)
            os.waitpid(child, 0)
            step()
        """
    )

    from jitscope.analysis.build import build_report

    assert 2 == build_report(load(path)).totals.calls
