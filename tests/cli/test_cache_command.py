"""``jitscope cache``, as a user runs it, on folders made by hand and on JAX's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from builders import compilation, function, header, recording, write
from cachedirs import age, atime, code_entry, fx_entry, jax_entry
from subprocesses import installed

from jitscope.model.caching import CacheLookup

DOCS = Path(__file__).parents[2] / "docs"
NONE = {"JAX_COMPILATION_CACHE_DIR": "", "TORCHINDUCTOR_CACHE_DIR": "", "TRITON_CACHE_DIR": ""}


@pytest.fixture
def folder(tmp_path):
    """A cache of JAX's with two entries, of which a recording knows one."""
    where = tmp_path / "cache"
    atime(jax_entry(where, "jit_step", 1, seconds=7), 3 * 86400)
    jax_entry(where, "jit_other", 2, seconds=0)
    key = next(where.glob("jit_step*-cache")).name.removesuffix("-cache")
    lookup = CacheLookup("jax", "miss", key=key, folder=str(where), written=True, compile_seconds=7.25)
    (tmp_path / ".jitscope").mkdir()
    write(
        tmp_path / ".jitscope" / "run1.jsonl",
        recording(function(1, "Model.step"), compilation(2, caches=(lookup,)), header=header(run="run1")),
    )
    return where


def valid(text, name):
    value = json.loads(text)
    jsonschema.validate(value, json.loads((DOCS / f"{name}.schema.json").read_text()))
    return value


def words(done):
    """What was printed, however it was wrapped."""
    return " ".join(done.stdout.split())


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_entries_are_listed_with_whose_they_are_and_what_they_stand_for(jitscope, folder):
    done = jitscope("cache", "ls", folder)

    assert (0, "") == (done.returncode, done.stderr)
    assert "JAX, named · 2 entries" in words(done)
    assert "Model.step" in words(done)
    assert "read 3 days ago · compiling took 7.25 s · run run1" in words(done)
    assert "compiling took < 1 s" in words(done)
    assert "\x1b" not in words(done)


def test_without_a_folder_those_in_force_are_listed(jitscope, folder, tmp_path):
    fx_entry(tmp_path / "inductor")
    done = jitscope(
        "cache", "ls", "--format", "json",
        JAX_COMPILATION_CACHE_DIR=str(folder), TORCHINDUCTOR_CACHE_DIR=str(tmp_path / "inductor"),
    )  # fmt: skip
    found = {one["path"]: one["source"] for one in valid(done.stdout, "cache-listing")["folders"]}

    assert "JAX_COMPILATION_CACHE_DIR" == found[str(folder)]
    assert "TORCHINDUCTOR_CACHE_DIR" == found[str(tmp_path / "inductor")]


def test_a_folder_that_only_a_recording_tells_of_is_listed(jitscope, folder):
    done = jitscope("cache", "ls", "--format", "json", **NONE)
    found = {one["path"]: one["source"] for one in valid(done.stdout, "cache-listing")["folders"]}

    assert "run run1" == found[str(folder)]


def test_a_relative_folder_of_a_recording_is_not_taken_for_one_that_is_called_so_here(jitscope, tmp_path):
    atime(jax_entry(tmp_path / "cache", "jit_step", 1), 3 * 86400)
    lookup = CacheLookup("jax", "miss", key="jit_step-1", folder="cache", written=True)
    (tmp_path / ".jitscope").mkdir()
    write(tmp_path / ".jitscope" / "run1.jsonl", recording(compilation(2, None, caches=(lookup,))))
    before = files(tmp_path / "cache")
    done = jitscope(
        "cache", "prune", "--max-size", "0", "--yes", **NONE | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    )

    assert (2, before) == (done.returncode, files(tmp_path / "cache"))
    assert "no cache folder is in force here" in done.stderr


def test_sums_are_by_kind(jitscope, tmp_path):
    fx_entry(tmp_path / "t", 1)
    fx_entry(tmp_path / "t", 2)
    code_entry(tmp_path / "t")
    done = jitscope("cache", "stats", tmp_path / "t")

    assert "FX graph: 2 entries" in words(done)
    assert "compiling took 5.00 s" in words(done)
    assert "generated code: 1 entry" in words(done)
    valid(jitscope("cache", "stats", tmp_path / "t", "--format", "json").stdout, "cache-sums")


def test_pruning_is_a_dry_run_until_it_is_told_otherwise(jitscope, folder):
    before = files(folder)
    done = jitscope("cache", "prune", folder, "--older-than", "30d")

    assert (0, before) == (done.returncode, files(folder))
    assert "would delete 1 entry" in words(done)
    assert "the same command with --yes does it" in words(done)


