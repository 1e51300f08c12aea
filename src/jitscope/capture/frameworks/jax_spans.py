"""Spans of JAX's phases, one stack a thread: nested time is subtracted, so each second is counted once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from jitscope.capture import spans
from jitscope.capture.frameworks.jax_disk_cache import DiskLookup
from jitscope.model.events import Under


@dataclass(slots=True)
class Span:
    """One trace, lowering or compile."""

    kind: str
    program: str
    start: float
    """Monotonic clock, seconds."""
    seconds: float
    """Own time: what other programs took inside of it is subtracted."""
    whole: float
    """From its start to its end."""
    ran: bool = True
    """False: JAX announced a trace that it then found in its cache."""
    cache_hit: bool = False
    cache_read: float = 0.0
    failed: str | None = None
    """What was raised in it: nothing came of it."""
    under: Under | None = None
    types: list[tuple[str, Any]] | None = None
    """Of a compile that no call's arguments stand for: name and abstract value of each argument of the program."""
    lookup: DiskLookup | None = None
    """Of a compile: what the persistent cache did; None where it was not asked."""
    maker: tuple[str, int, int] | None = None
    """The program's function: file, line, and a number of its own for each function object."""


@dataclass(slots=True)
class _Open:
    kind: str
    traces: int | None
    handled: int
    """``id()`` of the exception that was being handled when it began, which is none of its own."""
    inner: float = 0.0
    cache_hit: bool = False
    cache_read: float = 0.0


class _Local(threading.local):
    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.orphans: list[Span] = []
        self.staging: list[tuple[object, Span]] = []
        self.bare: tuple[object, int | None] | None = None


class SpanKeeper:
    """Turns start and end announcements into spans."""

    def __init__(self, finished: Callable[[Span, bool], bool], looked_up: Callable[[], DiskLookup | None]) -> None:
        self._local = _Local()
        self._finished = finished
        self._looked_up = looked_up

    @property
    def orphans(self) -> list[Span]:
        """This thread's spans without an owner, up to their compile."""
        return self._local.orphans

    @property
    def staging(self) -> list[tuple[object, Span]]:
        """What ran in this thread for a ``lower()`` or ``trace()`` under way, with its owner."""
        return self._local.staging

    @property
    def bare(self) -> tuple[object, int | None] | None:
        """This thread's last call past a wrapper, through the bare jitted object: its owner, its signature."""
        return self._local.bare

    @bare.setter
    def bare(self, call: tuple[object, int | None] | None) -> None:
        self._local.bare = call

    @property
    def idle(self) -> bool:
        """Whether no phase is under way in this thread."""
        return not self._local.open

    def opened(self, kind: str, traces: int | None) -> None:
        """A phase starts in this thread; ``traces`` is JAX's count of traces so far."""
        self._local.open.append(_Open(kind, traces, id(sys.exception())))

    def cache_hit(self) -> None:
        """The compile under way was found in the persistent cache."""
        if self._local.open:
            self._local.open[-1].cache_hit = True

    def cache_read(self, seconds: float) -> None:
        """The compile under way spent ``seconds`` reading the persistent cache."""
        if self._local.open:
            self._local.open[-1].cache_read += seconds
            spans.add("cache_read", perf_counter() - seconds, seconds)

    def closed(self, kind: str, program: str, seconds: float, traces: int | None) -> None:
        """A phase ends in this thread after ``seconds``."""
        stack = self._local.open
        raised = sys.exception()
        opened = _Open(kind, None, id(raised))
        while stack:
            candidate = stack.pop()
            if candidate.kind == kind:
                opened = candidate
                break
        ran = not (kind == "trace" and traces is not None and opened.traces is not None and traces == opened.traces)
        lookup = self._looked_up() if kind == "compile" else None
        written = (lookup.write_seconds or 0.0) if lookup is not None else 0.0
        # JAX tells what reading took where it found something.
        read = opened.cache_read or (lookup.seconds if lookup is not None else 0.0)
        own = max(seconds - opened.inner - read - written, 0.0)
        start = perf_counter() - seconds
        if ran:
            spans.add(kind, start, seconds, _program(program))
        if lookup is not None and not opened.cache_read and read:
            spans.add("cache_read", start, read)  # nothing was found
        if written:
            spans.add("cache_write", start + seconds - written, written)
        span = Span(
            kind=kind,
            program=_program(program),
            start=start,
            seconds=own,
            whole=seconds,
            ran=ran,
            cache_hit=opened.cache_hit,
            cache_read=read,
            lookup=lookup,
            failed=_error_text(raised) if kind == "compile" and id(raised) != opened.handled else None,
        )
        separate = self._finished(span, bool(stack))
        if stack:
            # What is not somebody else's stays part of the outer span.
            stack[-1].inner += seconds if separate else opened.inner


def _error_text(error: BaseException | None) -> str | None:
    return f"{type(error).__name__}: {error}"[:400] if error is not None else None


def _program(name: str) -> str:
    """One name for all phases of a program: JAX calls the trace of ``jit(f)`` just ``f``."""
    return name[4:-1] if name.startswith("jit(") and name.endswith(")") else name
