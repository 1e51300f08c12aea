"""One function's part of the report."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from jitscope.analysis import history as calls
from jitscope.analysis.cache_outcomes import outcome_of
from jitscope.analysis.causes import judge_compilation
from jitscope.analysis.compiled import Compiled, program_key
from jitscope.analysis.earlier import LAST, Earlier
from jitscope.analysis.families import families
from jitscope.analysis.fixes import fix_for
from jitscope.analysis.graph import roots
from jitscope.analysis.index import Index
from jitscope.analysis.states import state_of
from jitscope.model.cause import Cause
from jitscope.model.events import CompilationEvent, FunctionEvent, Phase, Run
from jitscope.model.report import CompilationReport, FunctionReport, HistoryRun, Note, SignatureReport
from jitscope.model.signature import Signature


class Judged(msgspec.Struct, frozen=True):
    """A compilation with its causes."""

    event: CompilationEvent
    causes: tuple[Cause, ...]
    recompile: bool
    """It compiled, and was not the first of its program."""
    compared_with: int | None = None
    root: int | None = None
    label: str | None = None
    bounded: bool = False
    """Not all earlier compilations of its program were looked at for what it was compared with."""


Verdicts = dict[Hashable, tuple[Judged, ...]]
"""By all that counts of the compilations of a program: what was found for them, in another recording."""
MOST_VERDICTS: Final = 1_000
"""Programs that are remembered."""


def judge(index: Index, known: Verdicts | None = None) -> dict[int, Judged]:
    """Causes of all compilations that a function owns, by the compilation's id.

    ``known`` remembers what was found, for the next recording: ranks mostly compile the same. The ids that a remembered
    cause names in its texts, and what it was compared with, are those of the recording that it comes from.
    """
    groups: dict[tuple[object, ...], list[Compiled]] = {}
    found = roots(index.compilations)
    nested = {function: calls.calls_before_nesting(runs) for function, runs in index.runs.items()}
    for event in index.compilations:
        if event.function is None:
            continue
        signature = index.signatures[event.signature].signature if event.signature is not None else None
        context = index.contexts.get(event.context) if event.context is not None else None
        one = Compiled(event, index.functions[event.function], signature, context.settings if context else None)
        groups.setdefault(program_key(one), []).append(one)
    judged: dict[int, Judged] = {}
    # One program after another: what it takes to compare is kept for one at a time.
    for group in groups.values():
        key = None if known is None else _what_counts(group, nested)
        if known is not None and key in known:
            for one, before in zip(group, known[key], strict=True):
                label = index.labels.get(one.event.id)
                same = msgspec.structs.replace(before, event=one.event, root=found.get(one.event.id), label=label)
                judged[one.event.id] = same
            continue
        earlier = Earlier()
        for one in group:
            event = one.event
            verdict = judge_compilation(one, earlier, nested=_was_nested(event, nested.get(one.function.id)))
            judged[event.id] = Judged(
                event,
                verdict.causes,
                recompile=event.compiled and bool(earlier),
                compared_with=verdict.compared_with.event.id if verdict.compared_with is not None else None,
                root=found.get(event.id),
                bounded=verdict.bounded,
                label=index.labels.get(event.id),
            )
            if event.compiled:
                earlier.add(one)
        if known is not None:
            if len(known) >= MOST_VERDICTS:
                known.clear()
            known[key] = tuple(judged[one.event.id] for one in group)
    return {event.id: judged[event.id] for event in index.compilations if event.id in judged}


def _what_counts(group: Sequence[Compiled], nested: Mapping[int, int | None]) -> Hashable:
    """Equal for programs whose compilations have the same causes: all of them, without ids, times and places."""
    bodies: dict[object, int] = {}
    functions: dict[int, int] = {}
    found: list[Hashable] = []
    for one in group:
        event, function = one.event, one.function
        bare = msgspec.structs.replace(
            event,
            id=0,
            function=None,
            call=None,
            signature=None,
            site=None,
            start=0.0,
            wall_seconds=None,
            phases=(),
            inside=None,
            inside_call=None,
            context=None,
            process=None,
        )
        found.append(
            (
                bare,
                one.signature,
                None if one.settings is None else frozenset(one.settings.items()),
                bodies.setdefault(one.body, len(bodies)),
                bool(function.body),
                functions.setdefault(function.id, len(functions)),
                (function.name, function.file, function.line, function.kind),
                (function.defaults, function.parameters, function.maker),
                tuple(sorted(function.options.items())),
                _was_nested(event, nested.get(function.id)),
            )
        )
    return tuple(found)


def bounded_notes(judged: Iterable[Judged], index: Index) -> tuple[Note, ...]:
    """For each function of which not all earlier compilations were looked at: what that means."""
    functions = dict.fromkeys(one.event.function for one in judged if one.bounded and one.event.function is not None)
    return tuple(
        Note(
            "compared-with-last",
            f"{index.functions[each].name}: so much varies between its compilations that each was compared with the "
            f"{LAST} before it only; an older one may differ less",
        )
        for each in functions
    )


class AddedUp(msgspec.Struct):
    """The compilations of one function that were not kept one by one."""

    compilations: int = 0
    recompilations: int = 0
    seconds: float = 0.0
    recompile_seconds: float = 0.0
    phases: dict[str, float] = msgspec.field(default_factory=dict)


def added_up(index: Index) -> dict[int, AddedUp]:
    """By function. The first compilation of a program is none again, unless others of it were kept."""
    met = (
        {
            program_key(Compiled(event, index.functions[event.function], None))
            for event in index.compilations
            if event.function is not None and event.compiled
        }
        if index.added_up
        else set()
    )
    found: dict[int, AddedUp] = {}
    for one in index.added_up:
        if one.function is None:
            continue
        event = CompilationEvent(
            0, one.function, one.program, one.library, one.framework, under=one.under, maker=one.maker
        )
        key = program_key(Compiled(event, index.functions[one.function], None))
        sums = found.setdefault(one.function, AddedUp())
        first = key not in met and one.compilations > 0
        seconds, failed = sum(one.phases.values()), sum(one.other_phases.values())
        sums.compilations += one.compilations
        sums.recompilations += one.compilations - first
        sums.seconds += seconds
        sums.recompile_seconds += seconds - failed - (one.first_seconds if first else 0.0)
        for name, spent in one.phases.items():
            sums.phases[name] = sums.phases.get(name, 0.0) + spent
        if one.compilations:
            met.add(key)
    return found


def _was_nested(event: CompilationEvent, calls_before: int | None) -> bool:
    """Whether the function had been called inside another trace before this compilation's call."""
    return calls_before is not None and event.call is not None and calls_before < event.call


