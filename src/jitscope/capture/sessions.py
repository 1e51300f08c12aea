"""Where events go: a file while a `record` block is open, a block that asks; memory is in `memory`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from jitscope.capture.memory import MOST_NOTES, MemorySession, add_up
from jitscope.capture.source import lines_around
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
    RepeatEvent,
    Site,
    StartEvent,
)
from jitscope.store.writer import RecordingFile

FILE_RUNS = 20_000
"""Runs of a function's history that a file holds in their order."""
FILE_RUNS_OF_ALL = 1_000_000
"""The same, of all functions together."""
MOST_SITES = 2_000
"""Call sites whose lines of source a file holds."""


class FileSession:
    """A recording on disk, written as it happens."""

    def __init__(self, path: Path, header: Header, zero: float, *, force: bool, with_source: bool = False) -> None:
        """``with_source``: the lines around call sites are written, too."""
        self.header = header
        self.zero = zero
        self.path = path
        self.defined: set[int] = set()
        self._file = RecordingFile(path, header, force=force)
        self._runs: Counter[int] = Counter()
        """Written so far, by function."""
        self._of_all = 0
        self._said: set[int] = set()
        self._with_source = with_source
        self._sites: set[Site] = set()

    def write(self, event: Event) -> None:
        """Write an event; on disk when this returns."""
        if self._with_source and isinstance(event, CompilationEvent) and event.site is not None:
            self._write_source(event.site)
        self._file.write(event)

    def _write_source(self, site: Site) -> None:
        if site in self._sites or len(self._sites) >= MOST_SITES:
            return
        self._sites.add(site)
        lines = lines_around(site)
        if lines is not None:
            self._file.write(lines)

    def write_calls(self, calls: Sequence[CallsEvent | RepeatEvent]) -> None:
        """Write the next part of a function's history; beyond the bound what is in it is added up."""
        function = calls[0].function
        if self._runs[function] < FILE_RUNS and self._of_all < FILE_RUNS_OF_ALL:
            count = sum(len(event.runs) for event in calls)
            self._runs[function] += count
            self._of_all += count
        else:
            if function not in self._said and len(self._said) <= MOST_NOTES:
                whose = "its calls" if len(self._said) < MOST_NOTES else "the calls of this and of further functions"
                self._said.add(function)
                text = (
                    f"from here on the order of {whose} between two compilations is added up: more than {FILE_RUNS} "
                    f"changes of a function, {FILE_RUNS_OF_ALL} of all, are not written; counts are exact"
                )
                self._file.write(NoteEvent(slug="history-aggregated", function=function, text=text))
            calls = [CallsEvent(function, add_up(calls))]
        for event in calls:
            self._file.write(event)

    def forget(self, function: int) -> None:
        """A function is gone: nothing more comes of it."""
        self._runs.pop(function, None)

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

    def write_calls(self, calls: Sequence[CallsEvent | RepeatEvent]) -> None:
        """Count calls."""
        for event in calls:
            times = event.times if isinstance(event, RepeatEvent) else 1
            eager = sum(run.count for run in event.runs if run.outcome == "eager_fallback")
            self.eager_fallbacks[event.function] += eager * times

    def forget(self, function: int) -> None:
        """A function is gone; what it did counts."""

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
            if isinstance(event, (NoteEvent, LabelEvent, StartEvent)):
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

    def write_calls(self, calls: Sequence[CallsEvent | RepeatEvent]) -> None:
        """Write the next part of the history of a function, which was written before."""
        if self._file is not None:
            self._file.write_calls(calls)

    def forget(self, function: int) -> None:
        """A function is gone: nothing more comes of it."""
        if self._file is not None:
            self._file.forget(function)

    def close(self, end: EndEvent) -> None:
        """Write the end, if there is anything that ends; nothing is written after it."""
        self._begin = None
        if self._file is not None:
            self._file.close(end)


Session = MemorySession | FileSession | LateSession | BlockSession

__all__ = ["BlockSession", "FileSession", "FunctionEvent", "LateSession", "MemorySession", "Session"]
