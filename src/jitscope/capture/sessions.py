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
MEMORY_LABELS = 5_000
"""Changes of the label kept in memory; what happens after the last of them belongs to none."""
MEMORY_LABELLED_RUNS = 100_000
"""Runs of call history under all labels that are kept in memory; no label is kept beyond."""


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
        self._labels = self._labelled_runs = 0
        self._unlabelled = False

    def write(self, event: Event) -> None:
        """Keep an event."""
        if isinstance(event, CallsEvent):
            self._add_runs(event)
        elif isinstance(event, LabelEvent):
            self._change_label(event)
        elif isinstance(event, (CompilationEvent, SignatureEvent)) and len(self._events) >= MEMORY_EVENTS:
            self._dropped += 1
        else:
            self._events.append(event)

    def _change_label(self, event: LabelEvent) -> None:
        """The calls so far belong to the label before: they are put in front of the new one."""
        if self._unlabelled:
            return
        self._labels += 1
        self._labelled_runs += sum(len(runs) for runs in self._runs.values())
        self._events += self._calls()
        self._runs = {}
        if self._labels > MEMORY_LABELS or self._labelled_runs > MEMORY_LABELLED_RUNS:
            self._unlabelled = True
            event = LabelEvent()
        self._events.append(event)

    def _calls(self) -> list[CallsEvent]:
        return [CallsEvent(function=function, runs=tuple(runs)) for function, runs in self._runs.items()]

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
        notes: list[Event] = []
        if self._dropped:
            notes.append(
                NoteEvent(
                    slug="memory-bound",
                    text=f"{self._dropped} compilations and signatures are not in this report: more than "
                    f"{MEMORY_EVENTS} events are not kept in memory; record to a file with jitscope.record(path)",
                )
            )
        if self._unlabelled:
            notes.append(
                NoteEvent(
                    slug="labels-bound",
                    text=f"labels after the first {self._labels - 1} are not kept in memory; record to a file to have "
                    "them all",
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
        return Recording(header=self.header, events=(*self._events, *self._calls(), *notes, end))

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


Session = MemorySession | FileSession | LateSession | BlockSession

__all__ = ["BlockSession", "FileSession", "FunctionEvent", "LateSession", "MemorySession", "Session"]
