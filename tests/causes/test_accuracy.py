"""How often causes are named right: each situation of the corpus, and the goals."""

from __future__ import annotations

import functools

import pytest

from causes import jax_own_words, runner, scoreboard
from causes.judge import Seen, judge, same_path, short
from causes.situation import FIRST, Situation, because

_UNNAMED = "a program that a gradient made names its arguments by position only"
KNOWN: dict[tuple[str, str], str] = {
    ("jax", "the_gradient_at_two_shapes"): _UNNAMED,
    ("jax", "value_and_grad_in_two_precisions"): _UNNAMED,
    ("jax", "a_filtered_jit_in_a_region"): "inside a region the names are those of the library's own wrapper",
}
"""Situations in which jitscope is known to be wrong, as ``(framework, name)``, and why."""

GOAL = 0.97
"""The share of compilations that have to have all their causes, and only those."""

MARKS = {"jax": pytest.mark.jax, "torch": pytest.mark.torch}


@functools.cache
def verdicts(framework):
    """The corpus is run once."""
    if not runner.installed(framework):
        pytest.skip(f"{framework} is not installed")
    return {verdict.name: verdict for verdict in runner.measure(framework)}


def situations():
    return [
        pytest.param(framework, name, marks=[MARKS[framework], pytest.mark.slow], id=f"{framework}-{name}")
        for framework in runner.FRAMEWORKS
        for name in runner.names(framework)
    ]


@pytest.mark.parametrize(("framework", "name"), situations())
def test_outcomes_and_causes_are_right(framework, name):
    verdict = verdicts(framework)[name]
    if verdict.skipped:
        pytest.skip(verdict.skipped)
    wrong = scoreboard.what_is_wrong(verdict)
    assert (wrong == "") == (verdict.detected and verdict.right and verdict.fixed)
    if (framework, name) in KNOWN:
        assert wrong, "known to fail, but right: take it out of KNOWN"
        pytest.xfail(KNOWN[framework, name])
    assert not wrong, wrong


@pytest.mark.slow
@pytest.mark.parametrize("framework", [pytest.param(name, marks=MARKS[name]) for name in runner.FRAMEWORKS])
def test_goals(framework):
    run = [verdict for verdict in verdicts(framework).values() if verdict.skipped is None]
    compilations = [one for verdict in run for one in verdict.compilations]

    assert [] == [verdict.name for verdict in run if not verdict.detected]
    right = sum(one.right for one in compilations)
    assert right >= GOAL * len(compilations)


def test_what_is_known_to_fail_exists():
    assert set() == set(KNOWN) - {
        (framework, name) for framework in runner.FRAMEWORKS for name in runner.names(framework)
    }


# -- the judge ------------------------------------------------------------------------------------


TRUTH = Situation("s", "jax", lambda: None, ("compile", "compile"), (FIRST, because(("shape", "x"), ("dtype", "y"))))
FULL = ("trace", "lower", "compile")


def seen(*causes, **fields):
    return Seen(causes=causes, **{"layers": FULL, "fix": True} | fields)


def judged(second, outcomes=("compile", "compile")):
    return judge(TRUTH, outcomes, [seen(("first_compile", None), fix=False), second])


def test_all_causes_and_only_those_are_right():
    right = judged(seen(("dtype", "y"), ("shape", "x")))
    assert (right.detected, right.right, right.fixed) == (True, True, True)
    for causes in ([("shape", "x")], [("shape", "x"), ("dtype", "y"), ("rank", "x")], [("shape", "y"), ("dtype", "x")]):
        assert not judged(seen(*causes)).right
    (_, one) = judged(seen(("shape", "y"), ("dtype", "x"), ("unknown", None))).compilations
    assert (one.kinds_right, one.paths_right, one.wrong) == (False, False, ())


def test_outcomes_layers_and_the_number_of_compilations_count():
    right = seen(("dtype", "y"), ("shape", "x"))
    assert not judged(right, ("compile", "hit")).detected
    assert not judged(seen(*right.causes, layers=("lower", "compile"))).detected
    assert not judge(TRUTH, TRUTH.outcomes, [right]).detected
    assert not judge(TRUTH, TRUTH.outcomes, [right] * 3).detected
    assert not judged(seen(*right.causes, fix=False)).fixed


def test_a_framework_is_judged_by_the_same_rule():
    def own(*statements):
        (_, one) = judged(seen(own=statements)).compilations
        return one.own_right, one.own_kinds_right, one.own_wrong

    shape, dtype = (("shape", "x"), ("rank", "x")), (("dtype", "*"),)
    assert (True, True, 0) == own(shape, dtype)
    assert (False, False, 0) == own(shape)
    assert (False, False, 1) == own(shape, dtype, (("weak_type", "x"),))


def test_names_and_paths():
    assert ("grad(loss)", "Model.step", "x", None) == tuple(
        map(short, ("grad(f.<locals>.loss)", "f.<locals>.g.<locals>.Model.step", "x", None))
    )
    assert same_path("batch['x']", "*['x']")
    assert same_path("Model.step", "~step")
    assert not same_path("batch['x']", "*")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("* at x, now f32[2,2]({}) and before f32[4]({})", [{("rank", "x")}]),
        ("* at x, now f16[5] and before f32[3]", [{("shape", "x")}, {("dtype", "x")}]),
        ("* at n, now f32[]{weak_type=False} and before f32[]{weak_type=True}https://x", [{("weak_type", "n")}]),
        ("* at x, now f32[8]({Auto: ('y',)}) and before f32[8]({Auto: ('x',)})", [{("sharding", "x")}]),
        ("* jax_numpy_rank_promotion differs: now warn and before allow", [{("config", "jax_numpy_rank_promotion")}]),
        (
            "* at input path [0][1], now list of length 3 and before list of length 2, so the lengths do not match",
            [{("tree_structure", "*[2]")}],
        ),
    ],
)
def test_jaxs_own_words(line, expected):
    assert expected == jax_own_words.read(f"for f defined at f.py:1\n  {line}", first=False)
