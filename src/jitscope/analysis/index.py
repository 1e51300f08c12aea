"""A recording's events, sorted by what they speak of."""

from __future__ import annotations

from operator import is_

import msgspec

from jitscope.model.events import (
    CacheEvent,
    CallsEvent,
    CompilationEvent,
    ContextEvent,
    EndEvent,
    FunctionEvent,
    NoteEvent,
    Phase,
    PhaseEvent,
    Run,
    SignatureEvent,
)
from jitscope.model.recording import Recording
from jitscope.model.signature import Leaf


class Index(msgspec.Struct, frozen=True):
    """The events of a recording by kind and id."""

    functions: dict[int, FunctionEvent]
    signatures: dict[int, SignatureEvent]
    contexts: dict[int, ContextEvent]
    compilations: tuple[CompilationEvent, ...]
    """In the order of the recording, with the phases that came later; all they refer to exists."""
    runs: dict[int, tuple[Run, ...]]
    """Call history by function."""
    caches: tuple[CacheEvent, ...]
    notes: tuple[NoteEvent, ...]
    end: EndEvent | None
    dangling: int
    """Events that refer to something that is not in the recording."""
    unended: frozenset[int | None] = frozenset()
    """Processes that did not end, by position; in a recording of one process, that is None."""


def index_events(recording: Recording) -> Index:
    """Sort the events of ``recording``.

    A reference to something that is not there is cut, not followed: its event stays, and is counted.
    """
    functions: dict[int, FunctionEvent] = {}
    signatures: dict[int, SignatureEvent] = {}
    contexts: dict[int, ContextEvent] = {}
    leaves: dict[Leaf, Leaf] = {}
    compilations: dict[int, CompilationEvent] = {}
    later: list[PhaseEvent] = []
    runs: dict[int, list[Run]] = {}
    caches: list[CacheEvent] = []
    notes: list[NoteEvent] = []
    end: EndEvent | None = None
    for event in recording.events:
        match event:
            case FunctionEvent():
                functions[event.id] = event
            case SignatureEvent():
                signatures[event.id] = _interned(event, leaves)
            case ContextEvent():
                contexts[event.id] = event
            case CompilationEvent():
                compilations[event.id] = event
            case PhaseEvent():
                later.append(event)
            case CallsEvent():
                runs.setdefault(event.function, []).extend(event.runs)
            case CacheEvent():
                caches.append(event)
            case NoteEvent():
                notes.append(event)
            case EndEvent():
                end = event
    dangling = sum(function not in functions for function in runs)
    added: dict[int, list[Phase]] = {}
    for one in later:
        added.setdefault(one.compilation, []).append(one.phase)
        dangling += one.compilation not in compilations
    whole: list[CompilationEvent] = []
    for compilation in compilations.values():
        phases = (*compilation.phases, *added.get(compilation.id, ()))
        function = compilation.function if compilation.function in functions else None
        signature = compilation.signature if compilation.signature in signatures else None
        dangling += (function, signature) != (compilation.function, compilation.signature)
        if compilation.id not in added and (function, signature) == (compilation.function, compilation.signature):
            whole.append(compilation)
            continue
        whole.append(msgspec.structs.replace(compilation, phases=phases, function=function, signature=signature))
    return Index(
        functions=functions,
        signatures=signatures,
        contexts=contexts,
        compilations=tuple(whole),
        runs={function: tuple(found) for function, found in runs.items() if function in functions},
        caches=tuple(caches),
        notes=tuple(notes),
        end=end,
        dangling=dangling,
        unended=_unended(recording, end),
    )


def _unended(recording: Recording, end: EndEvent | None) -> frozenset[int | None]:
    processes = recording.header.processes
    if processes:
        return frozenset(position for position, one in enumerate(processes) if not one.ended)
    return frozenset() if end is not None else frozenset({None})


def _interned(event: SignatureEvent, known: dict[Leaf, Leaf]) -> SignatureEvent:
    """The event with equal leaves made the same object: signatures are compared with each other, many times."""
    leaves = tuple([known.setdefault(leaf, leaf) for leaf in event.signature.leaves])
    if all(map(is_, leaves, event.signature.leaves)):
        return event
    return msgspec.structs.replace(event, signature=msgspec.structs.replace(event.signature, leaves=leaves))
