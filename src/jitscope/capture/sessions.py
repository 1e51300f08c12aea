"""Where events go: memory, and a file while a `record` block is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from jitscope.model.events import (
    CallsEvent,
    CompilationEvent,
    EndEvent,
    Event,
    FunctionEvent,
    Header,
    LabelEvent,
    NoteEvent,
    Run,
    SignatureEvent,
)
from jitscope.model.recording import Recording
from jitscope.store.writer import RecordingFile

MEMORY_EVENTS = 50_000
"""Compilations and signatures kept in memory; later ones are counted, not kept."""
MEMORY_RUNS = 20_000
"""Runs of call history kept in memory for each function; older ones are added up."""


class MemorySession:
    """Everything so far in this process, bounded."""

    def __init__(self, header: Header, zero: float) -> None:
        self.header = header
        self.zero = zero
        """Monotonic clock at the start, in seconds."""
        self.defined: set[int] = set()
        self._events: list[Event] = []
        self._runs: dict[int, list[Run]] = {}
        self._dropped = 0
        self._aggregated: set[int] = set()

    def write(self, event: Event) -> None:
        """Keep an event."""
        if isinstance(event, CallsEvent):
            self._add_runs(event)
        elif isinstance(event, (CompilationEvent, SignatureEvent)) and len(self._events) >= MEMORY_EVENTS:
            self._dropped += 1
        else:
            self._events.append(event)

    def _add_runs(self, event: CallsEvent) -> None:
        runs = self._runs.setdefault(event.function, [])
        runs.extend(event.runs)
        if len(runs) > MEMORY_RUNS:
            old, recent = runs[: MEMORY_RUNS // 2], runs[MEMORY_RUNS // 2 :]
            sums: Counter[tuple[object, ...]] = Counter()
            first: dict[tuple[object, ...], Run] = {}
            for run in old:
                key = (run.signature, run.outcome, run.compilation)
                sums[key] += run.count
                first.setdefault(key, run)
            self._runs[event.function] = [
                Run(run.signature, run.outcome, sums[key], run.compilation) for key, run in first.items()
            ] + recent
            self._aggregated.add(event.function)

    def recording(self, end: EndEvent) -> Recording:
        """All that was kept, as a value."""
        calls = tuple(CallsEvent(function=function, runs=tuple(runs)) for function, runs in self._runs.items())
        notes: list[Event] = []
        if self._dropped:
            notes.append(
                NoteEvent(
                    slug="memory-bound",
                    text=f"{self._dropped} compilations and signatures are not in this report: more than "
                    f"{MEMORY_EVENTS} events are not kept in memory; record to a file with jitscope.record(path)",
                )
            )
        notes.extend(
            NoteEvent(
                slug="history-aggregated",
                function=function,
                text=f"the order of the older calls was added up: more than {MEMORY_RUNS} changes are not kept in "
                "memory; counts are exact",
            )
            for function in sorted(self._aggregated)
        )
        return Recording(header=self.header, events=(*self._events, *calls, *notes, end))

    def close(self, end: EndEvent) -> None:
        """Nothing to close."""


class FileSession:
    """A recording on disk, written as it happens."""

    def __init__(self, path: Path, header: Header, zero: float, *, force: bool) -> None:
        self.header = header
        self.zero = zero
        self.path = path
        self.defined: set[int] = set()
        self._file = RecordingFile(path, header, force=force)

    def write(self, event: Event) -> None:
        """Write an event; on disk when this returns."""
        self._file.write(event)

    def close(self, end: EndEvent) -> None:
        """Write the end and close the file."""
        self._file.write(end)
        self._file.close()


class LateSession:
    """A recording on disk that begins with the first event that is worth a file: one that tells of a compiled function.

    A process that calls none leaves nothing behind.
    """

    def __init__(self, zero: float, begin: Callable[[], FileSession | None]) -> None:
        """``begin`` opens the file; None if there can be none."""
        self.zero = zero
        self.defined: set[int] = set()
        self._begin: Callable[[], FileSession | None] | None = begin
        self._file: FileSession | None = None
        self._early: list[Event] = []

    @property
    def path(self) -> Path | None:
        """Where it is; None as long as there is none."""
        return self._file.path if self._file is not None else None

    def write(self, event: Event) -> None:
        """Write an event, or keep it until there is something that it belongs to."""
        if self._file is None:
            if isinstance(event, (NoteEvent, LabelEvent)):
                self._early.append(event)
                return
            begin, self._begin = self._begin, None
            self._file = begin() if begin is not None else None
            if self._file is None:
                return
            for early in self._early:
                self._file.write(early)
            self._early.clear()
        self._file.write(event)

    def close(self, end: EndEvent) -> None:
        """Write the end, if there is anything that ends; nothing is written after it."""
        self._begin = None
        if self._file is not None:
            self._file.close(end)


Session = MemorySession | FileSession | LateSession

__all__ = ["FileSession", "FunctionEvent", "LateSession", "MemorySession", "Session"]
