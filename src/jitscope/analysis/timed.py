"""When each compilation of a report ran, and its phases: plain values for time lines and traces.

A recording tells when a phase began and its own time, without what was nested in it. Where several phases share one
start (torch times them together), only their durations and their order are known; see `Stretch.known`. Of two
compilations that overlap, neither is told to have run inside the other, unless the recording says so.

All times are in seconds, counted from the run's start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from jitscope.analysis.index import index_events
from jitscope.model.cause import CauseKind
from jitscope.model.events import CacheSource, CompilationEvent, Framework, Phase, Site
from jitscope.model.recording import Recording
from jitscope.model.report import CompilationReport, FunctionReport, Report

_LATE: Final = frozenset({"backward", "autotune"})
"""Phases that come after their compilation: a backward graph, the first run of a kernel."""
_UNTIMED: Final = frozenset({"autotune"})
"""Of these, those whose start is not recorded."""


class Stretch(msgspec.Struct, frozen=True):
    """One phase as a stretch of time."""

    name: str
    start: float
    seconds: float
    """Own time: as in the recording, except that it ends where the next phase began."""
    known: bool
    """It began at `start`. False: its duration is known, and which phase it came after."""

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.start + self.seconds


class TimedCompilation(msgspec.Struct, frozen=True):
    """One compilation, when it ran."""

    id: int
    function: int | None
    """Its owner's id in the report; None: nobody watched it."""
    name: str
    """Its owner's name, else the program's."""
    program: str
    framework: Framework
    library: bool
    """Without an owner: an eager operation of the framework's."""
    process: int | None
    """Of a combined recording: its process, by position."""
    thread: str | None
    """None: the main one, or not recorded."""
    start: float
    end: float
    """Of the last phase that is not late."""
    seconds: float
    """Own time of all phases, late ones included."""
    phases: tuple[Stretch, ...]
    """In order, and none overlaps the next."""
    late: tuple[Stretch, ...]
    """What was compiled for it later: a backward graph."""
    call: int | None
    call_seconds: float | None
    """Duration of the call that caused it; when that began is not recorded."""
    signature: int | None
    site: Site | None
    causes: tuple[CauseKind, ...]
    recompile: bool
    compiled: bool
    """It ended in code: there is an entry more in a cache."""
    failed: str | None
    root: int | None
    """The compilation of an enclosing function that made it necessary."""
    inside: int | None
    """The function whose call it ran inside of, where that is another one than its owner."""
    inside_call: int | None
    under: str | None
    persistent_cache: CacheSource
    framework_id: str | None
    generation: int
    """torch: how often everything had been reset before it."""
    cleared: bool
    """Its function's cache was emptied since the compilation before it."""
    label: str | None


def timed_compilations(recording: Recording, report: Report) -> tuple[TimedCompilation, ...]:
    """The compilations of ``report``, which is of ``recording``, in the order in which they began.

    Those without an owner are among them where the report has any. What the recording only has sums of
    (`AddedUpEvent`) is not: its times are unknown.
    """
    functions = {function.id: function for function in report.functions}
    details = {one.id: one for function in report.functions for one in function.compilations_detail}
    found = [
        _timed(event, functions.get(event.function) if event.function is not None else None, details.get(event.id))
        for event in index_events(recording).compilations
        if event.id in details or (event.function is None and report.eager_ops)
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.id)))


def _timed(
    event: CompilationEvent, function: FunctionReport | None, detail: CompilationReport | None
) -> TimedCompilation:
    phases = stretches([phase for phase in event.phases if phase.name not in _LATE])
    end = max((one.end for one in phases), default=event.start)
    first = [Phase(phase.name, end, phase.seconds) for phase in event.phases if phase.name in _UNTIMED]
    late = [phase for phase in event.phases if phase.name in _LATE - _UNTIMED]
    return TimedCompilation(
        id=event.id,
        function=event.function,
        name=function.name if function is not None else event.program,
        program=event.program,
        framework=event.framework,
        library=event.library,
        process=function.process if function is not None else event.process,
        thread=event.thread,
        start=min((one.start for one in phases), default=event.start),
        end=end,
        seconds=event.seconds,
        phases=phases,
        late=tuple(
            [Stretch(one.name, one.start, one.seconds, known=False) for one in first]
            + [Stretch(one.name, one.start, one.seconds, known=True) for one in late]
        ),
        call=event.call,
        call_seconds=event.wall_seconds,
        signature=event.signature,
        site=event.site,
        causes=tuple(dict.fromkeys(cause.kind for cause in detail.causes)) if detail is not None else (),
        recompile=detail.recompile if detail is not None else False,
        compiled=event.compiled,
        failed=event.failed,
        root=detail.root if detail is not None else None,
        inside=event.inside,
        inside_call=event.inside_call,
        under=event.under,
        persistent_cache=event.persistent_cache,
        framework_id=event.framework_id,
        generation=event.generation,
        cleared=event.cleared,
        label=detail.label if detail is not None else None,
    )


def stretches(phases: Sequence[Phase]) -> tuple[Stretch, ...]:
    """Phases of one compilation one after another: those that share a start in their order, none over the next."""
    order = sorted(range(len(phases)), key=lambda n: (phases[n].start, n))
    found: list[Stretch] = []
    for position, n in enumerate(order):
        phase = phases[n]
        shared = bool(found) and phases[order[position - 1]].start == phase.start
        start = max(phase.start, found[-1].end) if found else phase.start
        later = next((phases[m].start for m in order[position + 1 :] if phases[m].start > phase.start), None)
        seconds = max(phase.seconds, 0.0)
        if later is not None:
            seconds = max(min(seconds, later - start), 0.0)
        found.append(Stretch(phase.name, start, seconds, known=not shared))
    return tuple(found)


class _Interval(Protocol):
    @property
    def start(self) -> float: ...

    @property
    def end(self) -> float: ...


_T = TypeVar("_T", bound=_Interval)


def lanes(intervals: Iterable[_T]) -> list[list[_T]]:
    """As few lanes as possible, in each of which no two intervals overlap; the first lane begins first."""
    found: list[list[_T]] = []
    for one in sorted(intervals, key=lambda each: (each.start, -each.end)):
        free = next((lane for lane in found if lane[-1].end <= one.start), None)
        if free is None:
            found.append([one])
        else:
            free.append(one)
    return found
