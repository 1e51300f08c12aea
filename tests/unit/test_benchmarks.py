"""What the benchmarks conclude from numbers; the numbers themselves are no matter of a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch):
    """The benchmarks' modules can be imported."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return BENCHMARKS


@pytest.fixture
def results(benchmarks):
    from harness import Table, judge, rows_of
    from machine import Results

    times = {"bare": [10.0] * 9, "jitscope": [11.0] * 9}
    rows = rows_of("one case", times, "ns", {"jitscope": judge("adds at most 2", [1.0] * 9, 2.0)})
    return Results(
        command="python benchmarks/run.py",
        date="2026-01-01",
        commit="abc",
        machine="Linux",
        cpu="a processor",
        cores=2,
        load=0.1,
        versions={"Python": "3.11"},
        quick=False,
        seconds=1.0,
        tables=[Table(name="hit_jax", title="A hit", method="How.", rows=rows)],
    )


def test_an_estimate_tells_its_error(benchmarks):
    from harness import estimate

    found = estimate([float(n) for n in range(1, 101)])
    assert found.median == 50.5
    assert found.low == pytest.approx(10.9)
    assert found.high == pytest.approx(90.1)
    # Ranks 45 to 56 of 100: five on each side of the middle, which is half a root of 100.
    assert found.error == pytest.approx(5.5)
    assert estimate([1.0, 2.0, 3.0]).error is None


def test_an_effect_below_its_spread_is_lost(benchmarks):
    from harness import estimate

    assert estimate([-3.0, 1.0, 1.0, 1.0, 5.0]).lost
    assert not estimate([9.0, 10.0, 10.0, 10.0, 11.0]).lost


@pytest.mark.parametrize(
    ("values", "slack", "holds"),
    [
        ([1.0] * 9, 0.0, "met"),
        ([3.0] * 9, 0.0, "not met"),
        ([1.9] * 9, 0.2, "undecided"),  # equal contestants differ by more than what is left
        ([1.0, 1.5, 1.9, 2.1, 3.0], 0.0, "undecided"),
        ([1.0] * 4, 0.0, "undecided"),  # too few rounds to know
    ],
)
def test_a_verdict_needs_the_target_to_be_far_enough(benchmarks, values, slack, holds):
    from harness import judge

    assert judge("at most 2", values, 2.0, slack).holds == holds


def test_differences_are_taken_round_by_round(benchmarks):
    from harness import rows_of

    bare, watched = rows_of("case", {"bare": [1.0, 100.0, 10.0], "jitscope": [3.0, 102.0, 12.0]}, "ns")
    assert bare.added is None
    assert (watched.added.median, watched.added.low, watched.added.high) == (2.0, 2.0, 2.0)


def test_contestants_are_called_equally_often_and_checked(benchmarks):
    from harness import Contestant, time_calls

    made = {"bare": 0, "jitscope": 0}
    told: list[int] = []

    def call(name):
        made[name] += 1

    times = time_calls(
        {
            "bare": Contestant([lambda: call("bare")]),
            "jitscope": Contestant([lambda: call("jitscope")] * 2, check=told.append),
        },
        seconds=0.01,
    )
    assert told == [made["jitscope"]]
    assert len(times["bare"]) == len(times["jitscope"]) >= 7
    assert all(value > 0 for value in times["bare"])


def test_the_page_is_filled_and_filled_again(benchmarks, results, tmp_path):
    from overhead import lacks, write

    page = tmp_path / "overhead.md"
    page.write_text((ROOT / "docs" / "overhead.md").read_text(encoding="utf-8"), encoding="utf-8")
    assert lacks(page) is None
    write(page, results)
    first = page.read_text(encoding="utf-8")
    assert "| A hit: one case | adds 1.0 ns, × 1.100 | adds at most 2 | met |" in first
    assert "Not measured in this run." in first
    write(page, results)
    assert page.read_text(encoding="utf-8") == first


def test_a_page_without_marks_is_refused(benchmarks, tmp_path):
    from overhead import lacks

    page = tmp_path / "page.md"
    page.write_text("# Nothing\n", encoding="utf-8")
    assert "it lacks <!-- machine -->" in lacks(page)


def run(*args):
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / "run.py"), *args], capture_output=True, text=True, check=False
    )


def test_results_are_shown_again_without_measuring(results, tmp_path):
    file = tmp_path / "bench.json"
    file.write_bytes(msgspec.json.encode(results))
    done = run("--from", str(file))
    assert done.returncode == 0, done.stderr
    assert "one case" in done.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--only", "nothing"), "no such suite: nothing"),
        (("--from", "nowhere.json"), "nowhere.json"),
        (("--write", "nowhere.md"), "nowhere.md: no such page"),
        (("--json", "/nowhere/at/all.json"), "no folder /nowhere/at"),
    ],
)
def test_bad_input_is_told_before_anything_is_measured(args, words):
    done = run(*args)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_long_runs_can_be_measured():
    """`scale.py` reaches into the recorder: parts of it are run, so that a change of that is noticed."""
    command = [sys.executable, str(BENCHMARKS / "scale.py"), "--quick", "calls", "functions"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1,000,000 calls, in turn: A B A B …: recorder" in done.stdout
