"""The recordings of several processes as one: ids told apart, clocks joined, each event with its process.

Nothing is added up here: functions stay those of their processes, since caches, first compiles and the numbers of
calls are a process's own. The combined recording's report is therefore the sum of the processes' reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from jitscope.analysis.programs import process_order, started_at
from jitscope.model.caching import CacheKeyEvent, CacheLookup
from jitscope.model.events import (
    AddedUpEvent,
    CallsEvent,
    CompilationEvent,
    CompilingCallEvent,
    ContextEvent,
    EndEvent,
    Event,
    FunctionEvent,
    Header,
    LabelEvent,
    MeasuredEvent,
    NoteEvent,
    Phase,
    PhaseEvent,
    ProcessInfo,
    RepeatEvent,
    SignatureEvent,
    StartEvent,
)
from jitscope.model.recording import Recording

DRIFT_SECONDS = 5.0
"""Where a host's two clocks differ by more, its monotonic clock began anew, or two machines share its name."""


class Start(msgspec.Struct, frozen=True):
    """When a process started, on the clock of the combined recording."""

    offset_seconds: float
    clock: str
    """``monotonic`` or ``started``: by which of the two clocks."""


def combine(recordings: Sequence[Recording]) -> Recording:
    """One recording of them all. The order in which they are given makes no difference; one alone stays as it is."""
    if len(recordings) == 1:
        return recordings[0]
    order = sorted(range(len(recordings)), key=lambda each: process_order(recordings[each].header))
    chosen = [recordings[each] for each in order]
    starts = starts_of([one.header for one in chosen])
    renumber = Renumber()
    events: list[Event] = []
    processes: list[ProcessInfo] = []
    for one, start in zip(chosen, starts, strict=True):
        processes.append(process_info(one, start))
        events += renumber.events(one, start)
    header = combined_header([one.header for one in chosen], starts, processes)
    end = combined_end(processes)
    return Recording(header=header, events=(*events, end), wall_seconds=end.wall_seconds)


def starts_of(headers: Sequence[Header]) -> list[Start]:
    """When each process started; the one that started first at 0.

    Processes of one host are placed by its monotonic clock, hosts among each other by the wall clock.
    """
    first: dict[str, Header] = {}
    # One that does not say when it started comes last: 0 is no time.
    for header in sorted(headers, key=lambda one: (not started_at(one), started_at(one))):
        first.setdefault(header.host, header)
    placed: list[tuple[float, str]] = []
    for header in headers:
        base = first[header.host]
        wall = started_at(header) - started_at(base)
        steady = header.monotonic - base.monotonic
        monotonic = not started_at(header) or abs(wall - steady) <= DRIFT_SECONDS
        placed.append((started_at(base) + (steady if monotonic else wall), "monotonic" if monotonic else "started"))
    earliest = min(moment for moment, _ in placed)
    return [Start(moment - earliest, clock) for moment, clock in placed]


def process_info(recording: Recording, start: Start) -> ProcessInfo:
    """What the combined recording's header says of one process."""
    header = recording.header
    end = next((event for event in reversed(recording.events) if isinstance(event, EndEvent)), None)
    return ProcessInfo(
        run=header.run,
        host=header.host,
        pid=header.pid,
        started=header.started,
        offset_seconds=start.offset_seconds,
        clock="monotonic" if start.clock == "monotonic" else "started",
        wall_seconds=end.wall_seconds if end is not None else recording.wall_seconds,
        ended=end is not None,
        rank=header.rank,
        process=header.process,
        parent=header.parent,
        versions={**header.versions, **(end.versions if end is not None else {})},
        devices=(end.devices if end is not None else ()) or header.devices,
        torn=recording.torn,
        skipped=recording.skipped,
    )


def combined_header(headers: Sequence[Header], starts: Sequence[Start], processes: Sequence[ProcessInfo]) -> Header:
    """The header of the combined recording: the first process's, at the time when the earliest one started."""
    first = headers[0]
    earliest = headers[min(range(len(starts)), key=lambda each: starts[each].offset_seconds)]
    versions: dict[str, str] = {}
    for one in processes:
        versions = one.versions | versions
    return msgspec.structs.replace(
        first,
        run=first.program or first.run,
        started=earliest.started,
        monotonic=earliest.monotonic,
        rank=None,
        versions=versions,
        devices=tuple(dict.fromkeys(device for one in processes for device in one.devices)),
        processes=tuple(processes),
        process=None,
        parent=None,
    )