def test_pruning_deletes_with_yes_and_says_what(jitscope, folder):
    done = jitscope("cache", "prune", folder, "--older-than", "30d", "--yes", "--format", "json")
    value = valid(done.stdout, "cache-pruning")

    assert (False, ["jit_other"]) == (value["dry_run"], [one["program"] for one in value["folders"][0]["deleted"]])
    assert all(name.startswith("jit_step") for name in files(folder))


@pytest.mark.parametrize("limit", ["0", "0kB", "0.0GiB"])
def test_sizes_have_units(jitscope, folder, limit):
    done = jitscope("cache", "prune", folder, "--max-size", limit)

    assert "would delete 2 entries" in words(done)


def test_a_size_beyond_all_numbers_is_a_size(jitscope, folder):
    done = jitscope("cache", "prune", folder, "--max-size", "9" * 400 + "GB")

    assert (0, "") == (done.returncode, done.stderr)
    assert "would delete 0 entries" in words(done)


@pytest.mark.parametrize(
    "wrong", [["--max-size", "lots"], ["--older-than", "soon"], ["--older-than", "30"], ["--max-size", "-1"], []]
)
def test_what_makes_no_sense_is_refused_and_deletes_nothing(jitscope, folder, wrong):
    before = files(folder)
    done = jitscope("cache", "prune", folder, "--yes", *wrong)

    assert (2, "", before) == (done.returncode, done.stdout, files(folder))
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [["ls"], ["stats"], ["verify"], ["prune", "--max-size", "0", "--yes"]])
@pytest.mark.parametrize("kind", ["missing", "file", "foreign", "unreadable"])
def test_a_folder_that_is_no_cache_is_one_clear_line(jitscope, refused, tmp_path, verb, kind):
    where = tmp_path / "some where"
    if kind == "file":
        where.write_text("mine")
    elif kind != "missing":
        where.mkdir()
        (where / "thesis.tex").write_text("mine")
    if kind == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root may look everywhere")
        where.chmod(0)
    try:
        line = refused(jitscope("cache", verb[0], where, *verb[1:]))
    finally:
        if kind == "unreadable":
            where.chmod(0o700)

    assert str(where) in line
    assert kind != "foreign" or (where / "thesis.tex").exists()


def test_a_locked_folder_is_one_clear_line(jitscope, refused, folder):
    import fcntl

    before = files(folder)
    with (folder / ".lockfile").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        line = refused(jitscope("cache", "prune", folder, "--max-size", "0", "--yes"))

    assert "a program is using" in line
    assert [".lockfile", *before] == files(folder)


def test_broken_entries_are_named_and_the_exit_code_says_so(jitscope, folder):
    whole = jitscope("cache", "verify", folder)
    (path,) = folder.glob("jit_other*-cache")
    path.write_bytes(path.read_bytes()[:-9])
    age(path)
    done = jitscope("cache", "verify", folder)

    assert (0, 1) == (whole.returncode, done.returncode)
    assert "2 entries checked, 0 broken" in words(whole)
    assert "cut off: " in words(done)
    assert path.name in words(done).replace(" ", "")
    assert path.exists()
    valid(jitscope("cache", "verify", folder, "--format", "json").stdout, "cache-checks")


def test_hostile_names_are_shown_escaped(jitscope, tmp_path):
    jax_entry(tmp_path / "cache", "jit_\x1b[2J[red]")
    done = jitscope("cache", "ls", tmp_path / "cache")

    assert "\x1b" not in words(done)
    assert "[red]" in words(done)


def test_names_that_are_no_text_are_valid_json(jitscope, tmp_path):
    """A file's name is bytes, and need not be UTF-8."""
    entry = jax_entry(tmp_path / "cache", "jit_")
    try:
        entry.rename(entry.with_name(entry.name.replace("jit_", os.fsdecode(b"jit_\xff"))))
    except OSError:
        pytest.skip("this file system has no such names")
    done = jitscope("cache", "ls", tmp_path / "cache", "--format", "json")

    assert ["jit_\\udcff"] == [one["program"] for one in valid(done.stdout, "cache-listing")["folders"][0]["entries"]]
    valid(jitscope("cache", "verify", tmp_path / "cache", "--format", "json").stdout, "cache-checks")


