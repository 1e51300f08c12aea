"""The forms that ``jitscope report`` writes, by name and by the ending of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jitscope.commands.choose import Run
from jitscope.errors import JitscopeError
from jitscope.model.notation import printable
from jitscope.model.report import Report

TABLE_NAMES: Final = ("compilations", "functions", "signatures", "findings")
PLOT_NAMES: Final = ("timeline", "history", "causes", "graph")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form is made of."""

    run: Run
    report: Report
    all_: bool
    file: bool
    """It is for a file, not for a terminal."""
    table: str | None = None
    plot: str | None = None


# A renderer is imported when it is used: rich takes longer than all the rest.


def _text(wanted: Wanted) -> str:
    from jitscope.render.text import render_text

    color, width = (False, 80) if wanted.file else (None, None)
    return render_text(wanted.report, source=wanted.run.source, all_=wanted.all_, color=color, width=width)


def _json(wanted: Wanted) -> str:
    from jitscope.render.json import render_json

    return render_json(wanted.report)


def _html(wanted: Wanted) -> str:
    from jitscope.render.html.page import render_html

    return render_html(wanted.run.recording, wanted.report)


def _markdown(wanted: Wanted) -> str:
    from jitscope.render.markdown import render_markdown

    return render_markdown(wanted.report, all_=wanted.all_)


def _csv(wanted: Wanted) -> str:
    from jitscope.render.csv import render_csv
    from jitscope.render.tables import TABLES

    name = next(one for one in TABLES if one == (wanted.table or TABLE_NAMES[0]))
    return render_csv(wanted.run.recording, wanted.report, name)


def _perfetto(wanted: Wanted) -> str:
    from jitscope.render.perfetto import render_perfetto

    return render_perfetto(wanted.run.recording, wanted.report)


def _graphml(wanted: Wanted) -> str:
    from jitscope.render.graph import render_graph

    return render_graph(wanted.report, "both", "graphml")


def _dot(wanted: Wanted) -> str:
    from jitscope.render.graph import render_graph

    return render_graph(wanted.report, "both", "dot")


def _graph_json(wanted: Wanted) -> str:
    from jitscope.render.graph import render_graph

    return render_graph(wanted.report, "both", "json")


def _svg(wanted: Wanted) -> bytes:
    return _picture(wanted, "svg")


def _png(wanted: Wanted) -> bytes:
    return _picture(wanted, "png")


def _picture(wanted: Wanted, kind: str) -> bytes:
    try:
        from jitscope.render.pictures import PLOTS, render_picture
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise JitscopeError(
            "pictures are drawn by matplotlib, which is not installed: pip install 'jitscope[pictures]'",
            slug="no-matplotlib",
        ) from None
    name = next(one for one in PLOTS if one == (wanted.plot or PLOT_NAMES[0]))
    return render_picture(wanted.run.recording, wanted.report, name, "svg" if kind == "svg" else "png")


FORMS: Final[dict[str, Callable[[Wanted], str | bytes]]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
    "csv": _csv,
    "perfetto": _perfetto,
    "svg": _svg,
    "png": _png,
    "graphml": _graphml,
    "dot": _dot,
    "graph-json": _graph_json,
}

_SUFFIXES: Final = {
    ".perfetto.json": "perfetto",
    ".pftrace": "perfetto",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".svg": "svg",
    ".png": "png",
    ".graphml": "graphml",
    ".dot": "dot",
    ".gv": "dot",
}
"""The first that fits counts."""


def form_of(path: Path) -> str:
    """The form that a file's ending stands for, ``text`` where it stands for none."""
    name = path.name.lower()
    return next((form for suffix, form in _SUFFIXES.items() if name.endswith(suffix)), "text")


def hint_of(form: str, path: Path) -> str | None:
    """What to do with a file of this form, where that is not plain."""
    return (
        f"open {printable(str(path))} in https://ui.perfetto.dev; it stays on this machine"
        if form == "perfetto"
        else None
    )
