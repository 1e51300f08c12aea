"""Where events go: memory, and a file while a `record` block is open."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from jitscope.model.events import (
    CallsEvent,
    CompilationEvent,
    EndEvent,
    Event,
    FunctionEvent,
    Header,
    NoteEvent,
    PhaseEvent,
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


class BlockSession:
    """What is compiled, and which calls run eager, while a block runs."""

    def __init__(self) -> None:
        self.zero = 0.0
        self.defined: set[int] = set()
        self.compilations: dict[int, CompilationEvent] = {}
        """By id."""
        self.later_seconds: dict[int, float] = {}
        """By compilation: of phases that came after it was written."""
        self.eager_fallbacks: Counter[int] = Counter()
        """By function."""

    def write(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, CompilationEvent):
            self.compilations[event.id] = event
        elif isinstance(event, PhaseEvent):
            self.later_seconds[event.compilation] = self.later_seconds.get(event.compilation, 0.0) + event.phase.seconds
        elif isinstance(event, CallsEvent):
            self.eager_fallbacks[event.function] += sum(
                run.count for run in event.runs if run.outcome == "eager_fallback"
            )

    def close(self, end: EndEvent) -> None:
        """Nothing to close."""


Session = MemorySession | FileSession | BlockSession

__all__ = ["BlockSession", "FileSession", "FunctionEvent", "MemorySession", "Session"]
