"""``pytest --jitscope``, switched off, without the plugin, in workers, and in a session that does not use it."""

from __future__ import annotations

import re

import pytest
from subprocesses import installed

from jitscope.analysis.build import build_report
from jitscope.store.reader import load

TESTS = """
import jax, numpy as np, pytest
import jitscope as scope

@jax.jit
def step(x):
    return x * 2

def x(n):
    return np.ones(n, np.float32)

def test_one():
    step(x(1)); step(x(1))

@pytest.mark.parametrize("n", [2, 3])
def test_two(n):
    step(x(n))

def test_labels(jitscope):
    for epoch in range(2):
        with (scope if epoch else jitscope).label(f"epoch {epoch}"):
            step(x(10 + epoch))

def test_nothing():
    pass
"""

NOT_USED = """
import sys

def test_nothing_of_it_is_imported():
    loaded = [n for n in sys.modules if n.partition(".")[0] == "jit" + "scope"]
    assert ["jit" + "scope", "jit" + "scope.pytest_plugin"] == sorted(loaded)
    assert not [n for n in ("jax", "torch", "msgspec", "rich") if n in sys.modules]
    assert not [f for f in sys.meta_path if "autowatch" in type(f).__module__]
"""


def test_a_session_that_does_not_use_it_imports_nothing(session):
    session.write(test_unused=NOT_USED)
    done = session.run()

    assert {"test_nothing_of_it_is_imported": "passed"} == done.outcomes(), done.output


def test_a_module_that_mentions_it_imports_no_framework(session):
    session.write(
        test_uses="""
        import sys, pytest
        @pytest.mark.max_compilations(0)
        def test_mark(): pass
        def test_fixture(jitscope):
            assert 0 == jitscope.compilations
        def test_frameworks():
            assert not [name for name in ("jax", "torch") if name in sys.modules]
        """
    )
    done = session.run("--strict-markers", "-W", "error")

    assert {"passed"} == set(done.outcomes().values()), done.output
    assert 3 == len(done.tests)


def test_the_whole_run_is_recorded_with_each_test_as_a_label(session):
    pytest.importorskip("jax")
    session.write(test_recorded=TESTS)
    done = session.run("--jitscope=run.jsonl")

    assert 0 == done.code, done.output
    report = build_report(load(session.folder / "run.jsonl"))
    labels = {one.text: (one.compilations, one.calls, one.hits) for one in report.labels}
    prefix = "test_recorded.py::"
    assert (1, 2, 1) == labels[f"{prefix}test_one"]
    assert (1, 1, 0) == labels[f"{prefix}test_two[3]"]
    assert (1, 1, 0) == labels[f"{prefix}test_labels › epoch 1"]
    assert (0, 0, 0) == labels[f"{prefix}test_nothing"]
    assert report.totals.compilations == sum(one.compilations for one in report.labels) == 5
    summary = done.output[done.output.index(" jitscope ===") :]
    assert "5 compilations, 4 again" in summary
    assert "of tests compiling" in summary
    assert f"{prefix}test_labels  2 compilations, 2 again" in summary
    assert "step  test_recorded.py:5  4 again in 3 tests" in " ".join(summary.split("\n")).replace("   ", " ") or (
        "4 again in 3 tests: x (shape)" in summary
    )
    assert "jitscope report run.jsonl" in summary


def test_a_recording_is_not_overwritten(session):
    session.write(test_recorded="def test_nothing(): pass")
    (session.folder / "run.jsonl").write_text("precious")
    done = session.run("--jitscope=run.jsonl")

    assert 4 == done.code
    assert "ERROR: --jitscope: recording run.jsonl exists already" in done.output
    assert "Traceback" not in done.output
    assert "precious" == (session.folder / "run.jsonl").read_text()


def test_a_test_file_is_not_taken_for_the_recording(session):
    session.write(test_recorded="def test_nothing(): pass")
    done = session.run("--jitscope", "test_recorded.py")

    assert 4 == done.code
    assert "write --jitscope=FILE, or put --jitscope last" in done.output


