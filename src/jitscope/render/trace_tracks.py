"""The tracks of a trace: slices in whole microseconds, nested or apart, never crossing each other.

A source function has a track in each process and thread, eager operations one together. What overlaps in time on one of
them (calls in threads of one name, or that were not recorded) goes to further tracks of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jitscope.analysis.timed import TimedCompilation, lanes
from jitscope.model.report import FunctionReport

_MOST: Final = 2**53
"""Microseconds: what every reader of JSON can hold."""
EAGER: Final = "eager operations"
UNWATCHED: Final = "not watched"


@dataclass(slots=True)
class Slice:
    """A stretch of a track."""

    name: str
    start: int
    """Microseconds from the run's start."""
    end: int
    category: str
    args: dict[str, Any] = field(default_factory=dict)
    inner: list[Slice] = field(default_factory=list)
    """In order, apart from each other, none beyond this one."""
    leaving: list[int] = field(default_factory=list)
    """Arrows that begin here, at its start."""
    arriving: list[int] = field(default_factory=list)
    """Arrows that end here, at its start."""


@dataclass(slots=True)
class Track:
    """Slices of one function in one process that do not overlap."""

    process: int | None
    name: str
    slices: list[Slice]


def microseconds(seconds: float) -> int:
    """Whole microseconds, from 0."""
    return round(min(max(seconds * 1e6, 0.0), _MOST))


def tracks_of(
    compilations: Sequence[TimedCompilation],
    functions: Mapping[int, FunctionReport],
    args: Mapping[int, dict[str, Any]],
) -> list[Track]:
    """The tracks, in the order in which their first slices begin; ``args`` says more of a compilation, by its id."""
    by_track: dict[tuple[object, ...], list[TimedCompilation]] = {}
    for one in compilations:
        by_track.setdefault(_key(one, functions), []).append(one)
    made: dict[int, Slice] = {}
    arrows = _Arrows()
    found: list[Track] = []
    for members in by_track.values():
        slices = _slices(members, args, made, arrows)
        first = members[0]
        name = first.name if first.function is not None else EAGER if first.library else UNWATCHED
        name += f" · {first.thread}" if first.thread is not None else ""
        for number, lane in enumerate(lanes(slices), start=1):
            found.append(Track(first.process, name if number == 1 else f"{name} ({number})", lane))
    for one in compilations:
        if one.root in made and made[one.root].start < made[one.id].start:
            arrows.draw(made[one.root], made[one.id])
    return found


def _key(one: TimedCompilation, functions: Mapping[int, FunctionReport]) -> tuple[object, ...]:
    function = functions.get(one.function) if one.function is not None else None
    if function is None:
        return (one.process, one.thread, one.library)
    own = None if function.file else function.id
    return (
        one.process,
        one.thread,
        function.framework,
        function.file,
        function.line,
        function.column,
        function.name,
        own,
    )


class _Arrows:
    """Numbers arrows."""

    def __init__(self) -> None:
        self._last = 0

    def draw(self, source: Slice, target: Slice) -> None:
        self._last += 1
        source.leaving.append(self._last)
        target.arriving.append(self._last)


def _slices(
    members: Sequence[TimedCompilation], args: Mapping[int, dict[str, Any]], made: dict[int, Slice], arrows: _Arrows
) -> list[Slice]:
    """What stands at the top of the tracks of one function: its calls that compiled, and what no call caused."""
    top: list[Slice] = []
    calls: dict[tuple[int | None, int], Slice] = {}
    for one in members:
        here = made[one.id] = _compilation(one, args.get(one.id, {}))
        for late in one.late:
            if late.known:
                start = microseconds(late.start)
                later = Slice(late.name, start, max(microseconds(late.end), start), "phase", {"seconds": late.seconds})
                later.args["of compilation"] = one.id
                top.append(later)
                if start > here.start:
                    arrows.draw(here, later)
        if one.call is None or one.call_seconds is None:
            top.append(here)
            continue
        call = calls.get((one.function, one.call))
        if call is None:
            end = max(microseconds(one.start + one.call_seconds), here.end)
            call = calls[one.function, one.call] = Slice(f"call {one.call}", here.start, end, "call", inner=[here])
            call.args = {"seconds": one.call_seconds, "note": "placed at the start of its first compilation"}
            top.append(call)
        elif here.start >= call.inner[-1].end:
            call.inner.append(here)
            call.end = max(call.end, here.end)
        else:
            top.append(here)
        if here is call.inner[-1] or call.start < here.start:  # on another track, an arrow needs a direction
            arrows.draw(call, here)
    return top


def _compilation(one: TimedCompilation, args: dict[str, Any]) -> Slice:
    start = microseconds(one.start)
    end = max(microseconds(one.end), start)
    inner: list[Slice] = []
    at = start
    for phase in one.phases:
        begins = min(max(microseconds(phase.start), at), end)
        at = min(max(microseconds(phase.end), begins), end)
        known = {} if phase.known else {"note": "when it began is not recorded: only how long it took, and the order"}
        inner.append(Slice(phase.name, begins, at, "phase", {"seconds": phase.seconds, **known}))
    return Slice(_title(one), start, end, "compilation", args, inner)


def _title(one: TimedCompilation) -> str:
    """``compile``, ``recompile: shape``; colours in a viewer go by it."""
    if one.function is None:
        return one.program
    if one.failed is not None:
        return "gave up: recompile_limit" if "recompile_limit" in one.causes else "failed compile"
    if not one.recompile:
        also = [kind for kind in one.causes if kind != "first_compile"]
        return f"compile: {', '.join(also)}" if also else "compile"
    return f"recompile: {', '.join(one.causes)}"
