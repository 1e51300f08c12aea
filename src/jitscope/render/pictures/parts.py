"""What the pictures share: colours (those of the HTML page), names, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.model.notation import cut, printable
from jitscope.model.report import Report

ROWS: Final = 20
"""Functions in one picture: those that lost most time."""
_NAME: Final = 36

PHASES: Final[Mapping[str, str]] = {
    "trace": "#4477aa",
    "lower": "#66ccee",
    "compile": "#ee7733",
    "cache_read": "#bbbbbb",
    "dynamo": "#4477aa",
    "aot_autograd": "#66ccee",
    "inductor": "#ee7733",
    "codegen": "#aa3377",
    "autotune": "#ccbb44",
    "backward": "#228833",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "hit": "#b9d3ea",
    "compile": "#d5521a",
    "eager_fallback": "#7a2a6b",
    "dispatch_miss": "#ccbb44",
    "python_path": "#8c7a1f",
    "waited": "#777777",
    "error": "#b3261e",
}
OTHER: Final = "#777777"
CAUSES: Final = (
    "#4477aa", "#ee7733", "#228833", "#aa3377", "#66ccee", "#ccbb44", "#b3261e", "#777777", "#7a2a6b", "#8c7a1f",
)  # fmt: skip
"""In turn; an eleventh begins anew."""


def groups_of(report: Report) -> tuple[list[SourceGroup], int]:
    """The source functions to be shown, and how many others were called or compiled."""
    used = [
        group
        for group in by_source(report.functions)
        if any(one.calls or one.compilations_detail for one in group.members)
    ]
    return used[:ROWS], len(used[ROWS:])


def name_of(group: SourceGroup) -> str:
    """``step  train.py:12``."""
    first = group.first
    place = f"{first.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{first.line}" if first.file else first.kind
    return f"{shown(first.name)}\n{shown(place)}"


def shown(text: str, limit: int = _NAME) -> str:
    """Text of a program's on one line, its end kept where it is long: a qualified name differs there."""
    safe = printable(text if len(text) <= 10 * limit else text[: 10 * limit])
    return safe if len(safe) <= limit else f"…{safe[-limit + 1 :]}" if "." in safe[-limit:] else cut(safe, limit)


def rows(figure: Figure, axes: Axes, names: Sequence[str], *, legend: bool) -> None:
    """Name the rows, the first one on top, and make the figure as high as they need."""
    figure.set_figheight(1.3 + 0.42 * max(len(names), 1) + (0.3 if legend else 0.0))
    axes.set_yticks(range(len(names)), names, fontsize=7.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def legend(figure: Figure, entries: Mapping[str, str]) -> None:
    """Name the colours, under the picture."""
    if entries:
        handles = [Patch(color=color, label=label) for label, color in entries.items()]
        figure.legend(handles=handles, loc="outside lower left", ncols=min(len(entries), 7))


def nothing(axes: Axes, text: str) -> None:
    """Say why there is nothing to see."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set_axis_off()
