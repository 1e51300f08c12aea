"""A report held against a budget."""

import pytest
from builders import array, compilation, function, recording, runs, signature, signatures, static, training

from jitscope.analysis.budget import evaluate, fits
from jitscope.analysis.build import build_report
from jitscope.model.budget import Budget, Limits
from jitscope.model.events import NoteEvent, Site


def held(value, **limits):
    return evaluate(build_report(value), Budget(**limits))


def lambdas(count):
    """A lambda made in a loop: as many function objects as there are compilations."""
    events = []
    for number in range(1, count + 1):
        events += [function(number, "main.<locals>.<lambda>", file="/home/u/opt.py", line=3)]
        events += signatures(number, signature(array("x", "f32", 4)), start=number)
        events += [compilation(number, number, 0.5, call=1, signature=number), runs(number, (number, "compile", 1))]
    return recording(*events)


def limited():
    """torch: two entries, the limit, then eager calls."""
    return recording(
        function(1, "Model.forward", framework="torch"),
        *signatures(1, *(signature(array("x", "f32", size, 8)) for size in (4, 5))),
        compilation(1, framework="torch", signature=1, call=1, layers=("dynamo", "compile"), framework_id="0/0"),
        compilation(2, framework="torch", signature=2, call=2, layers=("dynamo",), failed="recompile limit: reached"),
        runs(1, (1, "compile", 1), (2, "eager_fallback", 17)),
        NoteEvent("fallbacks-unseen", "the hook is in use", function=1),
    )


@pytest.mark.parametrize(
    ("limit", "actual"),
    [("max_recompiles", 2), ("max_compilations", 3), ("max_compile_seconds", 6.0)],
)
def test_a_limit_holds_up_to_its_own_value(limit, actual):
    (kept,) = held(training(), **{limit: actual}).rules
    assert ("within", actual, 0, ()) == (kept.status, kept.actual, kept.over_by, kept.offences)

    broken = held(training(), **{limit: actual - 1})
    assert not broken.within
    assert ("over", actual - 1, actual, 1) == (
        broken.rules[0].status, broken.rules[0].allowed, broken.rules[0].actual, broken.rules[0].over_by,
    )  # fmt: skip


def test_offences_are_the_compilations_that_count():
    def ids(**limits):
        (rule,) = held(training(), **limits).rules
        return [one.compilation.id for one in rule.offences]

    assert [2, 3] == ids(max_recompiles=0)
    assert [1, 2, 3] == ids(max_compilations=0)
    assert [2, 3] == ids(forbid=("shape",))
    assert [] == ids(forbid=("weak_type",))


def test_seconds_are_told_from_the_longest_on():
    value = recording(
        function(),
        *signatures(1, *(signature(array("x", "f32", size)) for size in (1, 2, 3))),
        *(compilation(n, seconds=seconds, signature=n, call=n) for n, seconds in ((1, 1.0), (2, 3.0), (3, 2.0))),
    )
    (rule,) = held(value, max_compile_seconds=0.5).rules
    assert [3.0, 2.0, 1.0] == [pytest.approx(one.compilation.seconds) for one in rule.offences]


def test_function_objects_of_one_source_count_as_one_function():
    result = held(lambdas(4), functions={"<lambda>": Limits(max_compilations=1)}, max_avoidable=0)

    assert [("max_avoidable", 3), ("max_compilations", 4)] == [(rule.limit, rule.actual) for rule in result.rules]
    assert "main.<locals>.<lambda>" == result.select


