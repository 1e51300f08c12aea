"""Notices, while the program runs, that a function recompiles on many of its calls."""

from __future__ import annotations

import importlib
import itertools
import os
from collections import deque
from typing import TYPE_CHECKING

from jitscope.model.events import CompilationEvent

if TYPE_CHECKING:
    from jitscope.capture.book import Book

RECOMPILES = 5
CALLS = 10
"""That many recompiling calls in so few calls are worth a warning."""
WARNINGS = 2
"""Most warnings about one source function."""
AGAIN = 20
"""Recompilations after the first warning before there is a second one."""
MOST = 20
"""Most warnings in one process."""


class _Source:
    """The recompiling calls of one source function; a loop may make many function objects of it."""

    def __init__(self) -> None:
        self.recent: deque[tuple[Book, int]] = deque(maxlen=RECOMPILES)
        """Book and ordinal of the last calls that recompiled."""
        self.compiled = False
        self.waits = 0
        self.warned = 0

    def add(self, book: Book, call: int) -> int | None:
        """A call recompiled. Returns how many calls the last `RECOMPILES` of them were among, if that is few."""
        if self.recent and self.recent[-1] == (book, call):
            return None  # one call, several programs
        self.recent.append((book, call))
        self.waits = max(self.waits - 1, 0)
        if len(self.recent) < RECOMPILES or self.waits or self.warned == WARNINGS:
            return None
        calls = 1
        for (before, old), (after, new) in itertools.pairwise(self.recent):
            calls += new - old if before is after else before.next_ordinal() - 1 - old + new
        return calls if calls <= CALLS else None


class ThrashWatch:
    """Asks after each compilation of a watched function whether that is worth a warning."""

    def __init__(self) -> None:
        self._sources: dict[tuple[object, ...], _Source] = {}
        self._left = MOST
        self.quiet = os.environ.get("JITSCOPE_QUIET", "").strip().lower() not in ("", "0", "off", "false", "no")
        """``JITSCOPE_QUIET=1``: nothing is said."""

    def compiled(self, event: CompilationEvent, book: Book) -> None:
        """A compilation was written."""
        if self.quiet or not self._left or event.call is None or not event.compiled or event.under is not None:
            return
        source = self._sources.setdefault(book.event.source, _Source())
        if not source.compiled:
            source.compiled = True
            return
        calls = source.add(book, event.call)
        if calls is None:
            return
        source.warned += 1
        source.waits = AGAIN
        self._left -= 1
        # The one judgement that a running program is told: it is made by what judges recordings, imported only now.
        importlib.import_module("jitscope.thrashing").warn(book, RECOMPILES, calls)
