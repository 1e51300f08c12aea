"""A function's calls in their order, shortened to a given width: what a history strip draws.

Nested calls are not calls and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from jitscope.model.events import Outcome
from jitscope.model.report import HistoryRun

WORST: Final[tuple[Outcome, ...]] = (
    "compile", "eager_fallback", "error", "waited", "python_path", "dispatch_miss", "hit", "nested",
)  # fmt: skip
"""What is shown of calls that share a column: the first of these that one of them had."""


class Fate(msgspec.Struct, frozen=True):
    """Consecutive calls with one outcome, whatever their signatures."""

    outcome: Outcome
    count: int


def fates(history: Iterable[HistoryRun]) -> list[Fate]:
    """The calls of a history by outcome, neighbours with the same one together."""
    found: list[Fate] = []
    for run in history:
        if run.outcome == "nested" or run.count <= 0:
            continue
        if found and found[-1].outcome == run.outcome:
            found[-1] = Fate(run.outcome, found[-1].count + run.count)
        else:
            found.append(Fate(run.outcome, run.count))
    return found


def columns(calls: Sequence[Fate], width: int) -> tuple[list[Fate], int]:
    """At most ``width`` columns of equally many calls each, but for the last one, and how many that is.

    A column is told as the worst outcome in it (`WORST`), and by how many calls it stands for.
    """
    total = sum(one.count for one in calls)
    each = max(-(-total // max(width, 1)), 1)
    found: list[Fate] = []
    worst, filled = len(WORST), 0
    for one in calls:
        rank, left = WORST.index(one.outcome), one.count
        while left:
            taken = min(left, each - filled)
            left -= taken
            filled += taken
            worst = min(worst, rank)
            if filled == each:
                found.append(Fate(WORST[worst], filled))
                worst, filled = len(WORST), 0
    if filled:
        found.append(Fate(WORST[worst], filled))
    return found, each
