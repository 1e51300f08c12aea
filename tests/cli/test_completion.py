"""What a shell completes, by click's protocol, and what is said of mistyped commands."""

import shutil
import subprocess

import pytest
from builders import function, recording, training, write


@pytest.fixture
def complete(jitscope):
    """The completions of a command line, as bash asks for them."""

    def completions(line, **environment):
        words = line.split(" ")
        done = jitscope(
            _JITSCOPE_COMPLETE="bash_complete",
            COMP_WORDS="\n".join(words),
            COMP_CWORD=str(len(words) - 1),
            **environment,
        )
        assert (0, "") == (done.returncode, done.stderr)
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    return completions


@pytest.fixture
def kept(tmp_path):
    """Two recordings where they are kept; b is the newer one."""
    import os

    folder = tmp_path / ".jitscope"
    folder.mkdir()
    for age, name, value in (
        (2000, "a", training()),
        (
            1000,
            "b",
            recording(
                function(1, "Trainer.step"),
                function(2, "make.<locals>.inner"),
                function(3, "main.<locals>.<lambda>"),
                function(4, "evil\x1b$(x)"),
            ),
        ),
    ):
        os.utime(write(folder / f"{name}.jsonl", value), (10_000 - age, 10_000 - age))
    return folder


def test_commands_and_options(complete):
    assert ["run", "report"] == complete("jitscope r")[:2]
    assert "--max-recompiles" in complete("jitscope check --max")
    assert ["--version"] == complete("jitscope --v")
    assert ["github"] == complete("jitscope check --format g")
    assert ["bash", "zsh", "fish"] == complete("jitscope completion ")


def test_recordings_the_newest_first_and_then_any_file(complete, kept):
    assert [".jitscope/b.jsonl", ".jitscope/a.jsonl"] == complete("jitscope report ")
    assert [".jitscope/a.jsonl"] == complete("jitscope check .jitscope/a")
    assert ["oth"] == complete("jitscope report oth")
    assert complete("jitscope report ", JITSCOPE_DIR=str(kept))[0] == str(kept / "b.jsonl")


def test_functions_that_need_no_quotes(complete, kept):
    assert ["Trainer.step", "inner"] == complete("jitscope why ")
    assert ["Trainer.step"] == complete("jitscope why Tr")
    assert ["train_step"] == complete("jitscope report .jitscope/a.jsonl --function ")


def test_kinds_of_causes_after_a_comma(complete):
    assert ["weak_type,new_function", "weak_type,nested_first"] == complete("jitscope check --forbid weak_type,ne")


def test_nothing_to_complete_is_no_error(complete, tmp_path):
    assert [] == complete("jitscope why ")
    (tmp_path / ".jitscope").mkdir()
    (tmp_path / ".jitscope" / "a.jsonl").write_bytes(b'{"event":"function","na\xff')
    assert [] == complete("jitscope why ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(jitscope, shell):
    done = jitscope("completion", shell)
    assert 0 == done.returncode
    assert "_JITSCOPE_COMPLETE" in done.stdout
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("raport", "Did you mean report?"),
        ("Check", "Did you mean check?"),
        ("train.py", "To run a program: jitscope run train.py"),
        ("run7.jsonl", "To report on a recording: jitscope report run7.jsonl"),
        ("qqq", "There are run, "),
    ],
)
def test_a_mistyped_command(jitscope, typed, said):
    done = jitscope(typed)
    assert (2, "") == (done.returncode, done.stdout)
    assert f"No such command '{typed}'. {said}" in done.stderr


def test_every_command_has_help_with_an_example_and_no_traceback(jitscope):
    from jitscope.commands import _VERBS

    for verb in _VERBS:
        done = jitscope(verb, "-h")
        assert (0, "") == (done.returncode, done.stderr)
        assert f"jitscope {verb}" in done.stdout.partition("Options:")[2], verb


def test_the_page_of_all_commands_is_current():
    """``make cli`` was run after the last change to a command."""
    from pathlib import Path

    from jitscope.commands.document import page

    assert (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8") == page()
