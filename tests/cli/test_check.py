"""``jitscope check``, as a user and a CI job run it."""

import json
import shlex
from xml.etree import ElementTree as ET

import pytest
from builders import compilation, function, recording, training, write

from jitscope.model.events import Site

OVER = 3


@pytest.fixture
def budget(tmp_path):
    def write_budget(text, name="pyproject.toml"):
        (tmp_path / name).write_text(f"[tool.jitscope.budget]\n{text}", encoding="utf-8")

    return write_budget


def test_over_budget_is_exit_code_3_with_what_broke_it(jitscope, saved):
    done = jitscope("check", saved, "--max-recompiles", 1, "--forbid", "weak_type,shape")

    assert (OVER, "") == (done.returncode, done.stderr)
    lines = done.stdout.splitlines()
    assert "over budget: 2 of 3 limits exceeded" == lines[0]
    assert ["max_recompiles", "1", "2", "1"] == lines[3].split()
    assert ["forbid", "shape", "0", "2", "2"] == lines[4].split()
    assert "call 3  train.py:40" in done.stdout
    assert "batch['x']: f32[64,128] → f32[63,128] (shape)" in done.stdout
    assert "fix: Pad axis 0" in done.stdout
    following = jitscope(*shlex.split(lines[-1])[1:])
    assert (0, True) == (following.returncode, following.stdout.startswith("train_step"))


def test_within_budget_is_exit_code_0(jitscope, saved):
    done = jitscope("check", saved, "--max-recompiles", 2, "--max-compile-seconds", "6", "--max-avoidable", 0)

    assert (0, "") == (done.returncode, done.stderr)
    assert "within budget: 3 limits kept" == done.stdout.splitlines()[0]


def test_the_newest_recording_and_the_nearest_budget(jitscope, tmp_path, budget):
    (tmp_path / ".jitscope").mkdir()
    write(tmp_path / ".jitscope" / "a.jsonl", training())
    budget("max_recompiles = 1\n[tool.jitscope.budget.functions.'train.*']\nmax_compilations = 3")

    done = jitscope("check")
    assert (OVER, "over budget: 1 of 2 limits exceeded") == (done.returncode, done.stdout.splitlines()[0])


def test_options_take_the_place_of_what_the_file_says(jitscope, saved, budget):
    budget(
        "max_recompiles = 1\nmax_compilations = 3\n[tool.jitscope.budget.functions.train_step]\nmax_compilations = 1"
    )

    def broken(*options):
        rules = json.loads(jitscope("check", saved, "--format", "json", *options).stdout)["rules"]
        return [(rule["limit"], rule["pattern"], rule["allowed"]) for rule in rules if rule["status"] == "over"]

    assert [("max_recompiles", None, 1), ("max_compilations", "train_step", 1)] == broken()
    assert [("max_compilations", "train_step", 1)] == broken("--max-recompiles", 2)
    assert [("max_recompiles", None, 1)] == broken("--function", "train_step", "--max-compilations", 3)
    assert [("max_recompiles", None, 1), ("max_compilations", "train_step", 1), ("max_recompiles", "t*", 0)] == broken(
        "--function", "t*", "--max-recompiles", 0
    )


def test_another_file(jitscope, saved, budget, refused, tmp_path):
    budget("max_recompiles = 0", "ci.toml")
    assert OVER == jitscope("check", saved, "--config", "ci.toml").returncode

    (tmp_path / "none.toml").write_text("")
    assert "no table tool.jitscope.budget in none.toml" in refused(jitscope("check", saved, "--config", "none.toml"))
    assert "no file no.toml" in refused(jitscope("check", saved, "--config", "no.toml"))


def test_no_budget_is_bad_usage_and_says_how_to_give_one(jitscope, saved, refused, budget):
    line = refused(jitscope("check", saved))
    assert "jitscope check --max-recompiles 0" in line
    assert "tool.jitscope.budget in pyproject.toml" in line
    budget("")
    assert line == refused(jitscope("check", saved))