def test_no_framework_is_imported(folder, tmp_path):
    code = (
        "import sys\nfrom jitscope.commands import main\n"
        f"main(['cache', 'ls', {str(folder)!r}], standalone_mode=False)\n"
        "assert not {'jax', 'torch', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)


def test_every_verb_has_help_with_an_example(jitscope):
    from jitscope.commands.cache import _VERBS

    for verb in _VERBS:
        done = jitscope("cache", verb, "-h")
        assert (0, "") == (done.returncode, done.stderr)
        assert f"jitscope cache {verb}" in done.stdout.partition("Options:")[2], verb


def test_a_mistyped_verb_is_told_with_the_one_that_was_meant(jitscope):
    done = jitscope("cache", "purne")

    assert (2, True) == (done.returncode, "Did you mean prune?" in done.stderr)


# -- why -----------------------------------------------------------------------------------------------

PROGRAM = """
import os, sys
import numpy as np
import jax
SCALE = float(os.environ.get("SCALE", "2.5"))
def step(x):
    return (x * SCALE).sum()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.jit(step)(np.ones(3, np.float32))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs of a program: the second has another constant, the third an unknown flag."""
    if not installed("jax"):
        pytest.skip("needs JAX")
    where = tmp_path_factory.mktemp("runs")
    (where / "program.py").write_text(PROGRAM)
    for name, changed in (
        ("a", {}),
        ("b", {"SCALE": "3.5"}),
        ("c", {"SCALE": "3.5", "XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}),
    ):
        environment = {**os.environ, **changed, "JAX_COMPILATION_CACHE_DIR": str(where / "cache")}
        out = where / ".jitscope" / f"{name}.jsonl"
        command = [sys.executable, "-m", "jitscope", "run", "--no-report", "-o", str(out), "program.py"]
        out.parent.mkdir(exist_ok=True)
        subprocess.run(command, env=environment, cwd=where, check=True, capture_output=True, timeout=120)
    return where


def test_why_names_the_constant_that_changed(jitscope, runs):
    done = jitscope("cache", "why", "a.jsonl", "b.jsonl", cwd=runs / ".jitscope")

    assert (0, "") == (done.returncode, done.stderr)
    assert "SCALE, which the function takes from around it: 2.5 → 3.5" in words(done)
    assert "pass SCALE as an argument" in words(done)


def test_why_of_the_newest_run_names_the_flag(jitscope, runs):
    done = jitscope("cache", "why", cwd=runs)

    assert "new: --xla_cpu_enable_fast_math=true" in words(done)
    assert "debug_options.xla_cpu_enable_fast_math: False → True" in words(done)


def test_why_of_a_function_in_a_run(jitscope, runs):
    done = jitscope("cache", "why", "step", ".jitscope/b.jsonl", "--format", "json", cwd=runs)
    value = valid(done.stdout, "cache-misses")

    assert ["computation"] == [change["part"] for change in value["misses"][0]["changes"]]


def test_why_of_a_function_that_is_called_like_a_folder_here(jitscope, runs):
    (runs / "step").mkdir()
    try:
        done = jitscope("cache", "why", "step", cwd=runs)
    finally:
        (runs / "step").rmdir()

    assert (0, "") == (done.returncode, done.stderr)
    assert "of step" in words(done)


def test_why_of_the_first_run_says_that_it_was_the_first(jitscope, runs):
    done = jitscope("cache", "why", ".jitscope/a.jsonl", cwd=runs)

    assert "compiled for the first time, as far as is known" in words(done)


def test_why_refuses_what_there_is_not(jitscope, refused, runs):
    assert "there are step" in refused(jitscope("cache", "why", "stop", cwd=runs))
    assert "no recording at" in refused(jitscope("cache", "why", "missing.jsonl", cwd=runs))


def test_why_refuses_too_many_words(jitscope, runs):
    done = jitscope("cache", "why", "step", "a", "b", "c", cwd=runs)

    assert (2, "") == (done.returncode, done.stdout)


def test_the_report_says_what_the_cache_did_and_points_to_why(jitscope, runs):
    done = jitscope("report", ".jitscope/b.jsonl", cwd=runs)

    assert "JAX's persistent cache: found 0 / 1 (0%)" in words(done)
    assert "jitscope cache why" in words(done)


def test_what_a_hit_saved_is_what_an_earlier_run_measured(jitscope, runs, tmp_path):
    environment = {"JAX_COMPILATION_CACHE_DIR": str(runs / "cache"), "SCALE": "3.5"}
    where = runs / ".jitscope" / f"again-{tmp_path.name}.jsonl"
    jitscope("run", "--no-report", "-o", where, "program.py", cwd=runs, **environment)
    done = jitscope("report", where, "--format", "json", cwd=runs)
    where.unlink()
    (cache,) = json.loads(done.stdout)["caches"]

    assert (1, 0) == (cache["hits"], cache["saved_unknown"])
