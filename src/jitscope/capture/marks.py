"""Which calls overlap: those of several threads can then not be told apart by what the framework looks like after."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable


class Marks:
    """Calls under way, one mark each, of all whose calls must not overlap to be told apart.

    Beginning a call that is only marked is one append, in C: nothing can come between.
    """

    __slots__ = ("_lock", "_settled", "begin", "calls", "overlapping")

    def __init__(self) -> None:
        self.calls: list[None] = []
        self.begin: Callable[[], None] = functools.partial(self.calls.append, None)
        self.overlapping = False
        """Whether a marked call overlapped with another call, ever: for good, since that one may end before it."""
        self._settled = 0
        """How many of the calls are settled in full."""
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Begin a call that is settled in full."""
        with self._lock:
            self._settled += 1
            self.begin()

    def leave(self, *, settled: bool) -> bool:
        """End a call; ``settled`` as it began. Returns whether another one is under way that it can't be told from."""
        with self._lock:
            if not self.calls:
                return self.overlapping  # a fork that was made in the middle of this call
            self.calls.pop()
            self._settled -= settled
            if not settled or len(self.calls) > self._settled:
                self.overlapping = self.overlapping or bool(self.calls)
            return bool(self.calls) if settled else self.overlapping

    def clear(self) -> None:
        """No call is under way: this process is a fork, and in others' threads nothing goes on."""
        self._lock = threading.Lock()
        self.calls.clear()
        self._settled = 0
