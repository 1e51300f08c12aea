"""What is being compiled at this moment, in which thread, and since when: for whoever shows it while it happens.

The adapters tell when a compiler starts and stops; calls that hit never come here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from jitscope.model.events import Framework
from jitscope.model.notation import cut
from jitscope.model.progress import Compiling, FunctionNow

if TYPE_CHECKING:
    from jitscope.capture.book import Book
    from jitscope.capture.pending import Miss

SIGNATURE_LIMIT = 100
"""Longest text of a signature, in characters."""
_LONG = 0.1
"""Seconds; what takes less need not be remembered."""
_SAME = 1.0
"""Seconds between two compilers of one name in one thread that are phases of the same compilation."""


class _Job:
    __slots__ = ("call", "framework", "miss", "name", "over", "since", "text")

    def __init__(self, framework: Framework, name: str, since: float, call: float | None, miss: Miss | None) -> None:
        self.framework: Framework = framework
        self.name = name
        self.since = since
        self.call = call
        self.miss = miss
        self.over: float | None = None
        self.text: str | None = None

    def value(self) -> Compiling:
        if self.text is None and self.miss is not None:
            self.text = _signature(self.miss)
        return Compiling(self.framework, self.name, self.text, self.since, self.over)


_jobs: dict[int, _Job] = {}
"""By thread: what it compiles, or compiled last."""
_past: deque[_Job] = deque(maxlen=16)
"""The last ones that took long, and that something else has followed in their thread."""
_listener: Callable[[], None] | None = None


def listen(listener: Callable[[], None] | None) -> None:
    """Have ``listener`` called, in the thread that compiles, when something starts to be compiled."""
    global _listener  # noqa: PLW0603
    _listener = listener


def started(framework: Framework, name: str, miss: Miss | None) -> None:
    """A compiler starts in this thread, for the call ``miss`` if one is known."""
    now = perf_counter()
    if miss is not None:
        name = miss.book.event.name
    call = miss.start if miss is not None else None
    thread = threading.get_ident()
    last = _jobs.get(thread)
    if last is not None and last.framework == framework and (last.name, last.call) == (name, call):
        if last.over is None:
            return
        if call is not None or now - last.over < _SAME:
            last.miss, last.over = miss, None
            return
    if last is not None and last.over is not None and last.over - last.since >= _LONG:
        _past.append(last)
    _jobs[thread] = _Job(framework, name, now if call is None else call, call, miss)
    if _listener is not None:
        _listener()


def stopped(framework: Framework | None = None) -> None:
    """No compiler is at work in this thread any more; with a framework: none of that framework's, in any thread."""
    now = perf_counter()
    thread = threading.get_ident()
    if framework is None:
        jobs = [_jobs[thread]] if thread in _jobs else []
    else:
        jobs = [job for job in list(_jobs.values()) if job.framework == framework]
    for job in jobs:
        if job.over is None:
            # The arguments of the call must not be kept alive.
            job.over, job.miss = now, None


def current() -> tuple[Compiling, ...]:
    """What is under way, and what was lately: the last one of each thread, and those that took long."""
    return tuple(job.value() for job in [*_past, *_jobs.values()])


def forget() -> None:
    """Of a fork: the other threads are not here."""
    _jobs.clear()
    _past.clear()


def functions(books: dict[int, Book]) -> tuple[FunctionNow, ...]:
    """The numbers of the watched functions so far, the costliest first."""
    found = [
        FunctionNow(book.id, book.event.framework, book.event.name, book.hits(), book.compilations, book.seconds)
        for book in list(books.values())
    ]
    return tuple(sorted(found, key=lambda one: (-one.seconds, one.id)))


def _signature(miss: Miss) -> str | None:
    reader = getattr(miss.book.probe, "reader", None)
    if reader is None:
        return None
    try:
        return cut(reader.read(miss.args, miss.kwargs).text, SIGNATURE_LIMIT)
    except Exception:  # donated, or a tracer
        return None
