"""Histories made short: what repeats is written once, and unfolds to what it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jitscope.capture.folding import LONGEST, fold


def unfolded(runs):
    blocks, rest = fold(runs)
    return [run for block, times in blocks for run in block * times] + rest


RUNS = st.lists(st.integers(0, 3), max_size=60)


@given(
    st.lists(st.tuples(RUNS, st.integers(1, 30)), max_size=5).map(
        lambda parts: [run for part, times in parts for run in part * times]
    )
)
def test_what_is_folded_unfolds_to_the_same(runs):
    assert runs == unfolded(runs)


def test_two_in_turn_are_one_block():
    assert ([(("a", "b"), 1000)], []) == fold(["a", "b"] * 1000)


def test_what_may_be_the_start_of_another_turn_is_left():
    assert ([(("a", "b", "c"), 1000)], ["a", "b"]) == fold(["a", "b", "c"] * 1000 + ["a", "b"])


def test_one_that_comes_twice_in_a_turn_does_not_hide_it():
    blocks, _ = fold(["a", "b", "a", "c"] * 100)

    assert 100 > sum(len(block) for block, _ in blocks)


def test_what_follows_a_block_for_long_is_no_start_of_another():
    plain = [str(n) for n in range(LONGEST + 1)]

    assert ([(("a", "b"), 50), (tuple(plain), 1)], []) == fold(["a", "b"] * 50 + plain)


def test_nothing_repeats():
    assert ([(("a", "b", "c"), 1)], []) == fold(["a", "b", "c"])
    assert ([], []) == fold([])
