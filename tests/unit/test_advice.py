"""Every kind of cause is explained, and it is said whether it can be avoided."""

import pytest

from jitscope.analysis.advice import ADVICE, avoidable, cause
from jitscope.model.cause import CAUSE_KINDS


@pytest.mark.parametrize("kind", CAUSE_KINDS)
def test_every_kind_has_an_explanation(kind):
    assert ADVICE[kind].explanation.endswith(".")


def test_nothing_else_has_advice():
    assert set(CAUSE_KINDS) == set(ADVICE)


def test_what_is_known_to_be_avoidable():
    assert {"first_compile", "nested_first", "backward"} == {kind for kind in ADVICE if ADVICE[kind].avoidable == "no"}
    expected = {"weak_type", "committed", "python_type", "argument_passing", "new_function", "cache_cleared"}
    assert expected == {kind for kind in ADVICE if ADVICE[kind].avoidable == "yes"}


def test_a_compilation_is_avoidable_where_all_its_causes_are():
    weak, shape = cause("weak_type"), cause("shape")

    assert avoidable([weak])
    assert not avoidable([weak, shape])
    assert not avoidable([])
