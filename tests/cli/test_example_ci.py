"""examples/ci: the program that is over the budget beside it, and the one that is within."""

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("jax")
pytestmark = pytest.mark.jax

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ci"


@pytest.fixture
def example(jitscope, tmp_path):
    """The folder as someone who starts from it has it: jitscope's own budget, were there one, is out of reach."""
    folder = tmp_path / "ci"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", ".jitscope"))
    return lambda *arguments: jitscope(*arguments, cwd=folder)


def test_the_failing_example_fails_for_what_its_readme_shows(example, tmp_path):
    ran = example("run", "--no-report", "-o", "run.jsonl", "train.py")
    assert (0, "") == (ran.returncode, ran.stderr)
    done = example("check", "run.jsonl")

    assert (3, "") == (done.returncode, done.stderr)
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    for line in done.stdout.splitlines()[:7]:
        assert line in readme
    assert ["max_recompiles", "0", "3", "3"] == done.stdout.splitlines()[3].split()
    for change in (
        "x: f32[32,4] → f32[16,4] (shape)",
        "rate: 0.1 → 0.05 (static_value)",
        "fix: Take rate out of the static arguments of train_step",
    ):
        assert change in done.stdout

    annotation, _ = example("check", "run.jsonl", "--format", "github").stdout.splitlines()
    assert annotation.startswith("::error file=train.py,line=54,title=jitscope%3A max_recompiles%3A 3%2C allowed 0")
    assert 3 == example("check", "run.jsonl", "--format", "junit", "-o", "budget.xml").returncode
    assert ("5", "2") == tuple(ET.parse(tmp_path / "ci" / "budget.xml").getroot().get(n) for n in ("tests", "failures"))


def test_the_fixed_example_computes_the_same_and_passes(example):
    failing, fixed = example("run", "--check", "train.py"), example("run", "--check", "train.py", "--fixed")

    assert (3, 0) == (failing.returncode, fixed.returncode)
    assert failing.stdout == fixed.stdout
    assert "within budget: 5 limits kept" in fixed.stderr


@pytest.mark.parametrize("file", ["github.yml", "gitlab.yml"])
def test_the_commands_of_the_jobs_are_right(example, file):
    lines = [
        line.strip().removeprefix("- ").removeprefix("run: ") for line in (EXAMPLE / file).read_text().splitlines()
    ]
    commands = [line.split()[1:] for line in lines if line.startswith("jitscope ")]

    assert 2 == len(commands)
    assert [0, 0] == [example(*command).returncode for command in commands]
