"""Bucket plans: a few fixed sizes for an axis that varies."""

from itertools import combinations

import pytest
from builders import array, signature, static
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.buckets import (
    MOST_BUCKETS,
    PADDING_LIMIT,
    VaryingAxis,
    bucket_plan,
    calls_by_size,
    round_size,
    trade_off,
    varying_axes,
)
from jitscope.model.report import Bucket

SIZES = st.dictionaries(st.integers(1, 400), st.integers(1, 20), min_size=1, max_size=9)
MANY_SIZES = st.dictionaries(st.integers(0, 5000), st.integers(0, 1000), min_size=1, max_size=60)


def added(sizes, tops):
    """Elements added where each size is padded to the first of ``tops`` that holds it."""
    return sum(calls * (min(top for top in tops if top >= size) - size) for size, calls in sizes.items())


@given(SIZES)
def test_no_other_buckets_add_less(sizes):
    candidates = sorted({round_size(size) for size in sizes})
    needed = sum(size * calls for size, calls in sizes.items())

    choices = trade_off(sizes, len(candidates))

    assert list(range(1, len(candidates) + 1)) == [len(choice.buckets) for choice in choices]
    for number, choice in enumerate(choices, start=1):
        least = min(added(sizes, (*tops, candidates[-1])) for tops in combinations(candidates[:-1], number - 1))
        assert pytest.approx(least / needed) == choice.padding
        assert least == added(sizes, [bucket.size for bucket in choice.buckets])


@given(MANY_SIZES)
def test_every_size_is_in_one_bucket_that_holds_it(sizes):
    for choice in trade_off(sizes, MOST_BUCKETS):
        assert sorted(sizes) == [size for bucket in choice.buckets for size in bucket.sizes]
        tops = [bucket.size for bucket in choice.buckets]
        assert sorted(set(tops)) == tops
        for bucket in choice.buckets:
            assert max(bucket.sizes) <= bucket.size <= max(bucket.sizes) * (1 + PADDING_LIMIT)
            assert sum(max(sizes[size], 1) for size in bucket.sizes) == bucket.calls


@given(MANY_SIZES)
def test_more_buckets_add_less(sizes):
    paddings = [choice.padding for choice in trade_off(sizes, 60)]

    assert sorted(paddings, reverse=True) == paddings
    assert len(set(paddings)) == len(paddings)
    assert paddings[-1] <= PADDING_LIMIT


@given(st.integers(0, 10_000))
def test_what_lies_below_a_rounded_size_rounds_to_it(size):
    rounded = round_size(size)

    assert size <= rounded <= size * (1 + PADDING_LIMIT)
    assert {rounded} == {round_size(other) for other in range(size, rounded + 1)}


ROUNDED = {
    0: 0, 1: 1, 7: 7, 8: 8, 15: 16, 17: 18, 30: 32, 57: 64, 61: 64, 100: 104, 169: 176, 171: 176, 300: 320, 500: 512,
    1000: 1024, 4000: 4096, 4097: 4224,
}  # fmt: skip


def test_sizes_are_rounded_where_that_adds_little():
    assert {size: round_size(size) for size in ROUNDED} == ROUNDED


def test_a_trade_off_has_no_more_choices_than_asked_for():
    assert [1, 2] == [len(choice.buckets) for choice in trade_off({8: 1, 16: 1, 32: 1, 64: 1}, 2)]
    assert () == trade_off({8: 1}, 0)
    assert () == trade_off({}, 3)


def test_thousands_of_sizes_are_quick():
    choices = trade_off(dict.fromkeys(range(1, 500_000, 100), 1), MOST_BUCKETS)

    assert MOST_BUCKETS == len(choices)


