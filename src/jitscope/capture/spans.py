"""Stretches of time that the adapters measure, thread by thread: where the time of a call that compiled went.

Nothing is measured on hits: spans come from the frameworks' own announcements of phases, and from imports.
"""

from __future__ import annotations

import threading
from collections import deque
from time import perf_counter
from typing import TypeVar

import msgspec

from jitscope.model.events import CompilingCallEvent, MeasuredEvent, Span, StartEvent

KEPT = 4096
"""Spans of one thread that are kept until a call asks for them; of more, the shorter half is forgotten."""
COUNTED = 32 * KEPT
"""Forgotten spans of one thread that are still counted."""
MOST_OF_A_CALL = 1000
"""Spans of one call that are kept, the longest ones."""


class _Local(threading.local):
    def __init__(self) -> None:
        self.done: list[Span] = []
        self.forgotten: deque[float] = deque(maxlen=COUNTED)
        """When those ended that were forgotten."""
        self.open: list[tuple[str, float]] = []


_local = _Local()


def add(name: str, start: float, seconds: float, program: str = "") -> None:
    """A span of this thread has ended; ``start`` is on the process's monotonic clock."""
    _local.done.append(Span(name, start, seconds, program))
    if len(_local.done) > KEPT:
        _forget()


def _forget() -> None:
    """Keep the longer half: what lies inside of others is told with them, and what has others inside is long."""
    kept = _longest(_local.done, KEPT // 2)
    ids = {id(span) for span in kept}
    _local.forgotten.extend(span.start + span.seconds for span in _local.done if id(span) not in ids)
    _local.done = kept


def _longest(found: list[Span], most: int) -> list[Span]:
    """The ``most`` longest of them, in their order."""
    order = sorted(range(len(found)), key=lambda position: -found[position].seconds)[:most]
    return [found[position] for position in sorted(order)]


def begin(name: str) -> None:
    """A span begins in this thread now."""
    _local.open.append((name, perf_counter()))


def end(name: str) -> None:
    """The span of this name that began last in this thread ends now; what began in it and did not end is forgotten."""
    opened = _local.open
    for position in range(len(opened) - 1, -1, -1):
        if opened[position][0] == name:
            start = opened[position][1]
            del opened[position:]
            add(name, start, perf_counter() - start)
            return


def opened() -> float:
    """When the outermost span began that is under way in this thread; now, where there is none."""
    return _local.open[0][1] if _local.open else perf_counter()


def between(start: float, end: float) -> tuple[tuple[Span, ...], int]:
    """This thread's spans from ``start`` to ``end``, in the order of their ends, and how many are not among them."""
    found: list[Span] = []
    for span in reversed(_local.done):
        if span.start + span.seconds < start:
            break
        if start <= span.start < end:
            found.append(span)
    found.reverse()
    left_out = sum(start <= ended < end for ended in _local.forgotten)
    kept = _longest(found, MOST_OF_A_CALL)
    return tuple(kept), left_out + len(found) - len(kept)


_Timed = TypeVar("_Timed", CompilingCallEvent, StartEvent, MeasuredEvent)


def shifted(event: _Timed, zero: float) -> _Timed:
    """The event on the clock of a session that began at ``zero``."""
    replace = msgspec.structs.replace
    if isinstance(event, CompilingCallEvent):
        spans = tuple(replace(span, start=span.start - zero) for span in event.spans)
        return replace(event, start=event.start - zero, spans=spans)
    return replace(event, start=event.start - zero)
