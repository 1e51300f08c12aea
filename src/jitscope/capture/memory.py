"""The session in memory: everything so far in this process, bounded, with exact totals.

What is beyond a bound is added up, never dropped: compilations by program, calls by what became of them, functions
with the first one of their source. Notes say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from jitscope.model.caching import CacheKeyEvent
from jitscope.model.events import (
    AddedUpEvent,
    CallsEvent,
    CompilationEvent,
    CompilingCallEvent,
    EndEvent,
    Event,
    FunctionEvent,
    Header,
    LabelEvent,
    NoteEvent,
    PhaseEvent,
    RepeatEvent,
    Run,
    SignatureEvent,
)
from jitscope.model.recording import Recording

MEMORY_EVENTS = 50_000
"""Compilations and signatures kept in memory; later ones are added up."""
MEMORY_RUNS = 20_000
"""Runs of call history kept in memory for each function; older ones are added up."""
MEMORY_RUNS_OF_ALL = 200_000
"""The same, of all functions together."""
MEMORY_FUNCTIONS = 10_000
"""Function objects kept in memory; later ones are added up with the first one of their source."""
MEMORY_LABELS = 5_000
"""Changes of the label kept in memory; what happens after the last of them belongs to none."""
MEMORY_LABELLED_RUNS = 100_000
"""Runs of call history under all labels that are kept in memory; no label is kept beyond."""
MEMORY_SPANS = 100_000
"""Spans of calls that compiled that are kept in memory; where the time of later calls went is not."""
MEMORY_KEYS = 2_000
"""Keys of caches on disk whose parts are kept in memory; of later ones only the keys are."""
MOST_NOTES = 5
"""Functions that a note of one kind names, each in one of its own."""
LATE = 1_000
"""Compilations that were added up last, whose later phases still find their program."""

_Program = tuple[int | None, str, bool, str, str | None, tuple[str, int, int] | None]


def add_up(calls: Iterable[CallsEvent | RepeatEvent]) -> tuple[Run, ...]:
    """The calls of a stretch of history without their order: one run for each fate, in the order of the first."""
    sums: Counter[tuple[object, ...]] = Counter()
    first: dict[tuple[object, ...], Run] = {}
    for event in calls:
        times = event.times if isinstance(event, RepeatEvent) else 1
        for run in event.runs:
            key = (run.signature, run.outcome, run.compilation)
            sums[key] += run.count * times
            first.setdefault(key, run)
    return tuple(Run(run.signature, run.outcome, sums[key], run.compilation) for key, run in first.items())


class _History:
    """The calls of one function."""

    __slots__ = ("aggregated", "bound", "parts", "runs")

    def __init__(self) -> None:
        self.parts: list[CallsEvent | RepeatEvent] = []
        self.runs = 0
        self.bound = MEMORY_RUNS
        self.aggregated = False

    def shorten(self, function: int, keep: int) -> None:
        """Add up the older parts; about ``keep`` runs stay in their order."""
        start, kept = len(self.parts), 0
        while start and kept + len(self.parts[start - 1].runs) <= keep:
            start -= 1
            kept += len(self.parts[start].runs)
        summed = add_up(self.parts[:start])
        self.parts[:start] = [CallsEvent(function, summed)]
        self.runs = kept + len(summed)
        # Where almost every call has a fate of its own there is little to add up: not again at once.
        self.bound = max(MEMORY_RUNS, 2 * self.runs)
        self.aggregated = True


class MemorySession:
    """Everything so far in this process, bounded."""

    def __init__(self, header: Header, zero: float) -> None:
        self.header = header
        self.zero = zero
        """Monotonic clock at the start, in seconds."""
        self.defined: set[int] = set()
        self._events: list[Event] = []
        self._functions: set[int] = set()
        self._sources: dict[tuple[object, ...], int] = {}
        """By source: the first function that was kept."""
        self._instead: dict[int, int] = {}
        """By function that is not kept: the one that it is added up with."""
        self._together = 0
        self._kept: set[int] = set()
        """Signatures and compilations."""
        self._dropped: Counter[str] = Counter()
        self._programs: dict[_Program, AddedUpEvent] = {}
        self._late: dict[int, _Program] = {}
        self._histories: dict[int, _History] = {}
        self._runs = 0
        self._bound = MEMORY_RUNS_OF_ALL
        self._aggregated: set[int] = set()
        self._labels = self._labelled_runs = self._keys = 0
        self._unlabelled = False
        self._spans = 0

    def write(self, event: Event) -> None:
        """Keep an event, or add it up."""
        if isinstance(event, FunctionEvent):
            self._add_function(event)
        elif isinstance(event, (CallsEvent, RepeatEvent)):
            self.write_calls([event])
        elif isinstance(event, SignatureEvent):
            if event.function in self._instead or len(self._kept) >= MEMORY_EVENTS:
                self._dropped["signatures"] += 1
            else:
                self._kept.add(event.id)
                self._events.append(event)
        elif isinstance(event, CompilationEvent):
            if event.function in self._instead or len(self._kept) >= MEMORY_EVENTS:
                self._add_up(event)
            else:
                self._kept.add(event.id)
                self._events.append(event)
        elif isinstance(event, LabelEvent):
            self._change_label(event)
        elif isinstance(event, CacheKeyEvent):
            self._keys += 1
            if self._keys <= MEMORY_KEYS:
                self._events.append(event)
        elif isinstance(event, PhaseEvent) and event.compilation not in self._kept:
            self._add_phase(event)
        elif isinstance(event, CompilingCallEvent):
            self._spans += 1 + len(event.spans)
            if self._spans <= MEMORY_SPANS and event.function not in self._instead:
                self._events.append(event)
        else:
            self._events.append(event)

    def _change_label(self, event: LabelEvent) -> None:
        """The calls so far belong to the label before: they are put in front of the new one."""
        if self._unlabelled:
            return
        self._labels += 1
        self._labelled_runs += self._runs
        self._aggregated |= {function for function, history in self._histories.items() if history.aggregated}
        self._events += [part for history in self._histories.values() for part in history.parts]
        self._histories, self._runs = {}, 0
        if self._labels > MEMORY_LABELS or self._labelled_runs > MEMORY_LABELLED_RUNS:
            self._unlabelled = True
            event = LabelEvent()
        self._events.append(event)

    def _add_function(self, event: FunctionEvent) -> None:
        if event.id in self._functions or event.id in self._instead:
            return
        source: tuple[object, ...] = (event.framework, event.file, event.line, event.column, event.name, event.kind)
        first = self._sources.get(source)
        if len(self._functions) < MEMORY_FUNCTIONS or (first is None and len(self._functions) < 2 * MEMORY_FUNCTIONS):
            self._functions.add(event.id)
            self._sources.setdefault(source, event.id)
            self._events.append(event)
            return
        if first is None:
            # So many sources: all others are one.
            source = (event.framework,)
            first = self._sources.get(source)
        if first is None:
            first = self._sources[source] = event.id
            self._functions.add(event.id)
            self._events.append(
                FunctionEvent(event.id, event.framework, f"(functions beyond the first {len(self._functions) - 1})")
            )
            return
        self._together += 1
        self._instead[event.id] = first

    def _add_up(self, event: CompilationEvent) -> None:
        self._dropped["compilations"] += 1
        owner = self._instead.get(event.function, event.function) if event.function is not None else None
        # A maker has a number of its own for each function object: without it the program is that of its source.
        maker = (*event.maker[:2], 0) if event.maker is not None and event.framework == "jax" else event.maker
        program: _Program = (owner, event.program, event.library, event.framework, event.under, maker)
        before = self._programs.get(program)
        if before is None:
            before = AddedUpEvent(
                owner, event.program, event.library, event.framework, event.under, maker, phases={}, other_phases={}
            )
            self._programs[program] = before
        for phase in event.phases:
            before.phases[phase.name] = before.phases.get(phase.name, 0.0) + phase.seconds
            if not event.compiled:
                before.other_phases[phase.name] = before.other_phases.get(phase.name, 0.0) + phase.seconds
        if event.compiled:
            self._programs[program] = msgspec.structs.replace(
                before,
                compilations=before.compilations + 1,
                first_seconds=before.first_seconds if before.compilations else event.seconds,
            )
        self._late[event.id] = program
        if len(self._late) > LATE:
            del self._late[next(iter(self._late))]

    def _add_phase(self, event: PhaseEvent) -> None:
        """A phase of a compilation that was added up; where that was long ago, nobody knows whose."""
        program = self._late.get(event.compilation)
        if program is None:
            program = (None, "later phases", True, "torch", None, None)
            none = AddedUpEvent(None, "later phases", True, "torch", phases={}, other_phases={})
            self._programs.setdefault(program, none)
        phases = self._programs[program].phases
        phases[event.phase.name] = phases.get(event.phase.name, 0.0) + event.phase.seconds

    def write_calls(self, calls: Sequence[CallsEvent | RepeatEvent]) -> None:
        """Keep the next part of a function's history."""
        function = self._instead.get(calls[0].function, calls[0].function)
        history = self._histories.setdefault(function, _History())
        for event in calls:
            kept = tuple(self._told(run) for run in event.runs) if self._dropped or function != event.function else None
            part = event if kept is None else msgspec.structs.replace(event, function=function, runs=kept)
            last = history.parts[-1] if history.parts else None
            if isinstance(last, RepeatEvent) and isinstance(part, RepeatEvent) and last.runs == part.runs:
                history.parts[-1] = RepeatEvent(function, part.runs, last.times + part.times)
                continue
            history.parts.append(part)
            history.runs += len(part.runs)
            self._runs += len(part.runs)
        if history.runs > history.bound:
            self._shorten(function, MEMORY_RUNS // 2)
        if self._runs > self._bound:
            for each in [one for one, known in self._histories.items() if len(known.parts) > 1]:
                self._shorten(each, 0)
            self._bound = max(MEMORY_RUNS_OF_ALL, 2 * self._runs)

    def _shorten(self, function: int, keep: int) -> None:
        history = self._histories[function]
        before = history.runs
        history.shorten(function, keep)
        self._runs += history.runs - before

    def _told(self, run: Run) -> Run:
        """The run, without what is not kept."""
        signature = run.signature if run.signature in self._kept else None
        compilation = run.compilation if run.compilation in self._kept else None
        if (signature, compilation) == (run.signature, run.compilation):
            return run
        return Run(signature, run.outcome, run.count, compilation)

    def forget(self, function: int) -> None:
        """A function is gone: nothing more comes of it."""
        self._instead.pop(function, None)

    def recording(self, end: EndEvent) -> Recording:
        """All that was kept, as a value."""
        calls = [event for history in self._histories.values() for event in history.parts]
        added = [
            msgspec.structs.replace(one, phases=dict(one.phases), other_phases=dict(one.other_phases))
            for one in self._programs.values()
        ]
        return Recording(header=self.header, events=(*self._events, *added, *calls, *self._notes(), end))

    def _notes(self) -> list[NoteEvent]:
        notes: list[NoteEvent] = []
        if self._together:
            notes.append(
                NoteEvent(
                    slug="memory-bound",
                    text=f"{self._together} function objects are told with the first one of their source: more than "
                    f"{MEMORY_FUNCTIONS} are not kept in memory; counts and seconds are exact",
                )
            )
        if self._dropped:
            what = " and ".join(f"{count} {name}" for name, count in sorted(self._dropped.items()))
            notes.append(
                NoteEvent(
                    slug="memory-bound",
                    text=f"{what} are only counted, not shown and not judged: more than {MEMORY_EVENTS} are not kept "
                    "in memory; totals are exact; to keep all, record to a file with jitscope.record(path)",
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
        now = {function for function, history in self._histories.items() if history.aggregated}
        aggregated = sorted(self._aggregated | now)
        several = f"{len(aggregated)} functions: " if len(aggregated) > MOST_NOTES else ""
        notes.extend(
            NoteEvent(
                slug="history-aggregated",
                function=None if several else function,
                text=f"{several}the order of the older calls was added up: more than {MEMORY_RUNS} changes of a "
                f"function, {MEMORY_RUNS_OF_ALL} of all, are not kept in memory; counts are exact",
            )
            for function in (aggregated[:1] if several else aggregated)
        )
        return notes

    def close(self, end: EndEvent) -> None:
        """Nothing to close."""
