"""Where the time of the calls went that compiled, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence

import msgspec

from jitscope.analysis.anatomy import by_phases, by_spans, owners_of
from jitscope.analysis.break_even import measured_of
from jitscope.analysis.eager_programs import eager_programs, is_alone
from jitscope.analysis.first_advice import advice_for
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.parts import found_in
from jitscope.analysis.start_up import start_up_of
from jitscope.model.events import SCHEMA, CompilationEvent, CompilingCallEvent
from jitscope.model.first_call import FirstCall, FirstCalls, StartUp
from jitscope.model.note import Note
from jitscope.model.recording import Recording

LONGEST = 5
"""First calls in a report."""


class _Call(msgspec.Struct, frozen=True):
    """A call that compiled, not yet taken apart."""

    function: int
    own: tuple[CompilationEvent, ...]
    """The compilations of its function in it."""
    event: CompilingCallEvent | None
    started: float
    seconds: float
    process: int | None
    first: bool
    """It is the first one of its function."""


def first_calls(recording: Recording) -> FirstCalls:
    """The anatomy of each function's first call that compiled, and what came before all of them."""
    index = index_events(recording)
    calls = _calls(index)
    firsts = _anatomies([one for one in calls if one.first], calls, index)
    return FirstCalls(
        schema=SCHEMA,
        run=recording.header.run,
        calls=tuple(sorted(firsts, key=lambda one: -one.seconds)),
        start_up=_start_up(calls, index, recording),
    )


def longest_first_calls(recording: Recording, index: Index) -> tuple[tuple[FirstCall, ...], tuple[StartUp, ...]]:
    """What a report has of them: the longest, at most `LONGEST`, and what came before all first calls."""
    calls = _calls(index)
    chosen = sorted((one for one in calls if one.first), key=lambda one: -one.seconds)[:LONGEST]
    return tuple(_anatomies(chosen, calls, index)), _start_up(calls, index, recording)


def calls_of(
    recording: Recording, index: Index, functions: Container[int]
) -> tuple[list[FirstCall], tuple[StartUp, ...]]:
    """The anatomy of all calls of these functions that compiled, in the order in which they began.

    What came before the first call of a process is among it where that call is one of these.
    """
    calls = _calls(index)
    chosen = [one for one in calls if one.function in functions]
    before = [one for one in _firsts_of_processes(calls) if one.function in functions]
    return _anatomies(chosen, calls, index), _start_up(before, index, recording)


def _calls(index: Index) -> list[_Call]:
    """All calls that compiled, in the order in which they began.

    What was compiled ahead of time, or for a backward pass, belongs to no call.
    """
    by_call: dict[tuple[int, int], list[CompilationEvent]] = {}
    for event in index.compilations:
        if event.function is not None and event.call is not None and (event.compiled or event.phases):
            by_call.setdefault((event.function, event.call), []).append(event)
    recorded = {(one.function, one.call): one for one in index.compiling_calls}
    found = []
    for key in dict.fromkeys((*by_call, *recorded)):
        own, call = tuple(by_call.get(key, ())), recorded.get(key)
        if call is not None:
            started, seconds = call.start, call.seconds
        else:
            started, seconds = own[0].start, max(sum(one.seconds for one in own), own[0].wall_seconds or 0.0)
        found.append(_Call(key[0], own, call, started, seconds, index.functions[key[0]].process, False))
    found.sort(key=lambda one: (one.started, one.function))
    seen: set[int] = set()
    for position, one in enumerate(found):
        if one.function not in seen:
            seen.add(one.function)
            found[position] = msgspec.structs.replace(one, first=True)
    return found


