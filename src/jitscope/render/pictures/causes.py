"""Where compile time goes: seconds by function and cause."""

from __future__ import annotations

from matplotlib.figure import Figure

from jitscope.analysis.fixes import main_cause
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.pictures.parts import CAUSES, groups_of, legend, name_of, nothing, rows
from jitscope.render.verdict_words import verdict_text

_FIRST = "first_compile"
_FIRST_COLOR = "#c6ccd4"


def draw_causes(figure: Figure, recording: Recording, report: Report) -> None:
    """Draw a bar for each function, divided by the main cause of its compilations."""
    axes = figure.add_subplot()
    axes.set_title(verdict_text(report))
    groups, more = groups_of(report)
    groups = [group for group in groups if group.details]
    if not groups:
        nothing(axes, "nothing was compiled")
        return
    spent: dict[str, list[float]] = {}
    for at, group in enumerate(groups):
        for one in group.details:
            kind = main_cause(one.causes).kind if one.causes else "unknown"
            spent.setdefault(kind, [0.0] * len(groups))[at] += one.seconds
    order = sorted(spent, key=lambda one: (one != _FIRST, -sum(spent[one]), one))
    colors = {each: CAUSES[n % len(CAUSES)] for n, each in enumerate(one for one in order if one != _FIRST)}
    colors = {each: colors.get(each, _FIRST_COLOR) for each in order}
    left = [0.0] * len(groups)
    for each in order:
        axes.barh(range(len(groups)), spent[each], 0.5, left, color=colors[each])
        left = [before + seconds for before, seconds in zip(left, spent[each], strict=True)]
    for at, seconds in enumerate(left):
        axes.annotate(
            seconds_text(seconds), (seconds, at), (4, 0), textcoords="offset points", va="center", fontsize=7.5
        )
    rows(figure, axes, [name_of(group) for group in groups], legend=True)
    axes.margins(x=0.08)
    beside = f"; {count_text(more, 'more function')} not shown" if more else ""
    axes.set_xlabel(f"seconds compiling, by the main cause{beside}")
    legend(figure, colors)
