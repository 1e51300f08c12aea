"""A graph of compilations in the DOT language, as Graphviz reads it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from jitscope.model.notation import cut, printable
from jitscope.render.numbers import count_text, seconds_text

if TYPE_CHECKING:
    import networkx as nx

_LINE: Final = 48
"""Characters of a label's line before it is wrapped."""
_TEXT: Final = 240
"""Most characters of a name, or of a signature's text, that are shown."""


def dot_text(graph: nx.DiGraph) -> str:
    """Write ``graph`` (of `analysis.graph`) as one ``digraph``; each function's nodes are in a cluster of their own.

    The names of nodes are jitscope's own (``f1/s3``); all else is from the watched program, and is in labels only.
    """
    lines = ["digraph jitscope {", "  rankdir=LR;", "  node [shape=box];"]
    functions: dict[int, list[tuple[str, Mapping[str, Any]]]] = {}
    for node, attributes in graph.nodes(data=True):
        functions.setdefault(attributes["function"], []).append((node, attributes))
    for function, members in functions.items():
        lines.append(f"  subgraph cluster_f{function} {{")
        lines.append(f"    label={label([cut(members[0][1]['name'], _TEXT)])};")
        lines += [f'    "{node}" [{_node(attributes)}];' for node, attributes in members]
        lines.append("  }")
    for source, target, attributes in graph.edges(data=True):
        lines.append(f'  "{source}" -> "{target}" [{_edge(attributes)}];')
    return "\n".join([*lines, "}", ""])


def label(lines: Iterable[str]) -> str:
    r"""A DOT string that is shown as ``lines``; what Graphviz would obey in them (``\N``, ``&amp;``) is escaped."""
    return '"' + "\\n".join(_shown(line) for line in lines) + '"'


def _shown(line: str) -> str:
    return printable(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(printable(cut(text, _TEXT)), _LINE)


def _node(attributes: Mapping[str, Any]) -> str:
    calls = f"{count_text(attributes['calls'], 'call')}, {count_text(attributes['hits'], 'hit')}"
    cost = _cost(attributes)
    if attributes["kind"] == "function":
        return f"shape=ellipse, label={label([*_wrapped(attributes['name']), calls, *cost])}"
    return f"label={label([*_wrapped(attributes['text']), calls, *cost])}"


def _edge(attributes: Mapping[str, Any]) -> str:
    if attributes["kind"] == "inside":
        return f"style=dashed, label={label(_cost(attributes))}"
    call = f"call {attributes['call']}" if "call" in attributes else None
    under = f"under {attributes['under']}" if "under" in attributes else None
    where = " ".join(text for text in (call, under, attributes.get("site")) if text)
    what = [*_wrapped(attributes["causes"]), *_wrapped(attributes["paths"])]
    failed = ["failed"] if attributes["failed"] else []
    return f"label={label([*what, *([where] if where else []), seconds_text(attributes['seconds']), *failed])}"


def _cost(attributes: Mapping[str, Any]) -> list[str]:
    """Compilations and their time, and how much of it follows from another function's."""
    lines = [f"{count_text(attributes['compilations'], 'compilation')}, {seconds_text(attributes['seconds'])}"]
    if attributes.get("cascades"):
        lines.append(f"of these {attributes['cascades']} in cascades, {seconds_text(attributes['cascade_seconds'])}")
    return lines
