"""First calls in the page's document: calls as one table, the parts of all of them as another. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from jitscope.analysis.costliest import costliest
from jitscope.analysis.first_call import first_calls
from jitscope.model.first_call import Part
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.html.pack import Values, table

_PARTS = ("parts", "later")


def first_data(recording: Recording, report: Report, values: Values) -> dict[str, Any]:
    """The first calls of all functions in ``report``, the longest first; the report itself has only a few of them.

    Parts are told in the order of a walk through their tree, each with its depth. ``shown`` says how many of the calls
    are of the page's functions, ``report`` where those are that the report has.
    """
    functions = {one.id for one in report.functions}
    calls = [one for one in first_calls(recording).calls if one.function in functions]
    shown = len(calls)
    positions = []
    for one in report.first_calls:
        if one not in calls:
            calls.append(one)
        positions.append(calls.index(one))
    rows, parts = [], []
    for position, one in enumerate(calls):
        plain = msgspec.to_builtins(one)
        for name in _PARTS:
            plain.pop(name)
            parts += [
                {"call": position, "later": name == "later", **row} for row in _walked(getattr(one, name), depth=0)
            ]
        rows.append({**plain, "costliest": [list(each) for each in costliest(one)]})
    return {"calls": table(rows, values), "parts": table(parts, values), "shown": shown, "report": positions}


def _walked(parts: Sequence[Part], depth: int) -> Iterator[dict[str, Any]]:
    for part in parts:
        yield {
            "depth": depth,
            "name": part.name,
            "label": part.label,
            "start": part.start,
            "seconds": part.seconds,
            "own": part.own,
            "count": part.count,
            "program": part.program,
        }
        yield from _walked(part.parts, depth + 1)
