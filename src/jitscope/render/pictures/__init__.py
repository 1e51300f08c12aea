"""Pictures of a report for documents, as SVG or PNG; matplotlib draws them (the extra ``pictures``)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Final, Literal, get_args

import matplotlib.style
from matplotlib.figure import Figure

from jitscope.model.notation import cut, printable
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.pictures.causes import draw_causes
from jitscope.render.pictures.graph import draw_graph
from jitscope.render.pictures.history import draw_history
from jitscope.render.pictures.timeline import draw_timeline

PlotName = Literal["timeline", "history", "causes", "graph"]
PLOTS: Final[tuple[PlotName, ...]] = get_args(PlotName)

_DRAW: Final[dict[PlotName, Callable[[Figure, Recording, Report], None]]] = {
    "timeline": draw_timeline,
    "history": draw_history,
    "causes": draw_causes,
    "graph": draw_graph,
}

# Nothing of the user's matplotlibrc; the same report gives the same file.
_STYLE: Final = {
    "axes.edgecolor": "#6b7482",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "font.size": 9,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "savefig.dpi": 160,
    "svg.fonttype": "none",
    "svg.hashsalt": "jitscope",
    # Names of programs are shown as they are: a dollar sign begins no formula.
    "text.parse_math": False,
    "text.usetex": False,
}


def render_picture(recording: Recording, report: Report, name: PlotName, kind: Literal["svg", "png"]) -> bytes:
    """Draw a plot of ``report``, which is of ``recording``; the same report gives the same bytes.

    Args:
        recording: for the times that a report does not have.
        report: what is shown.
        name: ``timeline`` (compiles by phase), ``history`` (calls in their order), ``causes`` (seconds by function and
            cause) or ``graph`` (signatures, and what led from one to the next).
        kind: the format.
    """
    with matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure = Figure(figsize=(9, 4), layout="constrained")
        _DRAW[name](figure, recording, report)
        output = io.BytesIO()
        title = printable(cut(f"jitscope: {name} of {report.run.id}", 200))
        metadata = (
            {"Title": title, "Creator": None, "Date": None} if kind == "svg" else {"Title": title, "Software": None}
        )
        figure.savefig(output, format=kind, metadata=metadata)
    return output.getvalue()
