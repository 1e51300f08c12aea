"""One call that compiled, taken apart: by the spans that were recorded in it, or else by its compilations' phases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jitscope.analysis.eager_programs import eager_programs, is_alone
from jitscope.analysis.index import Index
from jitscope.analysis.part_names import is_lifted, label_of, name_of
from jitscope.analysis.parts import Stretch, lift, nest, parts_of, programs_text, sum_of
from jitscope.model.events import CompilationEvent, CompilingCallEvent, FunctionEvent, Phase, Span
from jitscope.model.first_call import FirstCall, Part
from jitscope.model.note import Note

_LATE = frozenset({"backward", "autotune"})
"""Phases that can come after the call of their compilation."""

Owners = Mapping[tuple[int | None, str, float], CompilationEvent]
"""By process, name and start of a phase: its compilation. The span that is a phase begins at the same moment."""


def owners_of(index: Index) -> Owners:
    """Whose the spans of a recording are."""
    return {(one.process, phase.name, phase.start): one for one in index.compilations for phase in one.phases}


def by_spans(call: CompilingCallEvent, own: Sequence[CompilationEvent], index: Index, owners: Owners) -> FirstCall:
    """The anatomy of a call in which spans were recorded; ``own``: the compilations of its function in it."""
    function = index.functions[call.function]
    end = call.start + call.seconds
    spans = call.spans if not call.left_out else (*call.spans, *_left_out(call, own, index))
    stretches, alone = _stretches(spans, function, index, owners)
    stretches += _of_other_threads(own, stretches, call.start, end)
    top = lift(nest(stretches, call.start, end))
    parts = parts_of(_with_runs(top, end, function), call.start)
    notes: tuple[Note, ...] = ()
    if call.left_out:
        text = f"the {call.left_out} shortest steps were not kept: their time is told with the steps around them"
        notes = (Note("spans-left-out", text),)
    later = [phase for one in own for phase in one.phases if phase.name == "backward" and phase.start >= end]
    return FirstCall(
        **_whose(function, own),
        call=call.call,
        site=call.site,
        started=call.start,
        **_sums(parts, call.seconds),
        complete=True,
        later=_flat(later),
        eager_ops=eager_programs(alone),
        notes=notes,
    )


def by_phases(own: Sequence[CompilationEvent], index: Index) -> FirstCall:
    """The anatomy of a call of which only its compilations are known; there is at least one."""
    first = own[0]
    assert first.function is not None
    function = index.functions[first.function]
    parts = _flat([phase for one in own if not is_alone(one) for phase in one.phases if phase.name not in _LATE])
    alone = [one for one in own if is_alone(one)]
    alone += index.inside.get((function.id, first.call), ())
    if alone:
        seconds = sum(one.seconds for one in alone)
        text = programs_text([one.program for one in alone])
        parts = (*parts, Part("eager_op", label_of("eager_op"), None, seconds, seconds, len(alone), text))
    notes = [
        Note(
            "phases-only",
            "only the phases of its compilations are known: where the time went is recorded of a function's first "
            "compiling calls, and by this version of jitscope on",
        )
    ]
    seconds = sum_of(parts)
    wall = max((one.wall_seconds for one in own if one.wall_seconds is not None), default=None)
    if wall is None or wall < seconds:
        notes.append(Note("no-wall-time", "how long the call took is not recorded: this is the sum of its phases"))
    return FirstCall(
        **_whose(function, own),
        call=first.call,
        site=first.site,
        started=first.start,
        **_sums(parts, max(wall or 0.0, seconds)),
        complete=False,
        later=_flat([phase for one in own for phase in one.phases if phase.name in _LATE]),
        eager_ops=eager_programs(alone),
        notes=tuple(notes),
    )


def _stretches(
    spans: Iterable[Span], function: FunctionEvent, index: Index, owners: Owners
) -> tuple[list[Stretch], list[CompilationEvent]]:
    """What was measured in a call, and the programs among it that were compiled by themselves."""
    found: list[Stretch] = []
    alone: dict[int, tuple[CompilationEvent, list[Span]]] = {}
    for span in spans:
        name = name_of(span.name)
        stretch = Stretch(name, label_of(name), span.start, span.seconds, lifted=is_lifted(span.name))
        one = owners.get((function.process, span.name, span.start))
        if one is not None and is_alone(one):
            alone.setdefault(one.id, (one, []))[1].append(span)
            continue
        if one is not None and one.function is not None and one.function != function.id:
            stretch.label = f"{stretch.label} of {index.functions[one.function].name}"
        elif one is not None and function.kind == "region":
            stretch.program = one.program
        found.append(stretch)
    for one, phases in alone.values():
        # One program, one stretch: from its trace to the end of its compile.
        start, end = min(phase.start for phase in phases), max(phase.start + phase.seconds for phase in phases)
        name = "eager_op" if one.library else "unwatched"
        found.append(Stretch(name, label_of(name), start, end - start, one.program))
    return found, [one for one, _ in alone.values()]


def _left_out(call: CompilingCallEvent, own: Sequence[CompilationEvent], index: Index) -> list[Span]:
    """Spans that were not kept, of compilations in the call: a phase of JAX begins when its span did."""
    kept = {(span.name, span.start) for span in call.spans}
    found = []
    for one in (*own, *index.inside.get((call.function, call.call), ())):
        if one.framework != "jax":
            continue
        # Reading and writing the persistent cache are inside of the compile, and not told apart here.
        cached = sum(phase.seconds for phase in one.phases if phase.name in ("cache_read", "cache_write"))
        found += [
            Span(phase.name, phase.start, phase.seconds + (cached if phase.name == "compile" else 0.0), one.program)
            for phase in one.phases
            if phase.name in ("trace", "lower", "compile")
            and call.start <= phase.start < call.start + call.seconds
            and (phase.name, phase.start) not in kept
        ]
    return found


def _of_other_threads(
    own: Sequence[CompilationEvent], stretches: Sequence[Stretch], start: float, end: float
) -> list[Stretch]:
    """Backward graphs compiled during the call of a region, in a thread of autograd's (CUDA): the call waits for it."""
    known = [one for one in stretches if one.name == "backward"]
    return [
        Stretch("backward", label_of("backward"), phase.start, phase.seconds)
        for one in own
        for phase in one.phases
        if phase.name == "backward"
        and start <= phase.start < end
        and not any(each.start < phase.start + phase.seconds and phase.start < each.end for each in known)
    ]