def test_without_a_file_it_goes_where_recordings_are_found(session):
    session.write(test_recorded="def test_nothing(): pass")
    done = session.run("--jitscope")

    (path,) = (session.folder / ".jitscope").glob("*.jsonl")
    assert f"jitscope report .jitscope/{path.name}" in done.output
    assert "nothing was compiled" in done.output
    assert not session.run("--jitscope", "--collect-only").code
    assert 1 == len(list((session.folder / ".jitscope").glob("*.jsonl")))


SWITCHED_OFF = """
import pytest

@pytest.mark.max_compilations(0)
def test_mark(): pass

def test_fixture(jitscope): pass
"""


def test_switched_off_a_mark_warns_and_the_fixture_skips(session):
    session.write(test_off=SWITCHED_OFF)
    done = session.run("--jitscope", JITSCOPE="0")

    assert {"test_mark": "passed", "test_fixture": "skipped"} == done.outcomes()
    assert "JitscopeWarning: max_compilations not checked: JITSCOPE=0 is set" in done.output
    assert "JITSCOPE=0 is set: nothing was watched or recorded" in done.output
    assert not (session.folder / ".jitscope").exists()


@pytest.fixture
def entry_point(tmp_path):
    """An installed jitscope, as far as pytest looks."""
    folder = tmp_path / "site"
    info = folder / "jitscope-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jitscope-fake\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[pytest11]\njitscope = jitscope.pytest_plugin\n")
    return folder


def test_the_entry_point_loads_it_and_can_be_refused(session, entry_point):
    session.write(test_off=SWITCHED_OFF)
    there = session.run(plugin=(), path=[entry_point], PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    refused = session.run(plugin=("-p", "no:jitscope"), path=[entry_point], PYTEST_DISABLE_PLUGIN_AUTOLOAD="")

    assert {"test_mark": "passed", "test_fixture": "passed"} == there.outcomes(), there.output
    assert {"test_mark": "passed", "test_fixture": "error"} == refused.outcomes()
    assert "fixture 'jitscope' not found" in refused.output


def test_under_jitscope_run_it_uses_that_recording(session):
    pytest.importorskip("jax")
    session.write(test_recorded=TESTS)
    done = session.run(
        "--jitscope", "-W", "error", command=("-m", "jitscope", "run", "-o", "outer.jsonl", "-q", "-m", "pytest")
    )

    assert 0 == done.code, done.output
    assert "jitscope report" in done.output
    assert not (session.folder / ".jitscope").exists()
    labels = {one.text for one in build_report(load(session.folder / "outer.jsonl")).labels}
    assert "test_recorded.py::test_one" in labels


needs_xdist = pytest.mark.skipif(not installed("xdist"), reason="pytest-xdist is not installed")


@needs_xdist
def test_each_worker_records_and_the_summary_holds_all(session):
    pytest.importorskip("jax")
    session.write(
        test_recorded=TESTS,
        test_more="""
        import jax, numpy as np, pytest
        @pytest.mark.max_compilations(0)
        def test_fails():
            jax.jit(lambda a: a + 1)(np.float32(1))
        """,
    )
    done = session.run("-p", "xdist.plugin", "-n", "2", "--dist", "loadfile", "--jitscope=run.jsonl")

    assert 1 == done.code, done.output
    assert "max_compilations(0): 1 compilation" in done.said("test_fails")
    assert re.search(r"of tests compiling \(\d+%\): 6 compilations, 4 again", " ".join(done.output.split()))
    paths = sorted(session.folder.glob("run-gw*.jsonl"))
    assert ["run-gw0.jsonl", "run-gw1.jsonl"] == [path.name for path in paths]
    headers = [load(path).header for path in paths]
    assert ["gw0", "gw1"] == [header.process for header in headers]
    assert 1 == len({header.program for header in headers})
    assert None is not headers[0].program
    assert not (session.folder / "run.jsonl").exists()
    for path in paths:
        assert f"jitscope report {path}" in done.output.replace("\n", "") or f"jitscope report {path.name}" in (
            done.output
        )


@needs_xdist
def test_a_worker_that_dies_is_said_to_be_missing(session):
    session.write(test_dies="import os\ndef test_dies(): os._exit(3)")
    done = session.run("-p", "xdist.plugin", "-n", "1", "--max-worker-restart=0", "--jitscope=run.jsonl")

    assert "worker gw0 (what it recorded: run-gw0.jsonl) ended without its numbers" in " ".join(done.output.split())
