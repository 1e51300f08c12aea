"""Call histories made short: a stretch of runs that repeats is written once, with how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

LONGEST: Final = 64
"""Most runs of a block that is looked for."""
TRIED: Final = 4
"""Next places of a run that are tried as the start of the second turn."""
SAVED: Final = 8
"""Fewest runs that a block has to save."""


def turn_of(calls: Sequence[T]) -> int:
    """The length of the shortest turn, up to `LONGEST` calls, that all of ``calls`` repeat; 0 where there is none.

    The last turn may be cut off. Compared in C: what is looked at are the same objects over and over.
    """
    first, tried = calls[0], 0
    for length in range(1, min(LONGEST, len(calls) // 2) + 1):
        if calls[length] is first:
            if calls[length:] == calls[:-length]:
                return length
            tried += 1
            if tried == TRIED:
                break
    return 0


def fold(runs: Sequence[T]) -> tuple[list[tuple[tuple[T, ...], int]], list[T]]:
    """Cut ``runs`` into blocks and how often each comes in a row; and what follows the last block that repeats.

    What was cut off may be the start of another turn of that block, and is to be put before what comes next. Blocks are
    found where one of the first `TRIED` places at which a run comes again begins the second turn. The time is
    proportional to the number of runs.
    """
    after: list[list[int]] = [[] for _ in runs]
    places: dict[T, list[int]] = {}
    for at in range(len(runs) - 1, -1, -1):
        known = places.get(runs[at], [])
        after[at] = known[:TRIED]
        places[runs[at]] = [at, *known[: TRIED - 1]]
    found: list[tuple[tuple[T, ...], int]] = []
    plain: list[T] = []
    at = 0
    while at < len(runs):
        length, times = _block(runs, at, after[at])
        if (times - 1) * length < SAVED:
            plain.append(runs[at])
            at += 1
            continue
        if plain:
            found.append((tuple(plain), 1))
            plain = []
        found.append((tuple(runs[at : at + length]), times))
        at += length * times
    if found and len(plain) <= LONGEST:
        return found, plain
    return [*found, *([(tuple(plain), 1)] if plain else [])], []


def _block(runs: Sequence[T], at: int, again: Sequence[int]) -> tuple[int, int]:
    """The block that begins there and covers most: its length, and how often it comes."""
    best = (1, 1)
    for second in again:
        length = second - at
        if length > LONGEST:
            break
        end = second
        while end < len(runs) and runs[end] == runs[end - length]:
            end += 1
        times = (end - at) // length
        if times > 1 and times * length > best[0] * best[1]:
            best = (length, times)
            if (times - 1) * length >= SAVED:
                break
    return best
