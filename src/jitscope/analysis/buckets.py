"""Bucket plans: a few fixed sizes to pad an axis to, where its size varies from call to call.

How long a call runs is not known (a hit is not timed), so padded work is not in seconds but in elements: what is
added, as a share of what was needed. `trade_off` tells what each number of buckets costs; `bucket_plan` takes the
fewest that keep the padding within `PADDING_LIMIT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from jitscope.analysis.families import shape_free
from jitscope.model.report import Bucket, BucketPlan
from jitscope.model.signature import ArrayLeaf, Signature

PADDING_LIMIT: Final = 0.125
"""Most elements that a plan adds, as a share of those needed: an eighth.

With sizes spread evenly from 1 up, k buckets add 1/k: so eight buckets are enough for it, and fewer where some sizes
are more frequent than others.
"""
MOST_BUCKETS: Final = 8
"""Most buckets of a plan: it is written into a program by hand, and each one is compiled for."""
FEWEST_SIZES: Final = 3
"""From how many distinct sizes on a plan is made: two are two buckets already."""

_STEPS: Final = (128, 64, 32, 16, 8, 4, 2)
"""What sizes are rounded to multiples of, the best for the hardware first."""


class BucketChoice(msgspec.Struct, frozen=True):
    """The buckets that add least, for one number of buckets."""

    buckets: tuple[Bucket, ...]
    """Ascending."""
    padding: float
    """Elements added over all calls, as a share of those needed."""


class VaryingAxis(msgspec.Struct, frozen=True):
    """An axis whose size differs within a family of signatures."""

    path: str
    axis: int
    sizes: tuple[int, ...]
    """In elements, one for each signature, in their order."""
    same: tuple[str, ...] = ()
    """Further axes with the same size in every signature: ``batch['y'] axis 0``."""


def varying_axes(signatures: Sequence[Signature]) -> tuple[VaryingAxis, ...]:
    """The axes that vary within one family, in the order of the leaves; those that vary together are one.

    Empty where the signatures differ in more than sizes.
    """
    if len({shape_free(signature) for signature in signatures}) != 1:
        return ()
    found: dict[tuple[int, ...], list[tuple[str, int]]] = {}
    for column in zip(*(signature.leaves for signature in signatures), strict=True):
        shapes = [leaf.shape for leaf in column if isinstance(leaf, ArrayLeaf)]
        for axis, sizes in enumerate(zip(*shapes, strict=True)):
            if len(set(sizes)) > 1:
                found.setdefault(sizes, []).append((column[0].path, axis))
    return tuple(
        VaryingAxis(path, axis, sizes, same=tuple(f"{other} axis {number}" for other, number in rest))
        for sizes, ((path, axis), *rest) in found.items()
    )


def calls_by_size(sizes: Sequence[int], calls: Sequence[int]) -> dict[int, int]:
    """Calls for each size, ascending: ``sizes`` and ``calls`` hold one number for each signature."""
    found: dict[int, int] = {}
    for size, count in sorted(zip(sizes, calls, strict=True)):
        found[size] = found.get(size, 0) + count
    return found


def bucket_plan(
    path: str, axis: int, sizes: Mapping[int, int], seconds: Sequence[float], *, same: Sequence[str] = ()
) -> BucketPlan | None:
    """The fewest buckets whose padding is within `PADDING_LIMIT`; `MOST_BUCKETS` where that takes more.

    Args:
        path: the leaf, as the user would write it.
        axis: its axis.
        sizes: calls for each size that was seen, hits included; a size was called at least once.
        seconds: what each compilation for these sizes took.
        same: further axes that vary with this one.

    Returns:
        None for fewer than `FEWEST_SIZES` sizes, or where the buckets would be as many as the sizes or compilations:
        after torch's recompile limit there are fewer of these.
    """
    if len(sizes) < FEWEST_SIZES:
        return None
    choices = trade_off(sizes, MOST_BUCKETS)
    chosen = next((choice for choice in choices if choice.padding <= PADDING_LIMIT), choices[-1])
    if len(chosen.buckets) >= min(len(sizes), len(seconds) or len(sizes)):
        return None
    before = sum(seconds)
    return BucketPlan(
        path=path,
        axis=axis,
        buckets=chosen.buckets,
        compilations_before=len(seconds),
        seconds_before=before,
        seconds_after=before / len(seconds) * len(chosen.buckets) if seconds else 0.0,
        padding=chosen.padding,
        same=tuple(same),
    )


def trade_off(sizes: Mapping[int, int], most: int) -> tuple[BucketChoice, ...]:
    """The best choice of 1, 2, … up to ``most`` buckets; each adds less than the one before.

    ``sizes`` holds the calls for each size. There can be fewer choices than sizes: where two round to the same size,
    one bucket holds both.
    """
    rounded: dict[int, list[int]] = {}
    for size in sorted(sizes):
        rounded.setdefault(round_size(size), []).append(size)
    calls = {size: max(count, 1) for size, count in sizes.items()}
    tops = list(rounded)
    return tuple(_choice(tops, ends, rounded, calls) for ends in _best_ends(tops, rounded, calls, most))


def round_size(size: int) -> int:
    """The next multiple of a power of two: the largest, up to 128, that adds at most an eighth to whatever it rounds.

    Round sizes suit the hardware, and have room for sizes not seen yet: 4000 → 4096, 500 → 512, 100 → 104, 61 → 64,
    17 → 18. A size up to 8 stays. All that lies between a size and what it rounds to, rounds to the same.
    """
    for step in _STEPS:
        rounded = -(-size // step) * step
        smallest = rounded - step + 1
        if rounded <= smallest * (1 + PADDING_LIMIT):
            return rounded
    return size


def _best_ends(
    tops: Sequence[int], rounded: Mapping[int, Sequence[int]], calls: Mapping[int, int], most: int
) -> list[list[int]]:
    """For 1, 2, … buckets, how many of ``tops`` lie in or below each, such that least is added over all calls.

    Dynamic programming over the tops: the best k buckets for the first j of them end in one bucket that begins where
    the best k - 1 buckets for fewer of them end.
    """
    counts, needed = [0], [0]
    for top in tops:
        counts.append(counts[-1] + sum(calls[size] for size in rounded[top]))
        needed.append(needed[-1] + sum(calls[size] * size for size in rounded[top]))

    def added(start: int, end: int) -> int:
        """Elements added where one bucket holds the tops from ``start`` up to ``end``."""
        return tops[end - 1] * (counts[end] - counts[start]) - (needed[end] - needed[start])

    best = [added(0, end) if end else 0 for end in range(len(tops) + 1)]
    starts: list[list[int]] = []
    found = [[len(tops)]] if tops and most > 0 else []
    for number in range(2, min(most, len(tops)) + 1):
        best, start = _one_more(best, added, number)
        starts.append(start)
        ends = [len(tops)]
        for earlier in reversed(starts):
            ends.insert(0, earlier[ends[0]])
        found.append(ends)
    return found


def _one_more(best: Sequence[int], added: Callable[[int, int], int], number: int) -> tuple[list[int], list[int]]:
    """The least that ``number`` buckets add for the first 0, 1, … tops, and where the last bucket starts.

    ``best`` is the same for one bucket less. The more tops, the later the last bucket starts; halving the range on
    that keeps thousands of sizes quick.
    """
    least, starts = [0] * len(best), [0] * len(best)
    ranges = [(number, len(best) - 1, number - 1, len(best) - 2)]
    while ranges:
        low, high, first, last = ranges.pop()
        if low > high:
            continue
        end = (low + high) // 2
        least[end], starts[end] = min(
            (best[start] + added(start, end), start) for start in range(first, min(last, end - 1) + 1)
        )
        ranges += [(low, end - 1, first, starts[end]), (end + 1, high, starts[end], last)]
    return least, starts


def _choice(
    tops: Sequence[int], ends: Sequence[int], rounded: Mapping[int, Sequence[int]], calls: Mapping[int, int]
) -> BucketChoice:
    buckets = []
    for start, end in pairwise([0, *ends]):
        members = tuple(size for top in tops[start:end] for size in rounded[top])
        top = tops[end - 1]
        buckets.append(Bucket(top, members, sum(calls[size] for size in members), _padding([(top, members)], calls)))
    return BucketChoice(tuple(buckets), _padding([(bucket.size, bucket.sizes) for bucket in buckets], calls))


def _padding(buckets: Sequence[tuple[int, Sequence[int]]], calls: Mapping[int, int]) -> float:
    """Elements added, as a share of those needed; 0 where none were needed."""
    added = sum(calls[size] * (top - size) for top, sizes in buckets for size in sizes)
    needed = sum(calls[size] * size for _, sizes in buckets for size in sizes)
    return added / needed if needed else 0.0