def function_reports(
    index: Index, judged: Mapping[int, Judged] | None = None, *, brief: bool = False
) -> tuple[FunctionReport, ...]:
    """All functions, those that lost most time to recompiling first, then to compiling.

    ``judged`` is what `judge` says of ``index``. ``brief``: without what is only shown: signatures, families, fixes.
    """
    judged = judge(index) if judged is None else judged
    mine: dict[int | None, list[Judged]] = {}
    for one in judged.values():
        mine.setdefault(one.event.function, []).append(one)
    seen: dict[int, dict[int, Signature]] = {}
    for event in index.signatures.values() if not brief else ():
        seen.setdefault(event.function, {})[event.id] = event.signature
    more = added_up(index)
    reports = [
        _report(
            function,
            index,
            mine.get(function.id, ()),
            seen.get(function.id, {}),
            more.get(function.id, AddedUp()),
            brief=brief,
        )
        for function in index.functions.values()
    ]
    return tuple(sorted(reports, key=lambda one: (-one.recompile_seconds, -one.compile_seconds, one.id)))


def empty_function_report(function: FunctionEvent) -> FunctionReport:
    """The report of a function that was never called."""
    nothing = Index(
        functions={},
        signatures={},
        contexts={},
        compilations=(),
        runs={},
        caches=(),
        notes=(),
        end=None,
        labels={},
        dangling=0,
    )  # fmt: skip
    return _report(function, nothing, (), {}, AddedUp())


