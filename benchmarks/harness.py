"""Measuring in turns, and what may be said of it: estimates, verdicts, tables as values.

Contestants of a case are timed in interleaved rounds whose order changes, with the garbage collector off, by the CPU
clock of the thread. What one adds to another is taken round by round, so that a machine
that slows down for a second slows both. Nothing is subtracted that was not measured in the same round.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import Any, Literal

import msgspec

Call = Callable[[], Any]
Unit = Literal["ns", "s", "bytes", "share"]

TURN = 0.002
"""Seconds that one contestant is called before the next one has its turn: shorter than most disturbances."""
FEWEST = 5
"""Rounds below which no standard error is told."""
MOST = 1001
HISTORY = 3 * 4097
"""Hits of several signatures in turn in which jitscope does all that it does once in a while: it logs 4,096 of them
before it enters them in the history, which it sums up when it has 20,000 runs, the older half at a time."""
BARE, AGAIN = "bare", "bare, again"
"""What others are held against, and the same once more: what these two differ by is what the method can't tell."""


class Estimate(msgspec.Struct, frozen=True):
    """A median over rounds."""

    median: float
    low: float
    """10th percentile."""
    high: float
    """90th percentile."""
    error: float | None
    """Standard error of the median; None with fewer than `FEWEST` rounds."""
    rounds: int

    @property
    def lost(self) -> bool:
        """Whether the rounds differ by more than the effect: lost in the noise."""
        return self.high - self.low > abs(self.median)


