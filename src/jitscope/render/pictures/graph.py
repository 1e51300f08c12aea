"""The recompilation graph: signatures, and what led from one to the next."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jitscope.analysis.graph import recompilation_graph
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.pictures.parts import nothing, shown
from jitscope.render.verdict_words import verdict_text

if TYPE_CHECKING:
    import networkx as nx

_NODES: Final = 40
"""Signatures in one picture: those that took most time, and those that they came from."""
_COLUMNS: Final = 5
"""Recompilations in a row: what comes after them is counted."""
_LINE: Final = 30
_LINES: Final = 4

_Places = dict[str, tuple[int, float]]


def draw_graph(figure: Figure, recording: Recording, report: Report) -> None:
    """Draw signatures as boxes, from left to right as each came from an earlier one; edges name the causes."""
    axes = figure.add_subplot()
    axes.set_title(verdict_text(report))
    whole = recompilation_graph(report)
    graph = _costliest(whole)
    if not graph:
        nothing(axes, "no signatures")
        return
    places = _places(graph)
    graph = graph.subgraph(places)
    deep = max(column for column, _ in places.values()) + 1
    high = max(row for _, row in places.values()) + 1
    figure.set_size_inches(max(9.0, 3.1 * deep), max(2.5, 1.0 + 0.95 * high))
    axes.set_axis_off()
    axes.set_xlim(-0.45, deep - 0.55)
    axes.set_ylim(high - 0.5, -0.6)
    most = max((data["seconds"] for _, data in graph.nodes(data=True)), default=0.0) or 1.0
    for source, target, label in _edges(graph):
        _arrow(axes, places[source], places[target], label)
    for node, data in graph.nodes(data=True):
        _box(axes, places[node], data, data["seconds"] / most)
    hidden = len(whole) - len(graph)
    if hidden:
        axes.annotate(f"{count_text(hidden, 'more signature')} not shown", (0, 0), (0, -4), "axes fraction",
                      textcoords="offset points", va="top")  # fmt: skip


def _costliest(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """The nodes that took most time, and all that lead to them, as far as there is room."""
    order = sorted(graph, key=lambda node: (-graph.nodes[node]["seconds"], node))
    kept: dict[str, None] = {}
    for node in order:
        chain, at = [node], node
        while (before := next(iter(graph.pred[at]), None)) is not None and before not in chain and before not in kept:
            chain.append(before)
            at = before
        if len(kept) + len(chain) <= _NODES:
            kept |= dict.fromkeys(chain)
    return graph.subgraph(kept)


def _places(graph: nx.MultiDiGraph) -> _Places:
    """Column and row of each node: a tree from left to right by the first edge into each, one under the other.

    Nodes beyond the last column have no place.
    """
    inner: dict[str | None, list[str]] = {}
    for node in graph:
        before = next((source for source in graph.pred[node] if source != node), None)
        inner.setdefault(before, []).append(node)
    places: _Places = {}
    free = 0.0

    def place(node: str, column: int) -> float:
        nonlocal free
        places[node] = (column, free)  # before its successors: a circle ends here
        below = [
            place(each, column + 1) for each in inner.get(node, ()) if each not in places and column + 1 < _COLUMNS
        ]
        if not below:
            below = [free]
            free += 1.0
        places[node] = (column, sum(below) / len(below))
        return places[node][1]

    reached: set[str] = set()
    for node in (*inner.get(None, ()), *graph):  # in a circle, none comes first
        if node in reached:
            continue
        place(node, 0)
        following = [node]
        while following:
            one = following.pop()
            if one not in reached:
                reached.add(one)
                following += inner.get(one, ())
    return places


def _edges(graph: nx.MultiDiGraph) -> list[tuple[str, str, str]]:
    """Edges between the same two nodes together, with what caused them."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for source, target, data in graph.edges(data=True):
        found.setdefault((source, target), []).append(data)
    labels: list[tuple[str, str, str]] = []
    for (source, target), edges in found.items():
        causes = ", ".join(dict.fromkeys(edge["causes"] for edge in edges))
        times = f" {len(edges)}×" if len(edges) > 1 else ""
        labels.append((source, target, f"{shown(causes, _LINE)}{times}"))
    return labels


def _box(axes: Axes, place: tuple[int, float], data: dict[str, Any], share: float) -> None:
    text = textwrap.wrap(shown(data["text"], _LINE * _LINES), _LINE)[:_LINES] or ["()"]
    cost = f"{count_text(data['compilations'], 'compile')}, {seconds_text(data['seconds'])}; "
    cost += f"{count_text(data['calls'], 'call')}, {count_text(data['hits'], 'hit')}"
    lines = [shown(data["name"], _LINE), *text, cost]
    axes.text(
        *place, "\n".join(lines), ha="center", va="center", fontsize=6.5, linespacing=1.2,
        bbox={"boxstyle": "round,pad=0.4", "facecolor": (1.0, 1.0 - 0.25 * share, 1.0 - 0.5 * share),
              "edgecolor": "#6b7482", "linewidth": 0.7},
    )  # fmt: skip


def _arrow(axes: Axes, source: tuple[int, float], target: tuple[int, float], label: str) -> None:
    if source == target:
        axes.annotate(f"again: {label}", source, (0, 30), textcoords="offset points", ha="center", fontsize=6.5,
                      color="#b3261e")  # fmt: skip
        return
    axes.annotate("", target, source, arrowprops={"arrowstyle": "->", "color": "#6b7482", "shrinkA": 60, "shrinkB": 60})
    middle = ((source[0] + target[0]) / 2, (source[1] + target[1]) / 2)
    axes.annotate(label, middle, (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=6.5,
                  color="#b3261e")  # fmt: skip
