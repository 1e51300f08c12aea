"""A recording's events, sorted by what they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_

import msgspec

from jitscope.analysis.cache_outcomes import measured_in
from jitscope.model.caching import CacheKeyEvent, CacheLookup
from jitscope.model.events import (
    AddedUpEvent,
    CacheEvent,
    CallsEvent,
    CompilationEvent,
    CompilingCallEvent,
    ContextEvent,
    EndEvent,
    FunctionEvent,
    LabelEvent,
    MeasuredEvent,
    NoteEvent,
    Phase,
    PhaseEvent,
    RepeatEvent,
    Run,
    SignatureEvent,
    SourceEvent,
    StartEvent,
)
from jitscope.model.recording import Recording
from jitscope.model.signature import Leaf, Signature

MOST_RUNS = 100_000
"""Runs of one function's history whose repeats are all laid out."""


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
    labels: dict[int, str]
    """By compilation: the label that it happened under."""
    dangling: int
    """Events that refer to something that is not in the recording."""
    added_up: tuple[AddedUpEvent, ...] = ()
    """Compilations that were not kept one by one; what they refer to exists."""
    source: tuple[SourceEvent, ...] = ()
    """Lines around call sites, each place once; empty unless they were asked for."""
    shortened: dict[int, int] = {}
    """Functions with too long a history: how often the calls came whose order is in `runs` once."""
    compiling_calls: tuple[CompilingCallEvent, ...] = ()
    """Where the time of calls went that compiled; what they refer to exists."""
    inside: dict[tuple[int, int | None], tuple[CompilationEvent, ...]] = {}
    """By function and call: compilations without an owner that ran inside of it."""
    starts: tuple[StartEvent, ...] = ()
    measured: tuple[MeasuredEvent, ...] = ()
    """What they refer to exists."""
    unended: frozenset[int | None] = frozenset()
    """Processes that did not end, by position; in a recording of one process, that is None."""
    keys: dict[int, CacheKeyEvent] = {}
    """What keys of caches on disk were made of."""
    compile_seconds_by_key: Mapping[str, float] = {}
    """What this recording and others measured: see `cache_outcomes`."""


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
    shortened: dict[int, int] = {}
    added_up: list[AddedUpEvent] = []
    again: dict[int, int] = {}
    equal: dict[tuple[int, Signature], int] = {}
    compiling_calls: list[CompilingCallEvent] = []
    starts: list[StartEvent] = []
    measured: list[MeasuredEvent] = []
    caches: list[CacheEvent] = []
    keys: dict[int, CacheKeyEvent] = {}
    notes: list[NoteEvent] = []
    source: dict[tuple[str, int], SourceEvent] = {}
    end: EndEvent | None = None
    label: str | None = None
    labels: dict[int, str] = {}
    for event in recording.events:
        match event:
            case FunctionEvent():
                functions[event.id] = event
            case SignatureEvent():
                one = _interned(event, leaves)
                first = equal.setdefault((event.function, one.signature), event.id)
                if first == event.id:
                    signatures[event.id] = one
                else:
                    # Of very many signatures capture forgets the older ones, and writes what comes again anew.
                    again[event.id] = first
            case ContextEvent():
                contexts[event.id] = event
            case CompilationEvent():
                compilations[event.id] = event
                if label is not None:
                    labels[event.id] = label
            case PhaseEvent():
                later.append(event)
            case CallsEvent():
                runs.setdefault(event.function, []).extend(event.runs)
            case RepeatEvent():
                known = runs.setdefault(event.function, [])
                if len(known) + len(event.runs) * event.times <= MOST_RUNS:
                    known += event.runs * event.times
                elif event.times > 0:
                    # One turn as it was, and all others added up.
                    known += event.runs
                    known += [msgspec.structs.replace(run, count=run.count * (event.times - 1)) for run in event.runs]
                    shortened[event.function] = max(shortened.get(event.function, 0), event.times)
            case AddedUpEvent():
                added_up.append(event)
            case CompilingCallEvent():
                compiling_calls.append(event)
            case StartEvent():
                starts.append(event)
            case MeasuredEvent():
                measured.append(event)
            case CacheEvent():
                caches.append(event)
            case CacheKeyEvent():
                keys[event.id] = event
            case NoteEvent():
                notes.append(event)
            case SourceEvent():
                source.setdefault((event.file, event.line), event)
            case LabelEvent():
                label = event.text
            case EndEvent():
                end = event
    if again:
        _join(again, compilations, runs)
    dangling = sum(function not in functions for function in runs)
    dangling += sum(one.function not in functions for one in compiling_calls)
    dangling += sum(one.function not in functions for one in measured)
    added: dict[int, list[Phase]] = {}
    looked_up: dict[int, list[CacheLookup]] = {}
    for late in later:
        added.setdefault(late.compilation, []).append(late.phase)
        looked_up.setdefault(late.compilation, []).extend(late.caches)
        dangling += late.compilation not in compilations
    whole: list[CompilationEvent] = []
    for compilation in compilations.values():
        phases = (*compilation.phases, *added.get(compilation.id, ()))
        function = compilation.function if compilation.function in functions else None
        signature = compilation.signature if compilation.signature in signatures else None
        dangling += (function, signature) != (compilation.function, compilation.signature)
        if compilation.id not in added and (function, signature) == (compilation.function, compilation.signature):
            whole.append(compilation)
            continue
        lookups = _told_anew(compilation.caches, looked_up.get(compilation.id, ()))
        whole.append(
            msgspec.structs.replace(compilation, phases=phases, function=function, signature=signature, caches=lookups)
        )
    inside: dict[tuple[int, int | None], list[CompilationEvent]] = {}
    for each in whole:
        if each.function is None and each.inside is not None:
            inside.setdefault((each.inside, each.inside_call), []).append(each)
    return Index(
        functions=functions,
        signatures=signatures,
        contexts=contexts,
        compilations=tuple(whole),
        runs={function: tuple(found) for function, found in runs.items() if function in functions},
        caches=tuple(caches),
        notes=tuple(notes),
        end=end,
        labels=labels,
        dangling=dangling,
        added_up=tuple(
            each
            if each.function is None or each.function in functions
            else msgspec.structs.replace(each, function=None)
            for each in added_up
        ),
        source=tuple(source.values()),
        shortened=shortened,
        compiling_calls=tuple(one for one in compiling_calls if one.function in functions),
        inside={key: tuple(found) for key, found in inside.items()},
        starts=tuple(starts),
        measured=tuple(one for one in measured if one.function in functions),
        unended=_unended(recording, end),
        keys=keys,
        compile_seconds_by_key=measured_in(whole),
    )


def _told_anew(first: Sequence[CacheLookup], later: Sequence[CacheLookup]) -> tuple[CacheLookup, ...]:
    """Lookups, with those that came later: AOTAutograd writes its entry after the backward graph was compiled."""
    found: dict[object, CacheLookup] = {}
    for number, one in enumerate(first):
        found[(one.cache, one.key, one.backward) if one.key is not None else number] = one
    if len(found) < len(first):
        return (*first, *later)
    for number, one in enumerate(later, start=len(first)):
        found[(one.cache, one.key, one.backward) if one.key is not None else number] = one
    return tuple(found.values())


def _join(again: Mapping[int, int], compilations: dict[int, CompilationEvent], runs: dict[int, list[Run]]) -> None:
    """Put the first of several ids of one signature for all of them."""
    for identity, event in compilations.items():
        if event.signature is not None and event.signature in again:
            compilations[identity] = msgspec.structs.replace(event, signature=again[event.signature])
    for known in runs.values():
        for n, run in enumerate(known):
            if run.signature is not None and run.signature in again:
                known[n] = msgspec.structs.replace(run, signature=again[run.signature])


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
