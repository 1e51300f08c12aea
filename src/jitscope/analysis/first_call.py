"""Where the time of the calls went that compiled, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jitscope.analysis.anatomy import by_phases, by_spans, owners_of
from jitscope.analysis.break_even import measured_of
from jitscope.analysis.eager_programs import eager_programs
from jitscope.analysis.first_advice import advice_for
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.start_up import compiled_alone, start_up_of
from jitscope.model.events import SCHEMA, CompilationEvent, CompilingCallEvent
from jitscope.model.first_call import FirstCall, FirstCalls
from jitscope.model.recording import Recording
from jitscope.model.report import Note


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
    measured = {one.function: one for one in index.measured}
    owners = owners_of(index)
    found: list[FirstCall] = []
    for key in dict.fromkeys((*by_call, *recorded)):
        if functions is None or key[0] in functions:
            own, call = by_call.get(key, []), recorded.get(key)
            found.append(by_spans(call, own, index, owners) if call is not None else by_phases(own, index))
    found.sort(key=lambda one: (one.started, one.function))
    seen: set[int] = set()
    for position, one in enumerate(found):
        first, now = one.function not in seen, measured.get(one.function)
        seen.add(one.function)
        whole = msgspec.structs.replace(
            one,
            first=first,
            eager_before=eager_programs(compiled_alone(index, one.process, one.started)) if first else (),
            measured=measured_of(now) if now is not None and first else None,
        )
        found[position] = msgspec.structs.replace(
            whole, advice=advice_for(whole), notes=(*whole.notes, *_unknown(whole, index))
        )
    return found


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
