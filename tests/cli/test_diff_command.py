"""``jitscope diff``, as a user runs it."""

import json
import shlex
from pathlib import Path

import jsonschema
import pytest
import subprocesses
from builders import process, ranks, training, write

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def two(tmp_path):
    """A run before a change and one after it, in the usual folder."""
    where = tmp_path / ".jitscope"
    where.mkdir()
    before = process(training((64, 63, 61)), run="20261122-000000-1", started="2026-11-22T00:00:00Z", pid=1)
    after = process(training((64, 64, 64)), run="20261123-000000-2", started="2026-11-23T00:00:00Z", pid=2)
    # Written the other way round: what counts is when a program started.
    return [write(where / f"{one.header.run}.jsonl", one) for one in (after, before)][::-1]


def test_the_two_newest_runs_are_the_default(jitscope, two):
    done = jitscope("diff")

    assert (0, "") == (done.returncode, done.stderr)
    assert "B compiles 2 fewer times and 4.00 s less" == done.stdout.splitlines()[0]
    assert "\x1b" not in done.stdout


def test_runs_are_named_by_file_or_id(jitscope, two):
    texts = {
        tuple(jitscope("diff", *arguments).stdout.splitlines()[:-1])
        for arguments in ([], two, [two[0].stem, two[1].stem], [two[0].stem], [two[0], "newest"])
    }

    assert 1 == len(texts)
    assert "B compiles 2 more times" in jitscope("diff", two[1], two[0]).stdout


def test_a_run_of_several_processes_is_compared_as_a_whole(jitscope, two):
    for one in ranks((64, 63), (64,), argv=("train.py", "--epochs", "3")):
        write(two[0].parent / f"{one.header.run}.jsonl", one)
    difference = json.loads(jitscope("diff", two[0], "20261122-205427-100-r0", "--format", "json").stdout)

    assert (2, 3) == (difference["after"]["processes"], difference["after"]["totals"]["compilations"])
    child = json.loads(jitscope("diff", two[0], "20261122-205427-101-r1", "--format", "json").stdout)
    assert 1 == child["after"]["totals"]["compilations"]


def test_a_comparison_as_json_is_by_its_schema(jitscope, two):
    difference = json.loads(jitscope("diff", "--format", "json").stdout)
    jsonschema.validate(difference, json.loads((DOCS / "difference.schema.json").read_text()))

    assert ("fewer", "yes", -2) == (difference["verdict"], difference["comparable"], difference["compilations"])


def test_a_comparison_as_markdown(jitscope, two):
    text = jitscope("diff", "--format", "markdown").stdout

    assert text.startswith("**B compiles 2 fewer times and 4.00 s less**\n")
    assert "| compilations | 3, 6.00 s | 1, 2.00 s |" in text


def test_the_last_line_is_a_command_that_works(jitscope, two):
    last = jitscope("diff", *reversed(two)).stdout.splitlines()[-1]
    done = jitscope(*shlex.split(last)[1:])

    assert last.startswith("jitscope why train_step")
    assert (0, "") == (done.returncode, done.stderr)


def test_all_shows_what_was_left_out(jitscope, tmp_path):
    one, other = (write(tmp_path / f"{n}.jsonl", training(range(1, n))) for n in (2, 20))

    assert "… 13 more with --all" in jitscope("diff", one, other).stdout
    assert "with --all" not in jitscope("diff", one, other, "--all").stdout


def test_fewer_than_two_runs_are_one_line(jitscope, two, refused):
    two[1].unlink()
    assert "there is one program in .jitscope" in refused(jitscope("diff"))
    two[0].unlink()
    assert "no recordings in .jitscope" in refused(jitscope("diff"))


def test_what_is_not_there_is_one_line(jitscope, two, refused):
    assert f"did you mean {two[0].stem}?" in refused(jitscope("diff", two[0].stem[:-1], two[1]))
    assert "is a folder" in refused(jitscope("diff", two[0].parent, two[1]))


PROGRAM = """
import jax, jax.numpy as jnp

@jax.jit
def step(x):
    return (x * 2).sum()

@jax.jit
def loss(x):
    return (x - 1).sum()

for size in {sizes}:
    step(jnp.ones(size))
loss(jnp.ones(3))
"""


def recorded(script, out):
    """Run a script under jitscope, as a user does."""
    subprocesses.run(
        f"""
        import subprocess, sys
        command = [sys.executable, "-m", "jitscope", "run", "--no-report", "-o", {str(out)!r}, {str(script)!r}]
        subprocess.run(command, check=True)
        """
    )
    return str(out)


def said(*arguments):
    """What a command of jitscope's says, as JSON."""
    code = f"from jitscope.commands import main; main({[*arguments, '--format', 'json']!r}, standalone_mode=False)"
    return json.loads(subprocesses.run(code).stdout)


@pytest.mark.jax
def test_two_real_programs(tmp_path):
    """Two versions of one script, run as they are: the sizes that are padded away are won, and by name."""
    pytest.importorskip("jax")
    script = tmp_path / "train.py"
    found = []
    for name, sizes in (("before", [8, 7, 6, 8]), ("after", [8, 8, 8, 8])):
        script.write_text(("\n" * (name == "after")) + PROGRAM.format(sizes=sizes))
        found.append(recorded(script, tmp_path / f"{name}.jsonl"))
    difference = said("diff", *found)

    functions = {one["name"]: one for one in difference["functions"]}
    assert ("fewer", "yes", -2, -2) == (
        difference["verdict"],
        difference["comparable"],
        difference["compilations"],
        difference["recompilations"],
    )
    assert (["changed", "same"]) == [functions[name]["status"] for name in ("step", "loss")]
    assert ["x: f32[7]", "x: f32[6]"] == sorted(
        (one["signature"] for one in functions["step"]["compilations"]), reverse=True
    )
    assert [("shape", "x", "gone")] == [(one["kind"], one["path"], one["status"]) for one in difference["causes"]]
    assert 1 == functions["loss"]["after"]["line"] - functions["loss"]["before"]["line"]


@pytest.mark.jax
def test_two_real_runs_of_one_program_are_the_same(tmp_path):
    """In two processes hashes, ids and addresses differ: none of that is a change."""
    pytest.importorskip("jax")
    script = tmp_path / "train.py"
    script.write_text(
        "import functools, jax, jax.numpy as jnp\n"
        "class Config:\n    pass\n"
        "@functools.partial(jax.jit, static_argnames=('config', 'mode'))\n"
        "def step(x, config, mode):\n    return x['a'] * 2\n"
        "for mode in ('train', 'eval', frozenset({'a'})):\n"
        "    step({'a': jnp.ones(4)}, config=Config(), mode=mode)\n"
    )
    found = [recorded(script, tmp_path / f"{name}.jsonl") for name in "ab"]
    difference, combined = said("diff", *found), said("combine", *found, "--any")

    assert ("same", []) == (difference["verdict"], difference["causes"])
    assert 3 == difference["before"]["totals"]["compilations"]
    assert ([], 6) == (combined["divergences"], combined["totals"]["compilations"])
