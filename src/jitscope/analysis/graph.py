"""Compilations as graphs: what each was compared with, which ran inside which, and where a chain of them began.

`roots` is all that a report needs, and needs no library; networkx (a tenth of a second to import) is imported where
a graph is made.

Attributes are plain scalars; what is not known is left out. Seconds are compile time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from jitscope.model.events import CompilationEvent
from jitscope.model.report import CompilationReport, FunctionReport, Report

if TYPE_CHECKING:
    import networkx as nx


def roots(compilations: Iterable[CompilationEvent]) -> dict[int, int]:
    """The root of each compilation that is part of a cascade, by id; what is not in it is a root itself.

    A compilation that ran inside a call of another function follows from what that call compiled: the first
    compilation of that function, by that call, outside any transformation. The root is the outermost such. Where the
    enclosing call compiled nothing itself, there is nothing to follow from.
    """
    events = list(compilations)
    first: dict[tuple[int | None, int | None], int] = {}
    for event in events:
        if event.call is not None and event.under is None and event.compiled:
            first.setdefault((event.function, event.call), event.id)
    enclosing = {
        event.id: first[event.inside, event.inside_call]
        for event in events
        if event.inside is not None and event.inside != event.function and (event.inside, event.inside_call) in first
    }
    return {child: root for child in enclosing if (root := _outermost(child, enclosing)) != child}


def _outermost(child: int, enclosing: Mapping[int, int]) -> int:
    """Follow ``enclosing`` to its end; a circle, which no program can make, ends where it closes."""
    met = {child}
    while (parent := enclosing.get(child)) is not None:
        child = parent
        if child in met:
            break
        met.add(child)
    return child


def recompilation_graph(report: Report) -> nx.MultiDiGraph:
    """Signatures, and what led from one to the next.

    Nodes are the signatures of all functions, and ``no signature`` of a function where one of its compilations has
    none: ``kind`` (``signature``), ``function`` and ``signature`` (ids), ``name`` of the function, ``text``,
    ``calls``, ``hits``, ``compilations`` (those that ended in code) and ``seconds`` (of all that were tried).

    Edges are compilations, from the signature that each was compared with to its own; a first one has none. ``kind``
    (``recompilation``), ``causes`` and ``paths`` of the causes, ``seconds``, ``weight`` (the same), ``compilation``,
    ``call``, ``site``, ``file``, ``under``, ``failed`` (whether no code came of it).
    """
    import networkx as nx

    graph = nx.MultiDiGraph()
    functions = _by_id(report)
    place: dict[int, str] = {}
    for function in functions:
        _add_signatures(graph, function)
        place |= {one.id: _signature_node(function.id, one.signature) for one in function.compilations_detail}
    for one in _compilations(functions):
        if one.compared_with in place:
            graph.add_edge(place[one.compared_with], place[one.id], key=f"c{one.id}", **_edge(one))
    return graph


def call_graph(report: Report) -> nx.DiGraph:
    """Which compiled function runs inside which.

    Nodes are the functions: ``kind`` (``function``), ``function`` (id), ``name``, ``framework``, ``file``, ``line``,
    ``calls``, ``hits``, ``compilations`` (those that ended in code), ``seconds``; of these, those that another
    function's compilation made necessary: ``cascades``, ``cascade_seconds``.

    Edges go from a function to those that compiled inside its calls: ``kind`` (``inside``), ``compilations``,
    ``seconds``, ``weight`` (the same), ``cascades``, ``cascade_seconds``. A compilation inside a call that compiled
    nothing itself is no cascade.
    """
    import networkx as nx

    graph = nx.DiGraph()
    functions = _by_id(report)
    inside: dict[tuple[int, int], list[CompilationReport]] = {}
    known = {function.id for function in functions}
    for function in functions:
        graph.add_node(
            _function_node(function.id),
            kind="function",
            function=function.id,
            name=function.name,
            framework=function.framework,
            file=function.file,
            line=function.line,
            calls=function.calls,
            hits=function.hits,
            **_sums(function.compilations_detail),
        )
        for one in function.compilations_detail:
            if one.inside in known:
                inside.setdefault((one.inside, function.id), []).append(one)
    for (outer, inner), found in sorted(inside.items()):
        sums = _sums(found)
        graph.add_edge(_function_node(outer), _function_node(inner), kind="inside", **sums, weight=sums["seconds"])
    return graph


def _by_id(report: Report) -> list[FunctionReport]:
    return sorted(report.functions, key=lambda function: function.id)


def _compilations(functions: Iterable[FunctionReport]) -> list[CompilationReport]:
    return sorted((one for function in functions for one in function.compilations_detail), key=lambda one: one.id)


def _function_node(function: int) -> str:
    return f"f{function}"


def _signature_node(function: int, signature: int | None) -> str:
    return f"f{function}/none" if signature is None else f"f{function}/s{signature}"


def _add_signatures(graph: nx.MultiDiGraph, function: FunctionReport) -> None:
    """Add the nodes of one function, with what its compilations took."""
    found: dict[int | None, list[CompilationReport]] = {}
    for one in function.compilations_detail:
        found.setdefault(one.signature, []).append(one)
    for signature in function.signatures:
        graph.add_node(
            _signature_node(function.id, signature.id),
            kind="signature",
            function=function.id,
            signature=signature.id,
            name=function.name,
            text=signature.text,
            calls=signature.calls,
            hits=signature.hits,
            **_costs(found.get(signature.id, ())),
        )
    if None in found:
        unread = [run for run in function.history if run.signature is None and run.outcome != "nested"]
        graph.add_node(
            _signature_node(function.id, None),
            kind="signature",
            function=function.id,
            name=function.name,
            text="no signature",
            calls=sum(run.count for run in unread),
            hits=sum(run.count for run in unread if run.outcome == "hit"),
            **_costs(found[None]),
        )


def _costs(compilations: Sequence[CompilationReport]) -> dict[str, int | float]:
    return {
        "compilations": sum(_ended_in_code(one) for one in compilations),
        "seconds": sum((one.seconds for one in compilations), 0.0),
    }


def _sums(compilations: Sequence[CompilationReport]) -> dict[str, int | float]:
    """Costs, and what of them follows from another function's compilation."""
    cascades = _costs([one for one in compilations if one.root is not None])
    return {
        **_costs(compilations),
        "cascades": cascades["compilations"],
        "cascade_seconds": cascades["seconds"],
    }


def _ended_in_code(one: CompilationReport) -> bool:
    return one.failed is None and one.layers[-1:] == ("compile",)


def _edge(one: CompilationReport) -> dict[str, str | int | float | bool]:
    optional = {
        "call": one.call,
        "site": one.site.text if one.site is not None else None,
        "file": one.site.file if one.site is not None else None,
        "under": one.under,
    }
    return {
        "kind": "recompilation",
        "causes": ", ".join(dict.fromkeys(cause.kind for cause in one.causes)),
        "paths": ", ".join(dict.fromkeys(cause.path for cause in one.causes if cause.path is not None)),
        "seconds": one.seconds,
        "weight": one.seconds,
        "compilation": one.id,
        "failed": one.failed is not None,
        **{name: value for name, value in optional.items() if value is not None},
    }