def _report(
    function: FunctionEvent,
    index: Index,
    mine: Sequence[Judged],
    seen: Mapping[int, Signature],
    more: AddedUp,
    *,
    brief: bool = False,
) -> FunctionReport:
    events = [one.event for one in mine]
    written = calls.merge_runs(index.runs.get(function.id, ()))
    unwritten = calls.unwritten_calls(written, events) if function.process in index.unended else {}
    history = calls.merge_runs([*(_run(one) for one in written), *unwritten.values()]) if unwritten else written
    counts = calls.count_calls(history)
    by_signature = calls.calls_by_signature(written, unwritten)
    served = calls.hits_by_compilation(history)
    return FunctionReport(
        id=function.id,
        framework=function.framework,
        name=function.name,
        kind=function.kind,
        file=function.file,
        line=function.line,
        calls=counts.calls,
        hits=counts.of("hit"),
        dispatch_misses=counts.of("dispatch_miss"),
        eager_fallbacks=counts.of("eager_fallback"),
        compiling_calls=counts.of("compile"),
        python_path_calls=counts.of("python_path"),
        waited_calls=counts.of("waited"),
        failed_calls=counts.of("error"),
        nested_calls=counts.nested,
        compilations=sum(event.compiled for event in events) + more.compilations,
        recompilations=sum(one.recompile for one in mine) + more.recompilations,
        compile_seconds=sum(event.seconds for event in events) + more.seconds,
        recompile_seconds=sum(one.event.seconds for one in mine if one.recompile) + more.recompile_seconds,
        phases=_sum(_phase_seconds([phase for event in events for phase in event.phases]), more.phases),
        state=state_of(events),
        signatures=_signatures(seen, by_signature),
        families=families(seen, _seconds_by_signature(events)),
        history=history,
        compilations_detail=tuple(_detail(one, function, served, index, brief=brief) for one in mine),
        column=function.column,
        process=function.process,
    )


def _run(run: HistoryRun) -> Run:
    return Run(run.signature, run.outcome, run.count, run.compilation)


def _detail(
    one: Judged, function: FunctionEvent, served: Mapping[int, int], index: Index, *, brief: bool
) -> CompilationReport:
    event = one.event
    return CompilationReport(
        id=event.id,
        call=event.call,
        signature=event.signature,
        program=event.program,
        start=event.start,
        seconds=event.seconds,
        wall_seconds=event.wall_seconds,
        phases=_phase_seconds(event.phases),
        layers=event.layers,
        persistent_cache=event.persistent_cache,
        under=event.under,
        site=event.site,
        causes=one.causes,
        fix=None if brief else fix_for(one.causes, function),
        framework_id=event.framework_id,
        hits=served.get(event.id, 0),
        recompile=one.recompile,
        failed=event.failed,
        compared_with=one.compared_with,
        inside=event.inside,
        root=one.root,
        evidence=event.evidence,
        label=one.label,
        caches=tuple(outcome_of(lookup, index.compile_seconds_by_key) for lookup in event.caches),
    )


def _signatures(
    seen: Mapping[int, Signature], by_signature: Mapping[int, calls.SignatureCalls]
) -> tuple[SignatureReport, ...]:
    none = calls.SignatureCalls()
    return tuple(
        SignatureReport(
            id=identity,
            text=signature.text,
            calls=by_signature.get(identity, none).calls,
            hits=by_signature.get(identity, none).hits,
            first_call=by_signature.get(identity, none).first_call,
        )
        for identity, signature in seen.items()
    )


def _phase_seconds(phases: Sequence[Phase]) -> dict[str, float]:
    """Seconds by phase, in the order in which the phases first ran."""
    seconds: dict[str, float] = {}
    for phase in phases:
        seconds[phase.name] = seconds.get(phase.name, 0.0) + phase.seconds
    return seconds


def _sum(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return one | {name: one.get(name, 0.0) + seconds for name, seconds in other.items()}


def _seconds_by_signature(events: Sequence[CompilationEvent]) -> dict[int, float]:
    seconds: dict[int, float] = {}
    for event in events:
        if event.signature is not None:
            seconds[event.signature] = seconds.get(event.signature, 0.0) + event.seconds
    return seconds
