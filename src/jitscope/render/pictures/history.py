"""The calls of each function in their order."""

from __future__ import annotations

from matplotlib.figure import Figure

from jitscope.analysis.strip import WORST, columns, fates
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.numbers import count_text
from jitscope.render.pictures.parts import OTHER, OUTCOMES, groups_of, legend, name_of, nothing, rows
from jitscope.render.strips import WORDS
from jitscope.render.verdict_words import verdict_text

_COLUMNS = 400
"""Columns of a strip: of more calls several share one, which shows the worst of them."""
_APART = 80
"""Columns up to which each is drawn apart from its neighbours."""


def draw_history(figure: Figure, recording: Recording, report: Report) -> None:
    """Draw a strip for each function, its calls from left to right, all strips as wide as the longest."""
    axes = figure.add_subplot()
    axes.set_title(verdict_text(report))
    groups, more = groups_of(report)
    calls = [[fate for one in group.members for fate in fates(one.history)] for group in groups]
    if not any(calls):
        nothing(axes, "no calls")
        return
    spans: dict[tuple[int, str], list[tuple[int, int]]] = {}
    shared = 1
    strips = []
    for at, history in enumerate(calls):
        found, each = columns(history, _COLUMNS)
        strips.append(found)
        shared = max(shared, each)
        begun = 0
        for one in found:
            known = spans.setdefault((at, one.outcome), [])
            if known and sum(known[-1]) == begun and len(found) > _APART:
                known[-1] = (known[-1][0], known[-1][1] + one.count)
            else:
                known.append((begun, one.count))
            begun += one.count
    for (at, outcome), found_spans in spans.items():
        color = OUTCOMES.get(outcome, OTHER)
        few = max(len(history) for history in strips) <= _APART
        # Where there are many, what is narrower than a pixel is seen all the same, by its edge.
        edge, width = ("white", 1.0) if few else (color, 0.0 if outcome == "hit" else 0.6)
        axes.broken_barh(found_spans, (at - 0.3, 0.6), facecolor=color, edgecolor=edge, linewidth=width,
                         zorder=1 if outcome == "hit" else 2)  # fmt: skip
    met = {outcome for _, outcome in spans}
    rows(figure, axes, [name_of(group) for group in groups], legend=True)
    axes.set_xlim(0, max(sum(one.count for one in history) for history in calls))
    notes = [f"up to {shared} calls share a column, which shows the worst of them"] if shared > 1 else []
    if any(len(group.members) > 1 for group in groups):
        notes.append("several function objects of one source one after another")
    if more:
        notes.append(f"{count_text(more, 'more function')} not shown")
    axes.set_xlabel("; ".join(["calls in their order", *notes]))
    legend(figure, {WORDS[outcome]: OUTCOMES.get(outcome, OTHER) for outcome in WORST if outcome in met})
