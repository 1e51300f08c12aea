"""The report for a terminal: the verdict, then what cost most, then what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.analysis.strip import fates
from jitscope.model.events import ProcessInfo
from jitscope.model.notation import cut
from jitscope.model.report import EagerOp, Report
from jitscope.render.cache_words import told_caches
from jitscope.render.caching import add_caches
from jitscope.render.changes import add_compilation
from jitscope.render.findings import add_findings
from jitscope.render.first_call import add_first_calls
from jitscope.render.first_words import start_up_line
from jitscope.render.labels import add_labels
from jitscope.render.numbers import count_text, ratio_text, seconds_text
from jitscope.render.page import Page, terminal_color, terminal_width
from jitscope.render.strips import legend, strip_of
from jitscope.render.verdict_words import context_texts, totals_text, verdict_parts, verdict_text

FUNCTIONS = 5
"""Functions shown without ``all_``."""
COMPILATIONS = 3
"""First compilations, and failed ones, of one function shown without ``all_``."""
FIRST_CALLS = 3
"""First calls shown: the longest."""
NAMES = 4
"""Names of eager operations shown."""


def render_text(
    report: Report,
    *,
    width: int | None = None,
    color: bool | None = None,
    all_: bool = False,
    source: str | None = None,
) -> str:
    """Write ``report`` as lines of at most ``width`` columns (default: the terminal's).

    ``color`` is decided by the terminal and ``NO_COLOR`` where it is None. ``all_`` shows every function
    and every compilation. ``source`` is the recording's path, for the command in the last
    line; without it the report is of a running program, and the line says how to keep it.
    """
    page = Page(terminal_width() if width is None else width)
    _verdict(page, report)
    _context(page, report)
    add_findings(page, report, all_=all_)
    groups = [group for group in by_source(report.functions) if _used(group)]
    shown = groups if all_ else groups[:FUNCTIONS]
    hidden = 0
    if shown:
        signs = legend(fates(member.history) for group in shown for member in group.members)
        page.blank()
        page.add(("functions", "bold"), (f"  calls in their order: {signs}" if signs else "", "dim"), hang=2)
    for number, group in enumerate(shown, start=1):
        if number > 1:
            page.blank()
        hidden += _function(page, number, group, report.run.processes, all_=all_)
    add_labels(page, report, all_=all_)
    _first_calls(page, report)
    unused = [group.first.name for group in by_source(report.functions) if not _used(group)]
    if report.eager_ops or told_caches(report) or unused:
        page.blank()
    _eager(page, [op for op in report.eager_ops if op.library], "eager operations")
    _eager(page, [op for op in report.eager_ops if not op.library], "not watched")
    if unused:
        more_names = f", … {len(unused) - NAMES} more" if len(unused) > NAMES and not all_ else ""
        page.add(("never called: ", "bold"), ", ".join(unused if all_ else unused[:NAMES]) + more_names, hang=2)
    add_caches(page, report)
    if report.notes:
        page.blank()
    for note in report.notes:
        page.add(("note: ", "yellow"), note.text, (f" ({note.slug})", "dim"), hang=2)
    page.blank()
    more = [
        count_text(count, noun)
        for count, noun in ((hidden, "more compilation"), (len(groups) - len(shown), "more function"))
        if count
    ]
    if more:
        page.add(f"{' and '.join(more)} with --all")
    page.add((_next_command(report, source), "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def _first_calls(page: Page, report: Report) -> None:
    """Where the longest first calls went, where that was recorded."""
    calls = [one for one in report.first_calls if one.complete][:FIRST_CALLS]
    if not calls:
        return
    page.blank()
    page.add(("first calls", "bold"), " · jitscope first shows them step by step")
    add_first_calls(page, calls, processes=len(report.start_up) > 1)
    for one in report.start_up[:1]:
        page.add(f"before them: {start_up_line(one)}", indent=2, hang=2)


def verdict_line(report: Report) -> str:
    """The first line of the report, however long."""
    return verdict_text(report)


def _used(group: SourceGroup) -> bool:
    return any(one.calls or one.nested_calls or one.compilations_detail for one in group.members)


def _verdict(page: Page, report: Report) -> None:
    page.add(*verdict_parts(report), hang=2)


def _context(page: Page, report: Report) -> None:
    if report.totals.compilations:
        page.add(totals_text(report.totals), hang=2)
    page.add((" · ".join(context_texts(report.run)), "dim"), hang=2)


def _function(page: Page, number: int, group: SourceGroup, processes: Sequence[ProcessInfo], *, all_: bool) -> int:
    """Add one function; the result is how many of its compilations were left out."""
    first = group.first
    place = f"{first.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{first.line}" if first.file else first.kind
    state = first.state if len(group.members) == 1 else f"{len(group.members)} function objects"
    if len(group.processes) > 1:
        state = f"in {len(group.processes)} processes" + (
            f", {state}" if len(group.members) > len(group.processes) else ""
        )
    cost = f"{seconds_text(group.compile_seconds)} compiling" if group.details else "nothing compiled"
    if group.recompile_seconds:
        cost = f"{seconds_text(group.recompile_seconds)} recompiling of {cost}"
    style = _STATE_STYLES.get(state, "")
    page.add(f"{number}. ", (first.name, "bold"), f"  {place}  ", (state, style), f"  {cost}", hang=3)
    page.add(_counts(group), indent=3, hang=2)
    _strip(page, group)
    if phases := _phases(group):
        page.add(("phases ", "dim"), phases, indent=3, hang=2)
    for family in group.families:
        size = f"{count_text(family.signatures, 'signature')} · {seconds_text(family.compile_seconds)}"
        page.add(("family ", "dim"), f"{family.text} · {size}", indent=3, hang=2)
    details = group.details
    firsts = [one for one in details if not one.recompile and one.failed is None and one.layers[-1:] == ("compile",)]
    if all_:
        kept = list(details)
    else:
        # Recompilations are told as findings; what failed for another reason than the limit is told nowhere else.
        failed = [
            one
            for one in details
            if one.failed is not None and not any(cause.kind == "recompile_limit" for cause in one.causes)
        ]
        chosen = {one.id for one in (*firsts[:COMPILATIONS], *failed[:COMPILATIONS])}
        kept = [one for one in details if one.id in chosen]
    fix: str | None = None
    labels = {
        one.id: processes[member.process].label
        for member in group.members
        if member.process is not None and member.process < len(processes)
        for one in member.compilations_detail
    }
    for one in kept:
        process = labels.get(one.id)
        add_compilation(page, one, fix_shown=fix, all_=all_, program=first.kind == "region", process=process)
        fix = one.fix or fix
    return len(details) - len(kept)


_STATE_STYLES = {"polymorphic": "yellow", "megamorphic": "red", "thrashing": "bold red"}

_OUTCOMES = (
    ("dispatch_misses", "dispatch miss", "dispatch misses"),
    ("eager_fallbacks", "eager fallback", None),
    ("python_path_calls", "call through Python", "calls through Python"),
    ("waited_calls", "call waited", "calls waited"),
    ("failed_calls", "failed call", None),
    ("nested_calls", "nested call", None),
)


def _counts(group: SourceGroup) -> str:
    members = group.members
    hits, calls = sum(one.hits for one in members), sum(one.calls for one in members)
    parts = [
        count_text(calls, "call"),
        f"hits {ratio_text(hits, calls)}",
        count_text(sum(one.compilations for one in members), "compilation"),
    ]
    for field, noun, plural in _OUTCOMES:
        count = sum(getattr(one, field) for one in members)
        if count:
            parts.append(count_text(count, noun, plural))
    return " · ".join(parts)


def _strip(page: Page, group: SourceGroup) -> None:
    room = page.width - 3 - len("calls  ")
    calls, each = strip_of(group.members, room)
    shared = ""
    if each > 1:
        shared = f"  {each} calls a sign, the worst shown"
        calls, each = strip_of(group.members, room - len(shared) - 2)
        shared = f"  {each} calls a sign, the worst shown"
    if calls:
        page.add(("calls  ", "dim"), calls, (shared, "dim"), indent=3, wrap=False)


def _phases(group: SourceGroup) -> str:
    phases: dict[str, float] = {}
    for one in group.members:
        for name, seconds in one.phases.items():
            phases[name] = phases.get(name, 0.0) + seconds
    return ", ".join(f"{name} {seconds_text(seconds)}" for name, seconds in phases.items())


def _eager(page: Page, operations: Sequence[EagerOp], title: str) -> None:
    if not operations:
        return
    names = ", ".join(f"{cut(op.name, 40)} {op.compilations}×" for op in operations[:NAMES])
    more = f", … {len(operations) - NAMES} more" if len(operations) > NAMES else ""
    page.add(
        (f"{title}: ", "bold"),
        f"{count_text(sum(op.compilations for op in operations), 'compilation')}, "
        f"{seconds_text(sum(op.compile_seconds for op in operations))}: {names}{more}",
        hang=2,
    )


def _next_command(report: Report, source: str | None) -> str:
    if source is not None and report.findings:
        name = report.findings[0].name.rpartition("<locals>.")[2]
        return f"jitscope why {shlex.quote(name)} {shlex.quote(source)}"
    if source is None:
        return 'to keep it: with jitscope.record("run.jsonl"): ..., then jitscope report run.jsonl'
    return f"jitscope report {shlex.quote(source)} --format json"