def test_a_last_batch_that_is_smaller_is_padded_to_the_others():
    plan = bucket_plan("batch['x']", 0, {64: 97, 63: 2, 61: 1}, [2.0, 3.0, 4.0], same=["batch['y'] axis 0"])

    assert plan is not None
    assert ("batch['x']", 0, ("batch['y'] axis 0",)) == (plan.path, plan.axis, plan.same)
    (only,) = plan.buckets
    assert (64, (61, 63, 64), 100) == (only.size, only.sizes, only.calls)
    assert pytest.approx(5 / 6395) == only.padding == plan.padding
    assert (3, 9.0, 3.0) == (plan.compilations_before, plan.seconds_before, plan.seconds_after)


def test_lengths_of_all_kinds_get_few_buckets():
    plan = bucket_plan("tokens", 1, dict.fromkeys(range(1, 513), 1), [1.5] * 512)

    assert plan is not None
    assert [64, 128, 192, 256, 320, 384, 448, 512] == [bucket.size for bucket in plan.buckets]
    assert plan.padding <= PADDING_LIMIT
    assert (512, 768.0, 12.0) == (plan.compilations_before, plan.seconds_before, plan.seconds_after)


def test_the_fewest_buckets_within_the_limit_are_taken():
    sizes = {10: 1, 11: 1, 100: 5, 104: 5}
    plan = bucket_plan("x", 0, sizes, [1.0] * 4)
    one, two, *_ = trade_off(sizes, 4)

    assert plan is not None
    assert one.padding > PADDING_LIMIT >= two.padding
    assert two.buckets == plan.buckets
    assert Bucket(12, (10, 11), 2, 3 / 21) == plan.buckets[0]


def test_where_the_limit_is_out_of_reach_there_are_as_many_buckets_as_a_plan_may_have():
    plan = bucket_plan("x", 0, {2**power: 1 for power in range(20)} | {3: 10}, [1.0] * 21)

    assert plan is not None
    assert MOST_BUCKETS >= len(plan.buckets)
    rare = bucket_plan("x", 0, {10**power: 10 ** (12 - power) for power in range(12)}, [])
    assert rare is not None
    assert MOST_BUCKETS == len(rare.buckets)
    assert rare.padding > PADDING_LIMIT
    assert (0, 0.0, 0.0) == (rare.compilations_before, rare.seconds_before, rare.seconds_after)


def test_no_plan_where_it_would_save_nothing():
    assert bucket_plan("x", 0, {64: 9, 63: 1}, [1.0, 1.0]) is None
    assert bucket_plan("x", 0, {64: 9, 128: 9, 256: 9}, [1.0, 1.0, 1.0]) is None


def test_axes_that_vary_together_are_one():
    family = [
        signature(
            array("w", "f32", 128, 10),
            array("x", "f32", size, 128),
            array("y", "i32", size),
            array("mask", "bool", size, length, length),
            static("causal", True),
        )
        for size, length in ((64, 10), (63, 10), (64, 12))
    ]

    batch, length = varying_axes(family)
    assert VaryingAxis("x", 0, (64, 63, 64), same=("y axis 0", "mask axis 0")) == batch
    assert VaryingAxis("mask", 1, (10, 10, 12), same=("mask axis 2",)) == length


def test_what_is_no_family_has_no_varying_axes():
    x = signature(array("x", "f32", 8))

    assert () == varying_axes([])
    assert () == varying_axes([x])
    assert () == varying_axes([x, signature(array("x", "bf16", 9))])
    assert () == varying_axes([x, signature(array("x", "f32", 9, 1))])


def test_calls_of_signatures_with_one_size_are_added_up():
    assert {63: 1, 64: 12} == calls_by_size([64, 63, 64], [5, 1, 7])


def test_no_plan_is_made_that_saves_no_compilation():
    """After the recompile limit sizes come that were never compiled for."""
    sizes = dict.fromkeys(range(1, 41), 1)
    assert bucket_plan("k", 2, sizes, [0.2] * 7) is None
    assert bucket_plan("k", 2, sizes, [0.2] * 40) is not None