def combined_end(processes: Sequence[ProcessInfo]) -> EndEvent:
    """The end of the combined recording: when the last process ended, or was last heard of."""
    return EndEvent(max(one.offset_seconds + (one.wall_seconds or 0.0) for one in processes))


class Renumber:
    """Takes recordings one after another, and gives their events ids that no other one has."""

    def __init__(self) -> None:
        self._taken = 0
        self._process = 0
        self._labelled = False

    def events(self, recording: Recording, start: Start) -> list[Event]:
        """The events of the next process: all but the end, on the combined clock.

        A reference to something that is not in the recording stays one.
        """
        by, process, later = self._taken, self._process, start.offset_seconds
        self._process += 1
        self._taken += max((identity for event in recording.events for identity in _ids(event)), default=0)
        # A label holds for what follows it in the file, and ends with its process.
        found: list[Event] = [LabelEvent(None)] if self._labelled else []
        self._labelled = False
        for event in recording.events:
            if isinstance(event, LabelEvent):
                self._labelled = event.text is not None
            if not isinstance(event, EndEvent):
                found.append(_moved(event, by, process, later))
        return found


def _ids(event: Event) -> Iterable[int]:
    """Every id that an event has or refers to."""
    match event:
        case FunctionEvent() | ContextEvent():
            return (event.id,)
        case SignatureEvent():
            return (event.id, event.function)
        case CompilationEvent():
            keys = (each.parts for each in event.caches)
            known = (event.function, event.signature, event.inside, event.context, *keys)
            return (event.id, *(each for each in known if each is not None))
        case PhaseEvent():
            return (event.compilation, *(each.parts for each in event.caches if each.parts is not None))
        case CompilingCallEvent() | MeasuredEvent():
            return (event.function,)
        case CacheKeyEvent():
            return (event.id,) if event.base is None else (event.id, event.base)
        case CallsEvent():
            runs = (each for run in event.runs for each in (run.signature, run.compilation) if each is not None)
            return (event.function, *runs)
        case RepeatEvent():
            return (event.function, *(each for run in event.runs for each in (run.signature, run.compilation) if each))
        case AddedUpEvent():
            return () if event.function is None else (event.function,)
        case NoteEvent():
            return () if event.function is None else (event.function,)
    return ()


def _moved(event: Event, by: int, process: int, later: float) -> Event:
    def new(identity: int | None) -> int | None:
        return None if identity is None else identity + by

    def caches(known: tuple[CacheLookup, ...]) -> tuple[CacheLookup, ...]:
        return tuple(replace(each, parts=new(each.parts)) for each in known)

    replace = msgspec.structs.replace
    match event:
        case FunctionEvent():
            return replace(event, id=event.id + by, process=process)
        case SignatureEvent():
            return replace(event, id=event.id + by, function=event.function + by)
        case ContextEvent():
            return replace(event, id=event.id + by)
        case CompilationEvent():
            return replace(
                event,
                id=event.id + by,
                function=new(event.function),
                signature=new(event.signature),
                inside=new(event.inside),
                context=new(event.context),
                caches=caches(event.caches),
                start=event.start + later,
                phases=tuple(_shifted(phase, later) for phase in event.phases),
                process=process,
            )
        case PhaseEvent():
            phase = _shifted(event.phase, later)
            return replace(event, compilation=event.compilation + by, phase=phase, caches=caches(event.caches))
        case CacheKeyEvent():
            return replace(event, id=event.id + by, base=new(event.base))
        case CompilingCallEvent():
            spans = tuple(replace(span, start=span.start + later) for span in event.spans)
            return replace(event, function=event.function + by, start=event.start + later, spans=spans)
        case StartEvent():
            return replace(event, start=event.start + later, process=process)
        case MeasuredEvent():
            return replace(event, function=event.function + by, start=event.start + later)
        case AddedUpEvent():
            return replace(event, function=new(event.function))
        case CallsEvent() | RepeatEvent():
            runs = tuple(
                replace(run, signature=new(run.signature), compilation=new(run.compilation)) for run in event.runs
            )
            return replace(event, function=event.function + by, runs=runs)
        case NoteEvent():
            return replace(event, function=new(event.function), process=process)
    return event


def _shifted(phase: Phase, later: float) -> Phase:
    return msgspec.structs.replace(phase, start=phase.start + later)
