"""The report for a notebook: a small piece of HTML, readable on light and on dark.

One element with inline styles: no script, no style sheet, nothing that is fetched. Colours are the notebook's own,
thinned (``currentColor``, ``opacity``), but for the accents, which stand out on both. Everything that comes from the
program is escaped, control and bidirectional characters too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.analysis.sizes import sequence_text
from jitscope.analysis.verdict import verdict_of
from jitscope.model.notation import cut, printable
from jitscope.model.report import CompilationReport, Finding, FunctionReport, Report
from jitscope.render.changes import change_texts
from jitscope.render.findings import plan_text, what_text
from jitscope.render.numbers import count_text, ratio_text, seconds_text, share_text

FUNCTIONS = 8
FINDINGS = 5
COMPILATIONS = 20
"""Shown without ``all_``."""

_LINE = "1px solid rgba(128,128,128,.35)"
_BOX = f"border:{_LINE};border-radius:6px;padding:.6em .9em;max-width:60em;font-size:.92em;line-height:1.45"
_CELL = f"padding:.15em .7em .15em 0;text-align:left;border-bottom:{_LINE};background:none;color:inherit"
_NUMBER = f"padding:.15em 0 .15em .7em;text-align:right;border-bottom:{_LINE};background:none;color:inherit"
_RED = "color:#d9534f;font-weight:600"
_GREEN = "color:#2f9e6b;font-weight:600"
_DIM = "opacity:.65"
_CODE = "font-family:monospace;background:none;color:inherit"


def report_html(report: Report, *, all_: bool = False, quiet: bool = False, title: str = "") -> str:
    """The verdict, the costliest findings, the functions with what compiled them; with ``quiet``, the verdict alone."""
    parts = [_verdict(report, title)]
    if not quiet:
        groups = [group for group in by_source(report.functions) if _used(group)]
        parts += _findings(report, all_=all_)
        parts += _functions(groups, all_=all_)
        parts += [_compilations(group.first.name, group.details, all_=all_) for group in groups if group.details]
        parts += _programs(report)
        parts += [_p(f"note: {note.text} ({note.slug})", _DIM) for note in report.notes]
    return _box(parts)


def function_html(function: FunctionReport) -> str:
    """One function: its numbers, its signatures, its compilations."""
    rows = [
        ("calls", str(function.calls)),
        ("hits", ratio_text(function.hits, function.calls)),
        ("compilations", f"{function.compilations}, {function.recompilations} again"),
        ("compiling", seconds_text(function.compile_seconds)),
        ("state", function.state),
    ]
    parts = [
        f'<div><b>{_text(function.name)}</b> <span style="{_DIM}">{_text(_place(function))}</span></div>',
        _table((), rows),
    ]
    if function.signatures:
        shown = function.signatures[:COMPILATIONS]
        parts.append(_table(("signature", "calls", "hits"), [(s.text, str(s.calls), str(s.hits)) for s in shown]))
    parts.append(_compilations(function.name, function.compilations_detail, all_=False))
    return _box(parts)


def _verdict(report: Report, title: str) -> str:
    verdict, totals = verdict_of(report), report.totals
    parts: list[str] = []
    if not verdict.compilations and not verdict.compiling_seconds:
        parts.append("<b>nothing compiled</b>")
    else:
        share = f" ({share_text(verdict.compiling_share)})" if verdict.compiling_share is not None else ""
        of = f" of {seconds_text(verdict.wall_seconds)}" if verdict.wall_seconds is not None else ""
        parts.append(f"<b>{_text(seconds_text(verdict.compiling_seconds))}{_text(of)} compiling{_text(share)}</b>")
        parts.append(_text(count_text(totals.compilations, "compilation")))
    if totals.recompilations:
        parts.append(f'<span style="{_RED}">{totals.recompilations} again</span>')
    parts.append(_text(f"hits {ratio_text(verdict.hits, verdict.calls)}"))
    lead = f'<span style="{_DIM}">{_text(title)}</span> ' if title else ""
    return f"<div>{lead}{' · '.join(parts)}</div>"


def _findings(report: Report, *, all_: bool) -> Iterable[str]:
    shown = report.findings if all_ else report.findings[:FINDINGS]
    functions = {function.id: function for function in report.functions}
    for one in shown:
        yield _finding(one, [functions[identity] for identity in one.functions if identity in functions])
    if len(report.findings) > len(shown):
        yield _p(f"{count_text(len(report.findings) - len(shown), 'more finding')}", _DIM)


def _finding(one: Finding, functions: Sequence[FunctionReport]) -> str:
    name = one.name.rpartition("<locals>.")[2]
    sites = ", ".join(dict.fromkeys(site.text for site in one.sites[:3]))
    told = _text(what_text(one, len(one.compilations), functions))
    lines = [f'<b>{_text(seconds_text(one.seconds))}</b> <span style="{_CODE}">{_text(name)}</span> {told}']
    seen = " · ".join(part for part in (sequence_text(one.values), f"called at {sites}" if sites else "") if part)
    if seen:
        lines.append(f'<span style="{_CODE};{_DIM}">{_text(seen)}</span>')
    if one.fix is not None:
        lines.append(f'<span style="{_GREEN}">fix:</span> {_text(one.fix)}')
    if one.plan is not None:
        lines.append(f'<span style="{_GREEN}">or:</span> {_text(plan_text(one.plan))}')
    style = "border-left:3px solid #d9534f;padding-left:.7em;margin:.6em 0"
    return f'<div style="{style}">{"<br>".join(lines)}</div>'


def _functions(groups: Sequence[SourceGroup], *, all_: bool) -> Iterable[str]:
    if not groups:
        return
    shown = groups if all_ else groups[:FUNCTIONS]
    heads = ("function", "defined at", "calls", "hits", "compilations", "again", "compiling")
    rows = []
    for group in shown:
        members = group.members
        rows.append(
            (
                group.first.name.rpartition("<locals>.")[2],
                _place(group.first),
                str(sum(one.calls for one in members)),
                str(sum(one.hits for one in members)),
                str(sum(one.compilations for one in members)),
                str(sum(one.recompilations for one in members)),
                seconds_text(group.compile_seconds),
            )
        )
    yield _table(heads, rows, texts=2)
    if len(groups) > len(shown):
        yield _p(f"{count_text(len(groups) - len(shown), 'more function')}", _DIM)


def _compilations(name: str, details: Sequence[CompilationReport], *, all_: bool) -> str:
    if not details:
        return ""
    shown = details if all_ else details[:COMPILATIONS]
    lines: list[str] = []
    for one in shown:
        call = f"call {one.call}" if one.call is not None else "ahead of a call"
        site = f" {one.site.text}" if one.site is not None else ""
        fix = f'<br><span style="{_GREEN}">fix:</span> {_text(one.fix)}' if one.fix is not None else ""
        failed = f'<br><span style="{_RED}">failed:</span> {_text(cut(one.failed))}' if one.failed else ""
        changes = "<br>".join(f'<span style="{_CODE}">{_text(text)}</span>' for text in change_texts(one))
        lines.append(
            f'<li>{_text(call)}<span style="{_DIM}">{_text(site)}</span> '
            f"<b>{_text(seconds_text(one.seconds))}</b><br>{changes}{failed}{fix}</li>"
        )
    more = f'<li style="{_DIM}">{len(details) - len(shown)} more</li>' if len(details) > len(shown) else ""
    what = f"what compiled {name.rpartition('<locals>.')[2]}: {len(details)}"
    return (
        f'<details style="margin:.3em 0"><summary style="cursor:pointer">{_text(what)}</summary>'
        f'<ol style="margin:.3em 0;padding-left:1.8em">{"".join(lines)}{more}</ol></details>'
    )


def _programs(report: Report) -> Iterable[str]:
    for title, library in (("not watched", False), ("eager operations", True)):
        found = [one for one in report.eager_ops if one.library == library]
        if found:
            names = ", ".join(f"{cut(one.name, 40)} {one.compilations}×" for one in found[:4])
            more = f", … {len(found) - 4} more" if len(found) > 4 else ""
            count = count_text(sum(one.compilations for one in found), "compilation")
            yield _p(
                f"{title}: {count}, {seconds_text(sum(one.compile_seconds for one in found))}: {names}{more}", _DIM
            )


def _used(group: SourceGroup) -> bool:
    return any(one.calls or one.nested_calls or one.compilations_detail for one in group.members)


def _place(function: FunctionReport) -> str:
    file = function.file.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{file}:{function.line}" if file else function.kind


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table whose first ``texts`` columns are text, and the others numbers."""

    def row(cells: Sequence[str], tag: str) -> str:
        made = [
            f'<{tag} style="{_CELL if n < texts else _NUMBER}">{_text(cell)}</{tag}>' for n, cell in enumerate(cells)
        ]
        return f'<tr style="background:none">{"".join(made)}</tr>'

    head = row(heads, "th") if heads else ""
    body = "".join(row(cells, "td") for cells in rows)
    return f'<table style="border-collapse:collapse;margin:.5em 0;color:inherit">{head}{body}</table>'


def _p(text: str, style: str = "") -> str:
    return f'<div style="{style}">{_text(text)}</div>'


def _box(parts: Iterable[str]) -> str:
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