class Verdict(msgspec.Struct, frozen=True):
    """A target, and whether it is met."""

    target: str
    holds: Literal["met", "not met", "undecided"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One contestant of one case. ``added`` and ``ratio`` are over the case's first contestant, round by round."""

    case: str
    contestant: str
    unit: Unit
    value: Estimate
    added: Estimate | None = None
    ratio: Estimate | None = None
    step: Estimate | None = None
    """Over the row before."""
    share: Estimate | None = None
    """Of what it is a part of."""
    verdict: Verdict | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What one suite found about one thing."""

    name: str
    title: str
    method: str
    rows: list[Row]
    notes: list[str] = []


@dataclass
class Options:
    """How much to measure."""

    quick: bool = False
    longer: int = 1
    """Times as many rounds."""
    inductor: bool = False

    def seconds(self, full: float, quick: float) -> float:
        """For a case that is timed in this process."""
        return (quick if self.quick else full) * self.longer

    def rounds(self, full: int, quick: int) -> int:
        """Of fresh processes."""
        return (quick if self.quick else full) * self.longer


def estimate(values: Sequence[float]) -> Estimate:
    """The median of ``values``, its spread and its standard error.

    The error is half of the distribution-free interval that holds the true median in two cases of three: from the
    value half a root of n ranks below the middle to the one as far above.
    """
    ordered = sorted(values)
    count = len(ordered)
    error = None
    if count >= FEWEST:
        reach = math.sqrt(count) / 2
        low, high = math.floor((count - 1) / 2 - reach), math.ceil((count - 1) / 2 + reach)
        error = (ordered[min(high, count - 1)] - ordered[max(low, 0)]) / 2
    tenths = statistics.quantiles(ordered, n=10, method="inclusive") if count > 1 else ordered * 9
    return Estimate(statistics.median(ordered), tenths[0], tenths[-1], error, count)


def judge(target: str, values: Sequence[float], limit: float, slack: float = 0.0) -> Verdict:
    """Whether the median of ``values`` is at most ``limit``; undecided near it.

    Near is within two standard errors; with fewer than `FEWEST` rounds everything is.

    Args:
        target: in words.
        values: one for each round.
        limit: the most that is met.
        slack: what equal contestants differ by, which is no effect: added to the two standard errors.
    """
    found = estimate(values)
    reach = 2 * found.error + slack if found.error is not None else math.inf
    if found.median + reach <= limit:
        return Verdict(target, "met")
    return Verdict(target, "not met" if found.median - reach > limit else "undecided")


@dataclass
class Contestant:
    """Calls that are made one after the other, of which one call is told."""

    calls: list[Call]
    around: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    """Entered for each of its turns, outside of the clock."""
    check: Callable[[int], None] | None = None
    """Told how many calls were made, when all is over; raises where a figure would mislead."""
    made: int = 0

    def turn(self, repeat: int) -> float:
        """Nanoseconds of one call, by this thread's CPU clock: other programs' turns on the processor are left out.

        It comes after one that is not told, which finds the processor's caches as other contestants left them.
        """
        calls = self.calls
        self.made += repeat * len(calls) + 1
        with self.around():
            calls[0]()
            start = thread_time()
            for _ in range(repeat):
                for call in calls:
                    call()
            return (thread_time() - start) / repeat / len(calls) * 1e9


Rounds = dict[str, list[float]]
"""By contestant: a value for each round."""


def time_calls(contestants: Mapping[str, Contestant], seconds: float, calls: int = 1) -> Rounds:
    """Time the contestants in turns, for about ``seconds`` in all; nanoseconds of one call.

    A turn has at least so many ``calls``: where a contestant does something once in a while, as many as that takes,
    or the median over the turns would leave it out. jitscope's contestants are warmed first: what the others call
    with the same compiled function is then known to it.
    """
    names = list(contestants)
    for name in sorted(names, key=lambda name: not name.startswith("jitscope")):
        contestants[name].turn(1)
        contestants[name].turn(2)
    once = min(contestants[names[0]].turn(1) for _ in range(3)) / 1e9
    calls = max(calls, round(TURN / once))
    repeat = {name: max(1, round(calls / len(contestants[name].calls))) for name in names}
    start = perf_counter()
    for name in names:
        contestants[name].turn(repeat[name])
    count = max(21 if calls * once < 2 * TURN else 7, min(MOST, int(seconds / (perf_counter() - start))))
    times: Rounds = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for turn in range(count):
            for name in _order(names, turn):
                times[name].append(contestants[name].turn(repeat[name]))
    finally:
        gc.enable()
    for contestant in contestants.values():
        if contestant.check is not None:
            contestant.check(contestant.made)
    return times


def _order(names: list[str], turn: int) -> list[str]:
    """Reversed every other round, and beginning elsewhere: nobody comes after the same one each time."""
    first = turn // 2 % len(names)
    rotated = names[first:] + names[:first]
    return rotated[::-1] if turn % 2 else rotated


def in_turns(contestants: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int) -> dict[str, list[Any]]:
    """What each contestant (a fresh process, mostly) returned in each round."""
    found: dict[str, list[Any]] = {name: [] for name in contestants}
    names = list(contestants)
    for turn in range(rounds):
        for name in _order(names, turn):
            found[name].append(contestants[name]())
    return found


def differences(times: Rounds, name: str, base: str) -> list[float]:
    """What ``name`` adds to ``base``, round by round."""
    return [a - b for a, b in zip(times[name], times[base], strict=True)]


def ratios(times: Rounds, name: str, base: str) -> list[float]:
    """``name`` over ``base``, round by round."""
    return [a / b for a, b in zip(times[name], times[base], strict=True)]


def control(times: Rounds) -> float:
    """What two equal contestants differ by, in the unit of ``times``."""
    return abs(statistics.median(differences(times, AGAIN, BARE)))


def rows_of(
    case: str, times: Rounds, unit: Unit, verdicts: Mapping[str, Verdict] | None = None, *, steps: bool = False
) -> list[Row]:
    """A row for each contestant; the first one is what the others are held against."""
    base, before = next(iter(times)), None
    rows = []
    for name, values in times.items():
        rows.append(
            Row(
                case=case,
                contestant=name,
                unit=unit,
                value=estimate(values),
                added=estimate(differences(times, name, base)) if name != base else None,
                ratio=estimate(ratios(times, name, base)) if name != base else None,
                step=estimate(differences(times, name, before)) if steps and before is not None else None,
                verdict=(verdicts or {}).get(name),
            )
        )
        before = name
    return rows


def calls_of(fn: Callable[..., Any], inputs: Iterable[tuple[tuple[Any, ...], dict[str, Any]]]) -> list[Call]:
    """A call without arguments for each of the inputs."""
    return [functools.partial(fn, *args, **kwargs) for args, kwargs in inputs]