def _anatomies(chosen: Iterable[_Call], calls: Sequence[_Call], index: Index) -> list[FirstCall]:
    """Take calls apart; ``calls`` are all there are."""
    owners, alone = owners_of(index), _alone_before(calls, index)
    measured = {(one.function, one.call): one for one in index.measured}
    found = []
    for call in chosen:
        one = by_phases(call.own, index) if call.event is None else by_spans(call.event, call.own, index, owners)
        now = measured.get((one.function, one.call or 0))
        whole = msgspec.structs.replace(
            one,
            first=call.first,
            eager_before=eager_programs(alone.get(id(call), ())),
            measured=measured_of(now) if now is not None else None,
        )
        found.append(
            msgspec.structs.replace(whole, advice=advice_for(whole), notes=(*whole.notes, *_unknown(whole, index)))
        )
    return found


def _alone_before(calls: Sequence[_Call], index: Index) -> dict[int, list[CompilationEvent]]:
    """By call (its identity): what was compiled by itself since the one before it, in the same process."""
    waiting: dict[int | None, list[CompilationEvent]] = {}
    measuring = _measuring(index)
    for event in sorted(index.compilations, key=lambda one: -one.start):
        if is_alone(event) and not any(start <= event.start < end for start, end in measuring.get(event.process, ())):
            waiting.setdefault(event.process, []).append(event)
    ended: dict[int | None, float] = {}
    found: dict[int, list[CompilationEvent]] = {}
    for one in calls:
        alone = waiting.get(one.process, [])
        while alone and alone[-1].start < one.started:
            event = alone.pop()
            if event.start >= ended.get(one.process, event.start):  # else it was inside of that call
                found.setdefault(id(one), []).append(event)
        ended[one.process] = max(ended.get(one.process, 0.0), one.started + one.seconds)
    return found


def _measuring(index: Index) -> dict[int | None, list[tuple[float, float]]]:
    """By process: from when to when `jitscope.first_call` was at it, which the program is not to blame for."""
    found: dict[int | None, list[tuple[float, float]]] = {}
    for one in index.measured:
        found.setdefault(index.functions[one.function].process, []).append((one.start, one.start + one.seconds))
    return found


def _firsts_of_processes(calls: Iterable[_Call]) -> list[_Call]:
    found: dict[int | None, _Call] = {}
    for one in calls:
        found.setdefault(one.process, one)
    return list(found.values())


def _start_up(calls: Iterable[_Call], index: Index, recording: Recording) -> tuple[StartUp, ...]:
    firsts = {one.process: one.started for one in _firsts_of_processes(calls)}
    for process, started in firsts.items():
        for start, end in _measuring(index).get(process, ()):
            if start <= started < end:
                firsts[process] = start
    return start_up_of(index, firsts, recording.header.processes)


def _unknown(one: FirstCall, index: Index) -> list[Note]:
    """What the recording can't tell of a call."""
    notes: list[Note] = []
    devices = index.end.devices if index.end is not None else ()
    if one.measured is None:
        if one.framework == "jax":
            text = "JAX runs asynchronously: the call returned when its program was dispatched, and nothing waited for "
            notes.append(Note("asynchronous", text + "its result"))
        elif any(device.startswith("torch: ") for device in devices):
            text = "CUDA runs asynchronously: the call returned when its kernels were launched, and nothing waited for "
            notes.append(Note("asynchronous", text + "their end"))
        if one.first and one.kind != "region":
            text = "the second call, the steady state and the eager time are not known: hits are counted, never timed"
            notes.append(Note("not-measured", text))
    if one.framework == "jax" and any(_ACCELERATOR.match(device) for device in devices):
        dispatch = sum(part.seconds for part in found_in(one.parts, "run"))
        if dispatch > LOADING * one.seconds:
            text = "dispatch holds what the device loads when a program first runs there (code, libraries, memory): "
            notes.append(Note("loading", text + "JAX does not time it, and no cache has it"))
    return notes


_ACCELERATOR = re.compile(r"jax: (?!cpu\b)")
LOADING = 0.2
"""Share of a call that dispatch takes where loading shows: elsewhere it is a few milliseconds."""
