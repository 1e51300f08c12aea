"""Sums over all functions, and over what nobody watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jitscope.analysis.advice import avoidable
from jitscope.model.events import AddedUpEvent, CompilationEvent, Framework, Site
from jitscope.model.report import EagerOp, FunctionReport, Totals


def totals_of(functions: Sequence[FunctionReport], eager_ops: Sequence[EagerOp]) -> Totals:
    """Add up. A recompilation is avoidable where each of its causes is."""
    details = [detail for function in functions for detail in function.compilations_detail]
    return Totals(
        calls=sum(one.calls for one in functions),
        hits=sum(one.hits for one in functions),
        dispatch_misses=sum(one.dispatch_misses for one in functions),
        eager_fallbacks=sum(one.eager_fallbacks for one in functions),
        compiling_calls=sum(one.compiling_calls for one in functions),
        python_path_calls=sum(one.python_path_calls for one in functions),
        waited_calls=sum(one.waited_calls for one in functions),
        failed_calls=sum(one.failed_calls for one in functions),
        nested_calls=sum(one.nested_calls for one in functions),
        compilations=sum(one.compilations for one in functions),
        recompilations=sum(one.recompilations for one in functions),
        avoidable_recompilations=sum(detail.recompile and avoidable(detail.causes) for detail in details),
        compile_seconds=sum(one.compile_seconds for one in functions),
        recompile_seconds=sum(one.recompile_seconds for one in functions),
        eager_op_compilations=sum(one.compilations for one in eager_ops),
        eager_op_compile_seconds=sum(one.compile_seconds for one in eager_ops),
    )


def eager_ops_of(
    compilations: Sequence[CompilationEvent], added_up: Sequence[AddedUpEvent] = ()
) -> tuple[EagerOp, ...]:
    """Compilations without an owner, by program, the costliest first; sites by how often they compiled."""
    groups: dict[tuple[Framework, str, bool], list[CompilationEvent]] = {}
    for event in compilations:
        if event.function is None:
            groups.setdefault((event.framework, event.program, event.library), []).append(event)
    more: dict[tuple[Framework, str, bool], list[AddedUpEvent]] = {}
    for one in added_up:
        if one.function is None:
            more.setdefault((one.framework, one.program, one.library), []).append(one)
            groups.setdefault((one.framework, one.program, one.library), [])
    found = [
        EagerOp(
            name=program,
            framework=framework,
            library=library,
            compilations=sum(event.compiled for event in events)
            + sum(one.compilations for one in more.get((framework, program, library), ())),
            compile_seconds=sum(event.seconds for event in events)
            + sum(sum(one.phases.values()) for one in more.get((framework, program, library), ())),
            sites=_sites(events),
        )
        for (framework, program, library), events in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.compile_seconds, one.name)))


def _sites(events: Sequence[CompilationEvent]) -> tuple[Site, ...]:
    return tuple(site for site, _ in Counter(event.site for event in events if event.site is not None).most_common())
