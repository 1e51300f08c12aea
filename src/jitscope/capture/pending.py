"""Calls under way that a framework has announced as no plain hit: one stack a thread.

A hit is known by silence. A call that is not a hit announces itself through one of the framework's
hooks, which runs in the same thread *inside* the call: it finds the frame of the `watched` function
on the Python stack and leaves a `Miss` here, which that frame collects when the call ends.
"""

from __future__ import annotations

import threading
from time import perf_counter
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from jitscope.capture import progress

if TYPE_CHECKING:
    from jitscope.capture.book import Book


class Miss:
    """What the hooks learned about one call that is not a plain hit."""

    __slots__ = (
        "args",
        "book",
        "compiled",
        "context",
        "details",
        "fast_path",
        "frame",
        "key",
        "kwargs",
        "nested",
        "refused",
        "start",
    )

    def __init__(self, book: Book, frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.book = book
        self.frame = frame
        self.args = args
        self.kwargs = kwargs
        self.key: Any = None
        self.context: Any = None
        """JAX: configuration and contexts of the call."""
        self.fast_path: bool | None = None
        """JAX: whether the call got an entry in the C++ cache."""
        self.nested = False
        self.compiled = False
        self.refused: Exception | None = None
        """What a gate raised that could not be raised there: it is raised when the call has ended."""
        self.start = perf_counter()
        self.details: list[Any] = []


class _Local(threading.local):
    def __init__(self) -> None:
        self.misses: list[Miss] = []
        self.turn = 0
        self.overlapped = False
        """Whether another thread's call of the same function overlapped with the one that just ended."""


local = _Local()

_watched_codes: dict[int, CodeType] = {}
"""By `id`: the hash of a code object is that of all its instructions and constants, and stacks are deep."""


def register_watched_code(code: CodeType) -> None:
    """Tell the stack walk what a `watched` frame looks like."""
    _watched_codes[id(code)] = code


def is_watched(code: CodeType) -> bool:
    """Whether ``code`` is that of the wrapper that `watch` makes."""
    return id(code) in _watched_codes


def book_of(frame: FrameType) -> Book | None:
    """The book of a `watched` frame, read from the closure variables that it runs with."""
    failed = frame.f_locals.get("failed")
    return getattr(failed, "__self__", None)


def watched_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost `watched` frame at or outside ``frame``."""
    while frame is not None and id(frame.f_code) not in _watched_codes:
        frame = frame.f_back
    return frame


def find(frame: FrameType) -> Miss | None:
    """The miss of this thread that belongs to ``frame``."""
    for miss in reversed(local.misses):
        if miss.frame is frame:
            return miss
    return None


def refusal_of(frame: FrameType) -> Exception | None:
    """What a gate raised in the call of ``frame``, where it could not be raised there and then."""
    miss = find(frame)
    return miss.refused if miss is not None else None


def find_outermost() -> Miss | None:
    """The miss of this thread that all others are inside of."""
    return local.misses[0] if local.misses else None


def push(miss: Miss) -> None:
    """Leave a miss for its frame to collect."""
    local.misses.append(miss)
    miss.book.in_flight.append(miss)
    miss.book.alarm()


def collect(frame: FrameType) -> Miss | None:
    """Take the miss of ``frame``, and drop what calls inside of it failed to collect."""
    misses = local.misses
    if not misses:
        return None
    for index in range(len(misses) - 1, -1, -1):
        if misses[index].frame is frame:
            found = misses[index]
            for miss in misses[index:]:
                if miss in miss.book.in_flight:
                    miss.book.in_flight.remove(miss)
            del misses[index:]
            if not misses:
                progress.stopped()
            return found
    return None
