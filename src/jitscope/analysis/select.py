"""One function out of a report."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import msgspec

from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.errors import JitscopeError
from jitscope.model.events import Site
from jitscope.model.notation import printable
from jitscope.model.report import FunctionReport, Report

_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+)")
_ID = re.compile(r"f(?P<id>\d+)")
_LISTED = 8
"""Most functions that an error names."""


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
    return msgspec.structs.replace(report, functions=chosen, eager_ops=(), labels=())


def select_source(report: Report, name: str) -> SourceGroup:
    """The functions of the one source that ``name`` fits.

    Args:
        report: the whole report.
        name: a qualified name; where none is that, as for `select_functions`; else the place of a definition
            (``train.py:12``), or an id (``f3``).

    Raises:
        JitscopeError: if it fits no function, or several that are not of one source.
    """
    groups = by_source(report.functions)
    found: list[SourceGroup] = []
    for fits in _WAYS:
        found = [group for group in groups if any(fits(one, name) for one in group.members)]
        if found:
            break
    if not found:
        raise JitscopeError(_unknown(report, name), slug="unknown-function")
    if len(found) > 1:
        shown = [f"{group.first.name} ({_origin(group.first)})" for group in found[:_LISTED]]
        more = f", … {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise JitscopeError(
            f"{name} fits {len(found)} functions: {', '.join(shown)}{more}; name one by its full name, by its place, "
            "or by its id",
            slug="ambiguous-function",
        )
    return found[0]


def selector(report: Report, group: SourceGroup) -> str:
    """The first of name, place and id that selects ``group`` alone, and that a terminal shows as it is."""
    first = group.first
    for text in (first.name, _place(first)):
        if printable(text) != text or not text or "#" in text:
            continue
        try:
            found = select_source(report, text)
        except JitscopeError:
            continue
        if found.first.id == first.id:
            return text
    return f"f{first.id}"


def _called(function: FunctionReport, name: str) -> bool:
    return function.name == name or function.name.endswith(f".{name}") or fnmatchcase(function.name, name)


def _named(function: FunctionReport, name: str) -> bool:
    return function.name == name


def _placed(function: FunctionReport, name: str) -> bool:
    found = _PLACE.fullmatch(name)
    if found is None or int(found["line"]) != function.line or not function.file:
        return False
    file, wanted = function.file.replace("\\", "/"), found["file"].replace("\\", "/").removeprefix("./")
    return file == wanted or file.endswith(f"/{wanted}")


def _numbered(function: FunctionReport, name: str) -> bool:
    found = _ID.fullmatch(name)
    return found is not None and int(found["id"]) == function.id


_WAYS: Sequence[Callable[[FunctionReport, str], bool]] = (_named, _called, _placed, _numbered)
"""How a function can be told, the surest first."""


def _place(function: FunctionReport) -> str:
    return Site(function.file, function.line, function.name).text if function.file else ""


def _origin(function: FunctionReport) -> str:
    """Place and id: ``train.py:12, f3``."""
    return ", ".join(filter(None, (_place(function), f"f{function.id}")))


def _unknown(report: Report, name: str) -> str:
    names = sorted({function.name for function in report.functions})
    if not names:
        return f"no function called {name} in run {report.run.id}: no watched function is in it"
    known = [*names, *(each.rsplit(".", 1)[-1] for each in names)]
    close = _near(report, name) or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = (
        f"did you mean {close[0]}?"
        if close
        else f"there are {', '.join(names[:_LISTED])}{', …' if len(names) > _LISTED else ''}"
    )
    return f"no function called {name} in run {report.run.id}: {hint}"


def _near(report: Report, name: str) -> list[str]:
    """Where ``name`` is a place: that of the function which begins last before it in its file, else of the first."""
    found = _PLACE.fullmatch(name)
    if found is None:
        return []
    line = int(found["line"])
    same = {one.line: _place(one) for one in report.functions if _placed(one, f"{found['file']}:{one.line}")}
    return [same[max((each for each in same if each <= line), default=min(same))]] if same else []
