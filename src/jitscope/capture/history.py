"""The calls of one function in their order, run-length coded, repeats folded, until the sessions take them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Container, Iterator

from jitscope.capture.folding import SAVED, fold, turn_of
from jitscope.model.events import CallsEvent, Outcome, RepeatEvent, Run

RunKey = tuple[int | None, Outcome, int | None]
"""Signature, outcome, compilation."""

FLUSH_RUNS = 4096
"""Runs kept before they are handed to the sessions."""


class History:
    """Calls in their order. Whoever adds and takes holds the lock of the book that it is in."""

    def __init__(self) -> None:
        self.counts: Counter[RunKey] = Counter()
        """All that were ever added."""
        self.calls = 0
        """Calls that ended, nested ones left out."""
        self._runs: list[tuple[RunKey, int]] = []
        self._folded: list[tuple[tuple[tuple[RunKey, int], ...], int]] = []
        """What was before that: runs, and how often they came."""
        self._no_look = self._no_looks = 0
        """How many times not to look for repeats: still, and after the last look that found few."""

    def add(self, key: RunKey, count: int = 1) -> None:
        """``count`` calls of one kind came next."""
        self.counts[key] += count
        if key[1] != "nested":
            self.calls += count
        runs = self._runs
        if runs and runs[-1][0] == key:
            runs[-1] = (key, runs[-1][1] + count)
        else:
            runs.append((key, count))

    def add_log(self, hits: list[RunKey], *, turns_only: bool) -> int:
        """These hits came next, in their order; returns how many of them were added.

        With ``turns_only`` a last turn that is cut off is left.
        """
        length = turn_of(hits) if len(hits) > SAVED else 0
        if turns_only and length:
            hits = hits[: len(hits) - len(hits) % length]
        self._add_turns(hits, length)
        return len(hits)

    def _add_turns(self, hits: list[RunKey], length: int) -> None:
        """Add hits that repeat turns of this length, if it is not 0."""
        start = 0
        if length > 1:
            # A turn that begins with a change has the same runs each time.
            while hits[start] is hits[start - 1 + length]:
                start += 1
        turns = (len(hits) - start) // length if length > 1 else 0
        if turns * length < SAVED:
            self._add_runs(hits)
            return
        self._add_runs(hits[:start])
        self._fold()
        if self._runs:
            self._folded.append((tuple(self._runs), 1))
            self._runs = []
        runs = tuple((key, len(list(run))) for key, run in itertools.groupby(hits[start : start + length]))
        if self._folded and self._folded[-1][0] == runs:
            self._folded[-1] = (runs, self._folded[-1][1] + turns)
        else:
            self._folded.append((runs, turns))
        for key, times in runs:
            self.counts[key] += times * turns
        self.calls += turns * length
        self._add_runs(hits[start + turns * length :])

    def _add_runs(self, hits: list[RunKey]) -> None:
        for key, run in itertools.groupby(hits):
            self.add(key, len(list(run)))

    def is_full(self) -> bool:
        """Whether there are many runs, whatever repeats folded."""
        if len(self._runs) <= FLUSH_RUNS:
            return False
        self._fold()
        return sum(len(runs) for runs, _ in self._folded) > FLUSH_RUNS

    def _fold(self) -> None:
        runs, folded = self._runs, len(self._folded)
        if self._no_look:
            self._no_look -= 1
            if runs:
                self._folded.append((tuple(runs), 1))
                self._runs = []
            return
        self._fold_now()
        if len(runs) > SAVED:
            # Where little repeats, it is not looked for each time.
            rest = len(self._runs) + sum(len(part) for part, _ in self._folded[folded:])
            self._no_looks = min(2 * self._no_looks + 1, 15) if 10 * rest > 9 * len(runs) else 0
            self._no_look = self._no_looks

    def _fold_now(self) -> None:
        found, self._runs = fold(self._runs)
        for runs, times in found:
            if times > 1 and self._folded and self._folded[-1][0] == runs:
                times += self._folded.pop()[1]  # noqa: PLW2901
            self._folded.append((runs, times))

    def take(self, function: int) -> list[CallsEvent | RepeatEvent]:
        """What was added since the last time, as events of this function."""
        if len(self._runs) > SAVED:
            self._fold()
        parts = [*self._folded, *([(tuple(self._runs), 1)] if self._runs else [])]
        self._runs, self._folded = [], []
        found: list[CallsEvent | RepeatEvent] = []
        for part, times in parts:
            runs = tuple(
                Run(signature=signature, outcome=outcome, count=count, compilation=compilation)
                for (signature, outcome, compilation), count in part
            )
            found.append(RepeatEvent(function, runs, times) if times > 1 else CallsEvent(function, runs))
        return found

    def keys(self) -> Iterator[RunKey]:
        """Of the runs that were not taken yet and are not folded."""
        return (key for key, _ in self._runs)

    def forget(self, signatures: Container[int | None]) -> None:
        """Count the calls of these signatures as those of none."""
        counts: Counter[RunKey] = Counter()
        for (signature, outcome, compilation), count in self.counts.items():
            counts[None if signature in signatures else signature, outcome, compilation] += count
        self.counts = counts
