"""``jitscope demo``, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"
SMALL = ("--shape", "1", "8", "2", "4", "--device", "cpu")


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``jitscope`` in ``folder``, where its recordings land."""
    return subprocess.run(
        [sys.executable, "-m", "jitscope", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "120", "JITSCOPE": "1", "JITSCOPE_DIR": ".jitscope", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def recordings(folder: Path) -> list[Path]:
    return sorted((folder / ".jitscope").glob("*.jsonl"))


def check_demo(done: subprocess.CompletedProcess[str], folder: Path, *frameworks: str) -> dict:
    """The three timings, one report, the next command; returns the report as JSON, by that very command."""
    assert done.returncode == 0, done.stderr
    for row in ("eager (median)", "first compiled call", "second compiled call"):
        cells = re.findall(rf"{re.escape(row)}.*", done.stdout)[0]
        assert len(re.findall(r"\d m?s\b", cells)) == len(frameworks), done.stdout
    (path,) = recordings(folder)
    assert f"jitscope why attention .jitscope/{path.name}" in done.stdout

    again = run(folder, "report", f".jitscope/{path.name}", "--format", "json")
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)
    jsonschema.validate(report, json.loads(SCHEMA.read_text(encoding="utf-8")))
    found = {function["framework"]: function for function in report["functions"] if function["name"] == "attention"}
    assert set(found) == set(frameworks)
    for function in found.values():
        kinds = [{cause["kind"] for cause in each["causes"]} for each in function["compilations_detail"]]
        assert kinds == [{"first_compile"}, {"shape"}, {"dtype"}]
        assert function["calls"] == function["hits"] + function["compilations"]
    return found


@pytest.mark.jax
def test_jax(tmp_path):
    pytest.importorskip("jax")
    done = run(tmp_path, "demo", "attention", "--framework", "jax", *SMALL)
    found = check_demo(done, tmp_path, "jax")
    assert found["jax"]["compilations"] == 3
    assert found["jax"]["hits"] == 31  # the second call, and thirty after it


@pytest.mark.torch
def test_torch(tmp_path):
    pytest.importorskip("torch")
    done = run(tmp_path, "demo", "attention", "--framework", "torch", "--backend", "eager", *SMALL)
    found = check_demo(done, tmp_path, "torch")
    assert found["torch"]["compilations"] == 3
    assert found["torch"]["hits"] == 31


@pytest.mark.jax
@pytest.mark.torch
def test_both_frameworks_share_one_report(tmp_path):
    pytest.importorskip("jax")
    pytest.importorskip("torch")
    done = run(tmp_path, "demo", "attention", "--backend", "eager", *SMALL)
    check_demo(done, tmp_path, "jax", "torch")


@pytest.mark.jax
def test_a_missing_framework_is_left_out(tmp_path):
    """``both`` runs what there is and says how to get the other."""
    pytest.importorskip("jax")
    done = run(tmp_path, "demo", "attention", *SMALL, PYTHONPATH=without(tmp_path, "torch"))
    check_demo(done, tmp_path, "jax")
    assert 'pip install "jitscope[torch]"' in done.stderr


def test_missing_framework(tmp_path):
    done = run(tmp_path, "demo", "attention", "--framework", "jax", PYTHONPATH=without(tmp_path, "jax"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith('jax not installed: pip install "jitscope[jax]"')
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--shape", "1", "2", "3"), "--shape"),
        (("--shape", "1", "2", "3", "0"), "--shape"),
        (("--framework", "tensorflow"), "tensorflow"),
        (("--dtype", "int3"), "int3"),
        (("--device", "tpu"), "tpu"),
        (("--no-such-option",), "--no-such-option"),
    ],
)
def test_bad_usage(tmp_path, arguments, says):
    done = run(tmp_path, "demo", "attention", *arguments)
    assert done.returncode == 2
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not recordings(tmp_path)


@pytest.mark.jax
def test_backend_is_for_torch(tmp_path):
    pytest.importorskip("jax")
    done = run(tmp_path, "demo", "attention", "--framework", "jax", "--backend", "eager")
    assert done.returncode == 2
    assert "--backend is for torch" in done.stderr.splitlines()[-1]


@pytest.mark.torch
def test_unknown_backend(tmp_path):
    pytest.importorskip("torch")
    done = run(tmp_path, "demo", "attention", "--framework", "torch", "--backend", "nope")
    assert done.returncode == 2
    assert "nope" in done.stderr.splitlines()[-1]


def without(folder: Path, framework: str) -> str:
    """A path entry that makes a framework look as if it were not installed."""
    hook = folder / "path"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        f"util.find_spec = lambda name, package=None: None if name == {framework!r} else found(name, package)\n"
    )
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(hook), inherited] if inherited else [str(hook)])
