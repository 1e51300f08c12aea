"""When what happened, as far as a recording knows: compiles to the microsecond, calls only between compiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from jitscope.analysis.index import index_events
from jitscope.model.events import CompilationEvent, Framework, Phase, Site
from jitscope.model.recording import Recording
from jitscope.model.report import FunctionReport, HistoryRun, Report

LATE = frozenset({"backward", "autotune"})
"""Phases that can come long after those before them: a backward graph compiled lazily, autotuning at the first run."""
_APART = 1e-3
"""Seconds after the phases before it from which on such a phase is an episode of its own."""


class Extent(msgspec.Struct, frozen=True):
    """When a compilation was under way: one episode of it, all but `LATE` phases being the first."""

    compilation: int
    episode: int
    """0: its own; 1, 2, …: what was compiled for it later."""
    function: int | None
    """None: nobody watched it, see `Unwatched`."""
    start: float
    end: float
    """A lower bound: what was nested in its phases and belongs to others is not in their seconds."""
    process: int | None
    thread: str | None
    """Where it was another than the main one; None: the main one, or a recording that does not say."""


class Slice(msgspec.Struct, frozen=True):
    """One phase of one compilation."""

    compilation: int
    episode: int
    phase: str
    start: float
    seconds: float
    """Own time: a phase that encloses others ends later than ``start + seconds``."""


class Unwatched(msgspec.Struct, frozen=True):
    """A compilation that no watched function owns."""

    compilation: int
    op: int
    """Position in `Report.eager_ops`."""
    site: Site | None


class Stretch(msgspec.Struct, frozen=True):
    """Calls of a function between two of its compiles. When in between each of them came is not recorded."""

    function: int
    start: float
    """The end of the compile before them, or the start of the process."""
    end: float | None
    """The start of the compile after them, or the end of the process; None: that is not known."""
    calls: int
    hits: int
    eager_fallbacks: int


class Timeline(msgspec.Struct, frozen=True):
    """What happened when; seconds count from the start of the run."""

    end: float
    """The end of the run, or of the last that is known of it."""
    extents: tuple[Extent, ...]
    slices: tuple[Slice, ...]
    unwatched: tuple[Unwatched, ...]
    stretches: tuple[Stretch, ...]


def timeline_of(recording: Recording, report: Report) -> Timeline:
    """The timeline of what is in ``report``, which is that of ``recording``, or a part of it."""
    index = index_events(recording)
    kept = {function.id for function in report.functions}
    ops = {(one.framework, one.name, one.library): n for n, one in enumerate(report.eager_ops)}
    extents: list[Extent] = []
    slices: list[Slice] = []
    unwatched: list[Unwatched] = []
    for event in index.compilations:
        op = ops.get(_program(event)) if event.function is None else None
        if event.function not in kept and op is None:
            continue
        for episode, (start, end, phases) in enumerate(_episodes(event)):
            extents.append(Extent(event.id, episode, event.function, start, end, event.process, event.thread))
            slices += [Slice(event.id, episode, phase.name, phase.start, phase.seconds) for phase in phases]
        if op is not None:
            unwatched.append(Unwatched(event.id, op, event.site))
    first = {one.compilation: one for one in extents if one.episode == 0}
    wall = report.run.wall_seconds
    return Timeline(
        end=max([wall or 0.0, *(one.end for one in extents)]),
        extents=tuple(extents),
        slices=tuple(slices),
        unwatched=tuple(unwatched),
        stretches=tuple(
            stretch
            for function in report.functions
            for stretch in _stretches(function, first, _bounds(function, report), function.id in index.shortened)
        ),
    )


def _program(event: CompilationEvent) -> tuple[Framework, str, bool]:
    return (event.framework, event.program, event.library)


def _episodes(event: CompilationEvent) -> Iterator[tuple[float, float, Sequence[Phase]]]:
    """Start, end and phases of each. Nested phases have their own times only, so that these add up to the whole."""
    phases = sorted(event.phases, key=lambda phase: phase.start)
    begun, end, own = event.start, event.start, list[Phase]()
    for phase in phases:
        if own and phase.name in LATE and phase.start > end + _APART:
            yield begun, end, own
            begun, end, own = phase.start, phase.start, []
        end = max(end, phase.start) + phase.seconds
        own.append(phase)
    yield begun, end, own


def _bounds(function: FunctionReport, report: Report) -> tuple[float, float | None]:
    """Start and end of the process that the function is of."""
    if function.process is None or function.process >= len(report.run.processes):
        return 0.0, report.run.wall_seconds
    process = report.run.processes[function.process]
    start = process.offset_seconds
    return start, start + process.wall_seconds if process.wall_seconds is not None else None


def _stretches(
    function: FunctionReport, extents: Mapping[int, Extent], bounds: tuple[float, float | None], unordered: bool
) -> Iterator[Stretch]:
    """The calls of one function, split where it compiled.

    Of a history that was too long to keep its order nothing can be split: all of it is one stretch.
    """
    calls: dict[int, tuple[float, float]] = {}
    for one in function.compilations_detail:
        extent = extents.get(one.id)
        if one.call is None or extent is None or unordered:
            continue
        start, end = calls.get(one.call, (extent.start, extent.end))
        calls[one.call] = min(start, extent.start), max(end, extent.end)
    at, until = bounds
    splits = sorted(calls)
    *parts, rest = _split(function.history, splits)
    for counted, ordinal in zip(parts, splits, strict=True):
        start, end = calls[ordinal]
        if counted["calls"]:
            # Compiles of two threads can overlap: calls are numbered by when they ended.
            yield _stretch(function, at, max(at, start), counted)
        at = max(at, end)
    if rest["calls"]:
        yield _stretch(function, at, until if until is None else max(at, until), rest)


def _stretch(function: FunctionReport, start: float, end: float | None, counted: Mapping[str, int]) -> Stretch:
    return Stretch(function.id, start, end, counted["calls"], counted["hit"], counted["eager_fallback"])


def _split(history: Iterable[HistoryRun], splits: Sequence[int]) -> list[dict[str, int]]:
    """Count the calls before, between and after those with the ordinals ``splits``, which are in none."""
    counted = [{"calls": 0, "hit": 0, "eager_fallback": 0} for _ in range(len(splits) + 1)]
    part, ordinal = 0, 0
    for run in history:
        if run.outcome == "nested":
            continue
        left = run.count
        while left:
            until = splits[part] - 1 if part < len(splits) else ordinal + left
            taken = min(left, max(until - ordinal, 0))
            counted[part]["calls"] += taken
            if run.outcome in counted[part]:
                counted[part][run.outcome] += taken
            ordinal, left = ordinal + taken, left - taken
            if left:
                # The call that compiled.
                ordinal, left, part = ordinal + 1, left - 1, part + 1
    return counted
