"""``jitscope why``, as a user runs it."""

import json
import shlex
import subprocess
import sys

import pytest
import subprocesses
from builders import function, recording, training, write


def test_a_story_ends_in_a_command_that_works_and_so_does_the_next(jitscope, saved):
    story = jitscope("why", "train_step", saved)
    assert (0, "") == (story.returncode, story.stderr)
    assert story.stdout.startswith("train_step  train.py:12")
    assert "\x1b" not in story.stdout
    following = story.stdout.splitlines()[-1]
    assert f"jitscope why train_step#2 {saved}" == following

    full = jitscope(*shlex.split(following)[1:])
    assert "* batch['x']   f32[64,128]  f32[63,128]" in full.stdout
    assert "docs/causes/shape.md" in full.stdout
    report = jitscope(*shlex.split(full.stdout.splitlines()[-1])[1:])
    assert (0, "") == (report.returncode, report.stderr)
    assert "train_step" in report.stdout


def test_the_newest_recording_is_the_default(jitscope, tmp_path):
    (tmp_path / ".jitscope").mkdir()
    write(tmp_path / ".jitscope" / "a.jsonl", training())

    assert 5 == json.loads(jitscope("why", "train_step", "--format", "json").stdout)["calls"]


def test_the_story_as_json(jitscope, saved):
    story = json.loads(jitscope("why", "train_step#2", saved, "--format", "json").stdout)

    assert (1, "train_step", 3) == (story["schema"], story["name"], len(story["timeline"]))
    assert (2, "shape") == (story["detail"]["number"], story["detail"]["kinds"][0]["kind"])
    assert story["timeline"][1]["detail"]["causes"] == story["detail"]["kinds"][0]["causes"]
    assert json.loads(jitscope("why", "train_step", saved, "--format", "json").stdout)["detail"] is None


def test_all_shows_what_was_left_out(jitscope, tmp_path):
    saved = write(tmp_path / "run.jsonl", training(range(64, 50, -1)))

    assert "6 compilations, 12.0 s" in jitscope("why", "train_step", saved).stdout
    assert "with --all" not in jitscope("why", "train_step", saved, "--all").stdout


def test_errors_are_one_line(jitscope, saved, tmp_path, refused):
    assert refused(jitscope("why", "trainstep", saved)).endswith("did you mean train_step?")
    assert "there are 3, from #1 to #3" in refused(jitscope("why", "train_step#4", saved))
    assert "no recording at" in refused(jitscope("why", "train_step", tmp_path / "none.jsonl"))
    assert "no recordings in .jitscope" in refused(jitscope("why", "train_step"))
    assert f"jitscope why train_step {saved}" in refused(jitscope("why", saved, "train_step"))
    assert f"jitscope why FUNCTION {saved}" in refused(jitscope("why", saved))
    two = write(tmp_path / "two.jsonl", recording(function(1, "A.step", line=1), function(2, "B.step", line=2)))
    assert "A.step (train.py:1, f1), B.step (train.py:2, f2)" in refused(jitscope("why", "step", two))


def test_bad_usage_and_help(jitscope):
    for arguments in (["why"], ["why", "f", "--format", "yaml"], ["why", "f", "a", "b"]):
        done = jitscope(*arguments)
        assert (2, "") == (done.returncode, done.stdout)
        assert "Traceback" not in done.stderr
    assert "FUNCTION[#N]" in jitscope("why", "-h").stdout
    assert "why" in jitscope("--help").stdout


def test_an_output_that_knows_only_ascii(jitscope, saved):
    done = jitscope("why", "train_step", saved, PYTHONIOENCODING="ascii")

    assert (0, "") == (done.returncode, done.stderr)
    assert "f32[64,128] -> f32[63,128]" in done.stdout


def test_json_imports_no_renderer_and_nothing_imports_a_framework(saved):
    def modules(*arguments):
        code = (
            f"import sys; from jitscope.commands import main; main({arguments!r}, standalone_mode=False); "
            "print(*sys.modules, file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return set(done.stderr.split())

    assert not {"rich", "networkx", "jitscope.capture", "jax"} & modules("why", "f1", str(saved), "--format", "json")
    assert not {"jitscope.capture", "networkx", "jax", "torch", "numpy"} & modules("why", "f1", str(saved))


@pytest.mark.jax
def test_a_real_program(jitscope, tmp_path):
    pytest.importorskip("jax")
    path = tmp_path / "run.jsonl"
    subprocesses.run(
        f"""
        import jax, jax.numpy as jnp, jitscope

        step = jitscope.watch(jax.jit(lambda params, x: (x @ params["w"] + params["b"]).sum()))
        params = {{"w": jnp.ones((4, 2)), "b": jnp.zeros(2)}}
        with jitscope.record({str(path)!r}):
            for size in (8, 8, 8, 5, 8):
                step(params, jnp.ones((size, 4)))
            step(jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), params), jnp.ones((8, 4)))
        """
    )
    text = jitscope("why", "<lambda>", path).stdout
    story = json.loads(jitscope("why", "<lambda>", path, "--format", "json").stdout)

    assert [1, 4, 6] == [one["detail"]["call"] for one in story["timeline"]]
    assert [2, 1, 0] == [sum(calls["count"] for calls in one["after"]) for one in story["timeline"]]
    assert "x: f32[8,4] → f32[5,4] (shape)" in text
    assert "then 2 hits of S1" in text
    full = jitscope("why", "<lambda>#3", path).stdout
    assert "* params['b']  f32[2]    bf16[2]" in full
    assert "    x            f32[8,4]  =" in full
    assert "settings  the same" in full