def _with_runs(top: Sequence[Stretch], end: float, function: FunctionEvent) -> list[Stretch]:
    """With what ran after and between compiles. A region's own code compiles nothing: of it, nothing is told.

    torch compiles a whole frame, and then runs it: what lies between two compiles runs. Between JAX's phases that is
    not so, but after the last of them it is.
    """
    if not top or function.kind == "region":
        return list(top)
    found = [top[0]]
    for one in top[1:]:
        if function.framework == "torch" and one.start > found[-1].end:
            found.append(Stretch("run", label_of("run"), found[-1].end, one.start - found[-1].end))
        found.append(one)
    last = found[-1].end
    label = "dispatch" if function.framework == "jax" else label_of("run")
    return [*found, Stretch("run", label, last, end - last)] if end > last else found


def _flat(phases: Sequence[Phase]) -> tuple[Part, ...]:
    """Phases as parts without a start, those of one name joined."""
    groups: dict[str, list[float]] = {}
    for phase in phases:
        groups.setdefault(phase.name, []).append(max(phase.seconds, 0.0))
    return tuple(
        Part(name, label_of(name), None, sum(seconds), sum(seconds), len(seconds)) for name, seconds in groups.items()
    )


def _whose(function: FunctionEvent, own: Sequence[CompilationEvent]) -> dict[str, Any]:
    return {
        "function": function.id,
        "framework": function.framework,
        "name": function.name,
        "kind": function.kind,
        "file": function.file,
        "line": function.line,
        "process": function.process,
        "compilations": tuple(one.id for one in own),
        "cache_hits": sum(one.persistent_cache == "hit" for one in own),
        "caches_off": sum(one.persistent_cache == "off" for one in own),
    }


def _sums(parts: tuple[Part, ...], seconds: float) -> dict[str, Any]:
    known = sum_of(parts)
    return {
        "parts": parts,
        "seconds": seconds,
        "not_attributed": max(seconds - known, 0.0),
        "attributed": min(known / seconds, 1.0) if seconds > 0 else 1.0,
    }
