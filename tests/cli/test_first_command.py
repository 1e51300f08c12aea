"""``jitscope first``, as a user runs it."""

import json
import sys
from pathlib import Path

import pytest
from builders import function, recording, runs, write
from test_run import Runner

from jitscope.model.events import CompilingCallEvent, Span


@pytest.fixture
def called(tmp_path):
    """A recording with spans."""
    steps = (Span("trace", 1.0, 1.0, "step"), Span("compile", 2.0, 2.0, "step"))
    events = (function(1), CompilingCallEvent(1, 1, 1.0, 3.5, steps), runs(1, (None, "compile", 1)))
    return write(tmp_path / "called.jsonl", recording(*events))


def test_all_first_calls_and_then_one(jitscope, called):
    done = jitscope("first", called)
    command = done.stdout.splitlines()[-1]

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("1 first call, 3.50 s")
    assert f"jitscope first step {called}" == command
    again = jitscope(*command.split()[1:])
    assert 0 == again.returncode
    assert "compile (XLA)" in again.stdout
    assert f"jitscope why step {called}" == again.stdout.splitlines()[-1]
    assert "\x1b" not in done.stdout + again.stdout


def test_the_waterfall_is_ascii_where_nothing_else_can_be_shown(jitscope, called):
    done = jitscope("first", "step", called, PYTHONIOENCODING="ascii")

    assert done.stdout.isascii()
    assert "  ####" in done.stdout


def test_json(jitscope, called):
    one = json.loads(jitscope("first", "step", called, "--format", "json").stdout)
    found = json.loads(jitscope("first", called, "--format", "json").stdout)

    assert 3.5 == one["seconds"] == one["not_attributed"] + sum(part["seconds"] for part in one["parts"])
    assert [one] == found["calls"]


def test_a_recording_of_an_older_version_is_told_by_its_phases(jitscope, saved):
    text = jitscope("first", "train_step", saved).stdout

    assert "lower" in text
    assert "(phases-only)" in text


def test_what_can_not_be_told_is_one_clear_line(jitscope, refused, called, tmp_path):
    assert "did you mean step?" in refused(jitscope("first", "stop", called))
    assert "no compilation #9" in refused(jitscope("first", "step#9", called))
    assert "the function comes first" in refused(jitscope("first", called, "step"))
    assert "no recording" in refused(jitscope("first", "missing.jsonl"))
    (tmp_path / "broken.jsonl").write_text("{}\n")
    assert refused(jitscope("first", tmp_path / "broken.jsonl"))


@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_a_run_tells_what_came_before_the_first_call(tmp_path, framework):
    pytest.importorskip(framework)
    runner = Runner(tmp_path, [sys.executable, "-m", "jitscope"])
    runner.write(
        "p.py",
        """
        import jax, jax.numpy as jnp
        x = jnp.arange(3.0) * 2
        jax.jit(lambda x: x + 1)(x)
        """
        if framework == "jax"
        else """
        import torch
        torch.compile(lambda x: x + 1, backend="eager")(torch.ones(3))
        """,
    )
    done = runner.run("-q", "-o", "r.jsonl", "p.py")
    assert 0 == done.returncode, done.stderr
    told = runner._run([*runner.entry, "first", "r.jsonl", "--format", "json"], "")
    found = json.loads(told.stdout)
    (before,) = found["start_up"]
    (call,) = found["calls"]
    names = [part["name"] for part in before["parts"]]

    assert "process" == before["since"]
    assert {"python", f"import {framework}"} <= set(names)
    assert before["seconds"] == pytest.approx(
        before["not_attributed"] + sum(part["seconds"] for part in before["parts"])
    )
    assert call["complete"]
    if framework == "jax":
        # The first operation starts it.
        assert "start jax cpu" in [inner["name"] for part in before["parts"] for inner in (part, *part["parts"])]
        assert [] != [one for one in before["eager_ops"] if one["library"] and one["sites"][0]["line"] == 3]
    else:
        assert "import torch._dynamo" in names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "named"), [("jax_slow.py", {"_normal", "multiply"}), ("jax_numpy_inputs.py", set())]
)
def test_the_worked_case_of_the_documentation(tmp_path, program, named):
    pytest.importorskip("jax")
    example = Path(__file__).resolve().parents[2] / "examples" / "first_calls" / program
    runner = Runner(tmp_path, [sys.executable, "-m", "jitscope"])
    done = runner.run("-q", "-o", "r.jsonl", example)
    assert 0 == done.returncode, done.stderr
    call = json.loads(runner._run([*runner.entry, "first", "model", "r.jsonl", "--format", "json"], "").stdout)

    operations = {one["name"] for one in call["eager_before"]}
    assert named <= operations
    assert bool(named) == bool(operations)
