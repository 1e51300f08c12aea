"""The document in the page: the JSON report, and what its views need besides, packed into columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from jitscope.analysis.graph import call_graph, recompilation_graph
from jitscope.analysis.index import index_events
from jitscope.analysis.signature_table import SignatureTable, signature_table
from jitscope.analysis.timeline import timeline_of
from jitscope.model.events import SignatureEvent
from jitscope.model.recording import Recording
from jitscope.model.report import FunctionReport, Report
from jitscope.render.html.first import first_data
from jitscope.render.html.pack import Values, table
from jitscope.version import __version__

_LIBRARY = re.compile(r"[\\/](?:site-packages|dist-packages|lib[\\/]python\d[.\d]*)[\\/]|^<frozen ", re.IGNORECASE)
_INNER = ("signatures", "history", "compilations_detail")
"""Fields of a function with many rows: each is one table over all functions."""


def page_data(recording: Recording, report: Report) -> dict[str, Any]:
    """The document, as plain JSON values.

    Args:
        recording: what the report is of.
        report: all of it, or a part (`select_functions`): the page shows what is in it.
    """
    values = Values()
    return {
        "jitscope": __version__,
        "report": _report(report, values),
        "first": first_data(recording, report, values),
        "timeline": _timeline(recording, report, values),
        "graphs": _graphs(report, values),
        "signatures": [_signature_table(one, values) for one in _signature_tables(recording, report)],
        "library": [one.id for one in report.functions if _LIBRARY.search(one.file)],
        "source": _source(recording, report, values),
        "values": values.found,
    }


def _source(recording: Recording, report: Report, values: Values) -> dict[str, Any]:
    """Lines around the call sites that the report names."""
    found = [one.site for function in report.functions for one in function.compilations_detail]
    found += [site for op in report.eager_ops for site in op.sites]
    sites = {(site.file, site.line) for site in found if site is not None}
    kept = [one for one in index_events(recording).source if (one.file, one.line) in sites]
    return table(
        [{"file": one.file, "line": one.line, "first": one.first, "lines": list(one.lines)} for one in kept], values
    )


def _report(report: Report, values: Values) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(report)
    functions = plain.pop("functions")
    inner: dict[str, list[dict[str, Any]]] = {name: [] for name in _INNER}
    for function in functions:
        for name in _INNER:
            inner[name] += [{"function": function["id"], **row} for row in function.pop(name)]
    lookups = [
        {"compilation": row["id"], **lookup} for row in inner["compilations_detail"] for lookup in row.pop("caches")
    ]
    plain.pop("first_calls")  # they are among those of `first_data`
    return {
        **plain,
        "findings": table(plain["findings"], values),
        "eager_ops": table(plain["eager_ops"], values),
        "functions": table(functions, values),
        "lookups": table(lookups, values),
        **{name: table(rows, values) for name, rows in inner.items()},
    }


def _timeline(recording: Recording, report: Report, values: Values) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(timeline_of(recording, report))
    return {name: table(rows, values) if isinstance(rows, list | tuple) else rows for name, rows in plain.items()}


def _graphs(report: Report, values: Values) -> dict[str, Any]:
    graphs = {"recompilation": recompilation_graph(report), "calls": call_graph(report)}
    return {
        name: {
            "nodes": table([{"id": node, **fields} for node, fields in graph.nodes(data=True)], values),
            "edges": table(
                [{"source": source, "target": target, **fields} for source, target, fields in graph.edges(data=True)],
                values,
            ),
        }
        for name, graph in graphs.items()
    }


def _signature_tables(recording: Recording, report: Report) -> list[SignatureTable]:
    index = index_events(recording)
    return [
        signature_table(function.id, known)
        for function in report.functions
        if (known := _events_of(function, index.signatures))
    ]


def _events_of(function: FunctionReport, known: dict[int, SignatureEvent]) -> Sequence[SignatureEvent]:
    return [known[one.id] for one in function.signatures if one.id in known]


def _signature_table(one: SignatureTable, values: Values) -> dict[str, Any]:
    """Its rows as a table with a column for each path, by the path's position."""
    cells = [{"signature": row.signature, **{str(n): value for n, value in enumerate(row.values)}} for row in one.rows]
    return {
        "function": one.function,
        "paths": [values.add(path) for path in one.paths],
        "cells": table(cells, values),
        "same": table([{"path": each.path, "text": each.text} for each in one.same], values),
        "more_paths": one.more_paths,
        "more_same": one.more_same,
    }
