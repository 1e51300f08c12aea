"""One function out of a report."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.report import FunctionReport, Report


def select_functions(report: Report, name: str) -> Report:
    """The report with only the functions called ``name``; totals and notes stay those of the whole run.

    Args:
        report: the whole report.
        name: a qualified name, its last part, or a pattern with ``*``: ``attention``, ``Model.step``, ``*.forward``.

    Raises:
        JitscopeError: if no function of the report is called that.
    """
    chosen = tuple(function for function in report.functions if _called(function, name))
    if not chosen:
        raise JitscopeError(_unknown(report, name), slug="unknown-function")
    return msgspec.structs.replace(report, functions=chosen, eager_ops=())


def _called(function: FunctionReport, name: str) -> bool:
    return function.name == name or function.name.endswith(f".{name}") or fnmatchcase(function.name, name)


def _unknown(report: Report, name: str) -> str:
    names = sorted({function.name for function in report.functions})
    if not names:
        return f"no function called {name} in run {report.run.id}: no watched function is in it"
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = (
        f"did you mean {close[0]}?" if close else f"there are {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
    )
    return f"no function called {name} in run {report.run.id}: {hint}"