def test_a_pattern_holds_for_each_function_by_itself():
    value = recording(
        function(1, "train_step"),
        function(2, "eval_step", line=30),
        *signatures(1, signature(array("x", "f32", 4))),
        *signatures(2, *(signature(array("x", "f32", size)) for size in (4, 5)), start=2),
        compilation(1, 1, signature=1, call=1),
        compilation(2, 2, signature=2, call=1),
        compilation(3, 2, signature=3, call=2),
    )
    result = held(value, functions={"*_step": Limits(max_compilations=1)})

    assert {"train_step": ("within", 1), "eval_step": ("over", 2)} == {
        rule.name: (rule.status, rule.actual) for rule in result.rules
    }
    assert "eval_step" == result.select


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        ("step", True), ("Trainer.step", True), ("train.Trainer.step", True), ("train.*step*", True), ("*.step", True),
        ("Trainer.*", True), ("s?ep", True), ("Step", False), ("rain.Trainer.step", False), ("ste", False),
        ("train*", False), ("u.train.Trainer.step", False), ("train.py", False),
    ],
)  # fmt: skip
def test_what_a_pattern_fits(pattern, fitting):
    (one,) = build_report(recording(function(1, "Trainer.step"))).functions
    assert fitting == fits(pattern, one)


def test_a_pattern_that_fits_nothing_fails_only_where_it_is_strict():
    limits = {"functions": {"trian*": Limits(max_recompiles=0, forbid=("shape",))}}
    lax, strict = held(training(), **limits), held(training(), **limits, strict=True)

    assert (True, ("trian*",)) == (lax.within, lax.unmatched)
    assert ["unmatched", "unmatched"] == [rule.status for rule in lax.rules]
    assert not strict.within
    assert () == strict.broken


def test_calls_without_compiled_code_and_what_they_come_from():
    result = held(limited(), max_eager_fallbacks=16, forbid=("recompile_limit",))
    fallbacks, forbidden = result.rules

    assert ("over", 17, 1) == (fallbacks.status, fallbacks.actual, fallbacks.over_by)
    assert [(2, 0), (None, 17)] == [(one.compilation and one.compilation.id, one.calls) for one in fallbacks.offences]
    assert ("over", 1) == (forbidden.status, forbidden.actual)


def test_a_note_is_a_doubt_where_a_limit_is_about_it():
    assert () == held(limited(), max_compilations=9).doubts
    (doubt,) = held(limited(), max_eager_fallbacks=99).doubts
    assert "fallbacks-unseen" == doubt.slug


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        (recording(function(), end=None), "no-end"),
        (recording(function(), torn=True), "torn"),
        (recording(function(), skipped=1), "skipped-events"),
        (recording(function(), NoteEvent("internal-error", "x")), "internal-error"),
        (recording(function(), NoteEvent("memory-bound", "x")), "memory-bound"),
        (recording(function(), NoteEvent("one-of-tomorrow", "x")), "one-of-tomorrow"),
        (recording(), "nothing-watched"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_known_is_said_and_fails_where_it_is_strict(value, slug):
    lax, strict = held(value, max_recompiles=0), held(value, max_recompiles=0, strict=True)

    assert (True, [slug]) == (lax.within, [doubt.slug for doubt in lax.doubts])
    assert (False, ()) == (strict.within, strict.broken)


def test_strict_passes_where_all_is_known():
    assert held(training(), max_recompiles=2, strict=True).within
    assert held(recording(function(), NoteEvent("ran-eager", "x")), max_recompiles=2, strict=True).within


def test_what_nobody_watched_is_counted_beside():
    op = compilation(9, None, program="jit(add)", library=True, site=Site("a.py", 1, "f"))
    result = held(recording(function(), op), max_compilations=0)

    assert (True, 1) == (result.within, result.eager_op_compilations)


def test_several_causes_break_several_rules_by_the_same_compilation():
    value = recording(
        function(),
        *signatures(
            1,
            signature(array("x", "f32", 4), static("mode", "a")),
            signature(array("x", "f32", 5), static("mode", "b")),
        ),
        compilation(1, signature=1, call=1),
        compilation(2, signature=2, call=2),
    )
    result = held(value, forbid=("shape", "static_value", "dtype", "shape"))

    assert [("shape", 1), ("static_value", 1), ("dtype", 0)] == [(rule.kind, rule.actual) for rule in result.rules]


def test_given_tells_an_empty_budget():
    assert not Budget().given
    assert not Budget(strict=True).given
    assert not Budget(functions={"f": Limits()}).given
    assert Budget(max_recompiles=0).given
    assert Budget(functions={"f": Limits(forbid=("shape",))}).given
