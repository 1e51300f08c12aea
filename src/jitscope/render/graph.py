"""The graphs of a report (`analysis.graph`) as GraphML, DOT or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, assert_never

from jitscope.analysis.graph import call_graph, recompilation_graph
from jitscope.model.notation import printable
from jitscope.model.report import Report
from jitscope.render.dot import dot_text

if TYPE_CHECKING:
    import networkx as nx

Which = Literal["recompilations", "calls", "both"]
"""Signatures and what led from one to the next; functions and which compiled inside which; or both in one graph."""

GraphFormat = Literal["graphml", "dot", "json"]


def render_graph(report: Report, which: Which = "both", format_: GraphFormat = "graphml") -> str:
    """Write a graph of ``report``, ended by a newline; the same report gives the same text.

    Args:
        report: the whole report: of one that was narrowed to a function, what leads elsewhere is left out.
        which: which graph; in ``both``, the attributes ``kind`` and ``function`` tell what belongs to what.
        format_: ``graphml`` (XML), ``dot`` (for Graphviz) or ``json`` (networkx's node-link form, with ``edges``).
    """
    graph = _graph(report, which)
    match format_:
        case "graphml":
            return _graphml(graph)
        case "dot":
            return dot_text(graph)
        case "json":
            return _json(graph)
        case _:
            assert_never(format_)


def _graph(report: Report, which: Which) -> nx.DiGraph:
    match which:
        case "recompilations":
            return recompilation_graph(report)
        case "calls":
            return call_graph(report)
        case "both":
            both = recompilation_graph(report)
            calls = call_graph(report)
            both.add_nodes_from(calls.nodes(data=True))
            both.add_edges_from((one, other, f"{one}-{other}", data) for one, other, data in calls.edges(data=True))
            return both
        case _:
            assert_never(which)


def _graphml(graph: nx.DiGraph) -> str:
    import networkx as nx

    safe = graph.copy()
    for *_, attributes in (*safe.nodes(data=True), *safe.edges(data=True)):
        # XML has no way to write most control characters: they are escaped as for a terminal.
        texts = {name: printable(value) for name, value in attributes.items() if isinstance(value, str)}
        attributes.update(texts)
    lines = nx.generate_graphml(safe)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + "".join(f"{line}\n" for line in lines)


def _json(graph: nx.DiGraph) -> str:
    import networkx as nx

    return json.dumps(nx.node_link_data(graph, edges="edges"), indent=2) + "\n"