def test_errors_are_one_line(jitscope, saved, refused, budget, tmp_path):
    budget("max_recompile = 1")
    line = refused(jitscope("check", saved))
    assert line.endswith(
        "pyproject.toml: tool.jitscope.budget.max_recompile: unknown key; did you mean max_recompiles?"
    )
    budget("max_recompiles = 1")
    assert "no recording at" in refused(jitscope("check", tmp_path / "none.jsonl"))
    assert "is the recording itself" in refused(jitscope("check", saved, "-o", saved))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--forbid", "weaktype"], "did you mean weak_type?"),
        (["--max-recompiles", "-1"], "-1"),
        (["--max-compile-seconds", "nan"], "nan is not a number of seconds"),
        (["--max-compile-seconds", "-1"], "-1.0 is not a number of seconds"),
        (["--function", "f"], "--function needs a limit"),
        (["--format", "yaml", "--max-recompiles", "0"], "yaml"),
    ],
)
def test_bad_usage(jitscope, saved, options, said):
    done = jitscope("check", saved, *options)
    assert (2, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_doubts_are_said_and_fail_only_under_strict(jitscope, tmp_path):
    cut_off = write(tmp_path / "cut.jsonl", recording(function(), end=None))
    with cut_off.open("ab") as file:
        file.write(b'{"event":"calls","functi')
    options = ["check", cut_off, "--max-recompiles", 0, "--function", "nope"]

    lax = jitscope(*options, "--max-compilations", 0)
    assert 0 == lax.returncode
    for said in ("(no-end)", "(torn)", "no function of the recording fits the pattern nope"):
        assert said in lax.stdout
    strict = jitscope(*options, "--strict")
    assert (OVER, True) == (strict.returncode, strict.stdout.startswith("not known to be within budget"))


def test_annotations_are_relative_to_the_repository(jitscope, tmp_path):
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    site = Site(str(tmp_path / "repo" / "pkg" / "train.py"), 7, "main")
    saved = write(tmp_path / "run.jsonl", recording(function(), compilation(1, site=site)))
    options = ["check", saved, "--max-compilations", 0, "--format", "github"]

    inside = jitscope(*options, cwd=tmp_path / "repo")
    assert (OVER, True) == (inside.returncode, inside.stdout.startswith("::error file=pkg/train.py,line=7,"))
    workspace = jitscope(*options, cwd=tmp_path / "repo", GITHUB_WORKSPACE=str(tmp_path))
    assert workspace.stdout.startswith("::error file=repo/pkg/train.py,line=7,")


def test_junit_into_a_file(jitscope, saved, tmp_path):
    done = jitscope("check", saved, "--max-recompiles", 0, "-o", "budget.xml")
    assert (OVER, "", "") == (done.returncode, done.stdout, done.stderr)
    assert "1" == ET.parse(tmp_path / "budget.xml").getroot().get("failures")

    again = jitscope("check", saved, "--max-recompiles", 0, "-o", "budget.xml")
    assert (2, True) == (again.returncode, "add --force" in again.stderr)
    assert OVER == jitscope("check", saved, "--max-recompiles", 0, "-o", "budget.xml", "--force").returncode


def test_the_result_as_json(jitscope, saved):
    done = jitscope("check", saved, "--max-recompiles", 0, "--format", "json")
    result = json.loads(done.stdout)

    assert (OVER, 1, False) == (done.returncode, result["schema"], result["within"])
    (rule,) = result["rules"]
    assert ("max_recompiles", 0, 2, "over") == (rule["limit"], rule["allowed"], rule["actual"], rule["status"])
    assert ["shape"] == [cause["kind"] for cause in rule["offences"][0]["compilation"]["causes"]]


def test_an_output_that_knows_only_ascii(jitscope, saved):
    done = jitscope("check", saved, "--max-recompiles", 0, PYTHONIOENCODING="ascii")
    assert (OVER, "") == (done.returncode, done.stderr)
    assert "f32[64,128] -> f32[63,128]" in done.stdout
