"""Where the time of the calls went that compiled, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jitscope.analysis.anatomy import by_phases, by_spans, owners_of
from jitscope.analysis.break_even import measured_of
from jitscope.analysis.eager_programs import eager_programs, is_alone
from jitscope.analysis.first_advice import advice_for
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.start_up import start_up_of
from jitscope.model.events import SCHEMA, CompilationEvent, CompilingCallEvent
from jitscope.model.first_call import FirstCall, FirstCalls
from jitscope.model.note import Note
from jitscope.model.recording import Recording

LONGEST = 5
"""First calls in a report."""


def first_calls(recording: Recording) -> FirstCalls:
    """The anatomy of each function's first call that compiled, and what came before all of them."""
    index = index_events(recording)
    calls = [one for one in compiling_calls(index) if one.first]
    return FirstCalls(
        schema=SCHEMA,
        run=recording.header.run,
        calls=tuple(sorted(calls, key=lambda one: -one.seconds)),
        start_up=start_up_of(index, calls, recording.header.processes),
    )


def compiling_calls(index: Index, functions: Sequence[int] | None = None) -> list[FirstCall]:
    """The anatomy of all calls that compiled, of these functions, in the order in which they began.

    What was compiled ahead of time, or for a backward pass, belongs to no call.
    """
    by_call: dict[tuple[int, int], list[CompilationEvent]] = {}
    for event in index.compilations:
        if event.function is not None and event.call is not None and (event.compiled or event.phases):
            by_call.setdefault((event.function, event.call), []).append(event)
    recorded: dict[tuple[int, int], CompilingCallEvent] = {
        (one.function, one.call): one for one in index.compiling_calls
    }
    owners = owners_of(index)
    found: list[FirstCall] = []
    for key in dict.fromkeys((*by_call, *recorded)):
        own, call = by_call.get(key, []), recorded.get(key)
        found.append(by_spans(call, own, index, owners) if call is not None else by_phases(own, index))
    found.sort(key=lambda one: (one.started, one.function))
    before = _alone_before(found, index)
    measured = {(one.function, one.call): one for one in index.measured}
    seen: set[int] = set()
    finished: list[FirstCall] = []
    for one, alone in zip(found, before, strict=True):
        first, now = one.function not in seen, measured.get((one.function, one.call or 0))
        seen.add(one.function)
        if functions is not None and one.function not in functions:
            continue
        whole = msgspec.structs.replace(
            one,
            first=first,
            eager_before=eager_programs(alone),
            measured=measured_of(now) if now is not None else None,
        )
        finished.append(
            msgspec.structs.replace(whole, advice=advice_for(whole), notes=(*whole.notes, *_unknown(whole, index)))
        )
    return finished


def _alone_before(calls: Sequence[FirstCall], index: Index) -> list[list[CompilationEvent]]:
    """For each call, in order, what was compiled by itself since the one before it, in the same process."""
    waiting: dict[int | None, list[CompilationEvent]] = {}
    for event in sorted(index.compilations, key=lambda one: -one.start):
        if is_alone(event):
            waiting.setdefault(event.process, []).append(event)
    ended: dict[int | None, float] = {}
    found = []
    for one in calls:
        alone, mine = waiting.get(one.process, []), []
        while alone and alone[-1].start < one.started:
            event = alone.pop()
            if event.start >= ended.get(one.process, event.start):  # else it was inside of that call
                mine.append(event)
        ended[one.process] = max(ended.get(one.process, 0.0), one.started + one.seconds)
        found.append(mine)
    return found


def longest(calls: Sequence[FirstCall]) -> tuple[FirstCall, ...]:
    """The longest first calls, as a report has them."""
    return tuple(sorted((one for one in calls if one.first), key=lambda one: -one.seconds)[:LONGEST])


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
    return notes
