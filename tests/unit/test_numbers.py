"""Numbers as people read them."""

import pytest

from jitscope.render.numbers import count_text, ratio_text, seconds_text, share_text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (-1e-9, "0 s"),
        (3.2e-8, "0.03 µs"),
        (0.00000412, "4.12 µs"),
        (0.00087, "870 µs"),
        (0.0009999, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (0.6, "600 ms"),
        (0.99996, "1.00 s"),
        (4.519, "4.52 s"),
        (9.999, "10.0 s"),
        (99.99, "100.0 s"),
        (312.44, "312.4 s"),
        (4000, "4000.0 s"),
    ],
)
def test_seconds(seconds, expected):
    assert expected == seconds_text(seconds)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, "0 / 0"),
        (0, 5, "0 / 5 (0%)"),
        (2, 5, "2 / 5 (40%)"),
        (1, 3, "1 / 3 (33.3%)"),
        (487, 497, "487 / 497 (97.9%)"),
        (18204, 18231, "18204 / 18231 (99.85%)"),
        (9_999_999, 10_000_000, "9999999 / 10000000 (99.99%)"),
        (1, 10_000, "1 / 10000 (<0.1%)"),
        (100, 100, "100 / 100 (100%)"),
        (10, 100, "10 / 100 (10%)"),
    ],
)
def test_ratios_keep_their_denominator(part, whole, expected):
    assert expected == ratio_text(part, whole)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, "0%"), (0.001, "<1%"), (0.39, "39%"), (0.996, ">99%"), (1, "100%"), (1.7, "170%")],
)
def test_shares(share, expected):
    assert expected == share_text(share)


def test_counts():
    assert ["0 calls", "1 call", "2 misses"] == [
        count_text(0, "call"),
        count_text(1, "call"),
        count_text(2, "miss", "misses"),
    ]
