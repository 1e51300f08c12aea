"""The compilations of each function over the run, by phase."""

from __future__ import annotations

from matplotlib.figure import Figure

from jitscope.analysis.timed import TimedCompilation, timed_compilations
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.numbers import count_text
from jitscope.render.pictures.parts import OTHER, PHASES, groups_of, legend, name_of, nothing, rows
from jitscope.render.verdict_words import verdict_text

_EAGER = "eager operations"
_UNWATCHED = "not watched"


def draw_timeline(figure: Figure, recording: Recording, report: Report) -> None:
    """Draw compiles as blocks by phase, a row for each function; a mark above a block is a recompilation."""
    axes = figure.add_subplot()
    axes.set_title(verdict_text(report))
    compilations = timed_compilations(recording, report)
    if not compilations:
        nothing(axes, "nothing was compiled")
        return
    groups, more = groups_of(report)
    row = {one.id: n for n, group in enumerate(groups) for one in group.members}
    names = [name_of(group) for group in groups]
    for name, library in ((_EAGER, True), (_UNWATCHED, False)):
        if any(one.function is None and one.library is library for one in compilations):
            names.append(name)
    blocks: dict[tuple[int, str], list[tuple[float, float]]] = {}
    again: list[tuple[float, int]] = []
    for one in compilations:
        at = _row(one, row, names)
        if at is None:
            continue
        for phase in (*one.phases, *one.late):
            blocks.setdefault((at, phase.name), []).append((phase.start, phase.seconds))
        if one.recompile:
            again.append((one.start, at))
    for (at, name), spans in blocks.items():
        color = PHASES.get(name, OTHER)
        # With an edge: what is narrower than a pixel is seen all the same.
        axes.broken_barh(spans, (at - 0.25, 0.5), facecolor=color, edgecolor=color, linewidth=0.6)
    if again:
        times, places = [time for time, _ in again], [at - 0.36 for _, at in again]
        axes.plot(times, places, linestyle="none", marker="v", markersize=3.5, color="#b3261e", clip_on=False)
    used = {name: PHASES.get(name, OTHER) for name in dict.fromkeys(name for _, name in blocks)}
    rows(figure, axes, names, legend=True)
    end = max([report.run.wall_seconds or 0.0, *(one.end for one in compilations)])
    axes.set_xlim(0, end or 1)
    beside = f"; {count_text(more, 'more function')} not shown" if more else ""
    axes.set_xlabel(f"seconds since the start{'; ▾ compiled again' if again else ''}{beside}")
    legend(figure, used)


def _row(one: TimedCompilation, row: dict[int, int], names: list[str]) -> int | None:
    if one.function is not None:
        return row.get(one.function)
    return names.index(_EAGER if one.library else _UNWATCHED)
