"""A report as Markdown: short, for a pull request or an issue."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.analysis.sizes import sequence_text
from jitscope.model.caching import CACHE_NAMES
from jitscope.model.notation import cut
from jitscope.model.report import Finding, FunctionReport, Report
from jitscope.render.cache_words import told_caches
from jitscope.render.findings import SITES, plan_text, what_text
from jitscope.render.first_words import costliest_text, start_up_line
from jitscope.render.markdown_words import block, code, plain
from jitscope.render.numbers import count_text, ratio_text, seconds_text
from jitscope.render.verdict_words import totals_text, verdict_text

FINDINGS: Final = 5
FUNCTIONS: Final = 8
FIRST_CALLS: Final = 3
NOTES: Final = 4
"""Most of each that are shown without ``all_``."""
_NAME: Final = 80
_TEXT: Final = 300
_COMMAND: Final = 400


def render_markdown(report: Report, *, all_: bool = False) -> str:
    """Write ``report`` as GitHub's Markdown, ended by a newline; at most about 60 lines without ``all_``."""
    lines = [f"**{plain(verdict_text(report))}**", ""]
    if report.totals.compilations:
        lines += [plain(totals_text(report.totals)), ""]
    lines += _findings(report, all_=all_)
    lines += _functions(report, all_=all_)
    lines += _first_calls(report)
    lines += _beside(report)
    lines += _notes(report, all_=all_)
    lines += _how(report)
    return "\n".join(lines) + "\n"


def _findings(report: Report, *, all_: bool) -> list[str]:
    found = report.findings
    if not found:
        return []
    shown = found if all_ else found[:FINDINGS]
    shown = (*shown, *[one for one in found[len(shown) :] if one.kind == "recompile_limit"][: None if all_ else 1])
    functions = {function.id: function for function in report.functions}
    lines = ["### Recompiled, the costliest first", ""]
    for number, one in enumerate(shown, start=1):
        lines += _finding(number, one, [functions[each] for each in one.functions if each in functions])
    rest = [one for one in found if one not in shown]
    if rest:
        lines.append(f"\n{count_text(len(rest), 'more finding')}, {seconds_text(sum(one.seconds for one in rest))}.")
    return [*lines, ""]


def _finding(number: int, one: Finding, functions: Sequence[FunctionReport]) -> list[str]:
    name = code(cut(one.name.rpartition("<locals>.")[2], _NAME))
    place = f" {code(_place(one.file, one.line))}" if one.file else ""
    avoidable = ", avoidable" if one.avoidable_seconds else ""
    what = plain(cut(what_text(one, len(one.compilations), functions), _TEXT))
    lines = [f"{number}. **{seconds_text(one.seconds)}**{avoidable}: {name}{place}: {what}"]
    changes = sequence_text(one.values)
    if changes:
        lines.append(f"   - seen: {code(cut(changes, _TEXT))}")
    if one.sites:
        sites = ", ".join(code(text) for text in dict.fromkeys(site.text for site in one.sites[:SITES]))
        lines.append(f"   - called at {sites}" + (f" and {len(one.sites) - SITES} more" if one.sites[SITES:] else ""))
    if one.fix is not None:
        lines.append(f"   - fix: {plain(cut(one.fix, _TEXT))}")
    if one.plan is not None:
        lines.append(f"   - or: {plain(cut(plan_text(one.plan), _TEXT))}")
    return lines


def _functions(report: Report, *, all_: bool) -> list[str]:
    groups = [group for group in by_source(report.functions) if any(one.calls or one.compilations_detail
              for one in group.members)]  # fmt: skip
    if not groups:
        return []
    shown = groups if all_ else groups[:FUNCTIONS]
    lines = [
        "| function | calls | hits | fallbacks | compilations | compiling | of which again |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_row(group) for group in shown),
    ]
    if len(groups) > len(shown):
        rest = groups[len(shown) :]
        cost = seconds_text(sum(group.compile_seconds for group in rest))
        lines += ["", f"{count_text(len(rest), 'more function')}, {cost} compiling."]
    return [*lines, ""]


def _row(group: SourceGroup) -> str:
    first, members = group.first, group.members
    name = code(cut(first.name, _NAME), cell=True)
    place = code(_place(first.file, first.line), cell=True) if first.file else first.kind
    objects = f" ({count_text(len(members), 'function object')})" if len(members) > 1 else ""
    calls, hits = sum(one.calls for one in members), sum(one.hits for one in members)
    cells = [
        f"{name} {place}{objects}",
        str(calls),
        ratio_text(hits, calls),
        str(sum(one.eager_fallbacks for one in members)),
        str(sum(one.compilations for one in members)),
        seconds_text(group.compile_seconds),
        seconds_text(group.recompile_seconds),
    ]
    return f"| {' | '.join(cells)} |"


def _first_calls(report: Report) -> list[str]:
    """What the longest first calls took, and what came before them."""
    calls = [one for one in report.first_calls if one.complete]
    lines = [
        f"- {seconds_text(one.seconds)} {code(cut(one.name, _NAME))}: {plain(cut(costliest_text(one), _TEXT))}"
        for one in calls[:FIRST_CALLS]
    ]
    if lines and report.start_up:
        lines.append(f"- Before them: {plain(cut(start_up_line(report.start_up[0]), _TEXT))}")
    return ["### First calls", "", *lines, ""] if lines else []


def _beside(report: Report) -> list[str]:
    """What nobody watched, and the caches on disk, a line each."""
    lines = []
    for library, title in ((True, "Eager operations"), (False, "Not watched")):
        operations = [one for one in report.eager_ops if one.library is library]
        if operations:
            count = count_text(sum(one.compilations for one in operations), "compilation")
            cost = seconds_text(sum(one.compile_seconds for one in operations))
            names = ", ".join(code(cut(one.name, 40)) for one in operations[:3])
            more = f" and {len(operations) - 3} more" if operations[3:] else ""
            lines.append(f"- {title}: {count}, {cost}: {names}{more}")
    for one in told_caches(report):
        reasons = [*one.reasons, *(f"not written: {reason}" for reason in one.unwritten)]
        asked = one.hits + one.misses + one.bypassed
        told = [f"found {ratio_text(one.hits, asked)}"] if asked else []
        lines.append(
            f"- {plain(CACHE_NAMES.get(one.name, one.name))}: {plain(cut('; '.join([*told, *reasons[:2]]), _TEXT))}"
        )
    return [*lines, ""] if lines else []


def _notes(report: Report, *, all_: bool) -> list[str]:
    shown = report.notes if all_ else report.notes[:NOTES]
    lines = [f"- Note: {plain(cut(one.text, _TEXT))} ({code(one.slug)})" for one in shown]
    if len(report.notes) > len(shown):
        lines.append(f"- {count_text(len(report.notes) - len(shown), 'more note')}")
    return [*lines, ""] if lines else []


def _how(report: Report) -> list[str]:
    """Versions, and how to get the same report."""
    run = report.run
    several = [count_text(len(run.processes), "process", "processes")] if run.processes else []
    rank = [f"rank {run.rank} of {run.world_size}"] if run.rank is not None and run.world_size else []
    versions = [f"{name} {version}" for name, version in run.versions.items()]
    about = [*versions[:6], *run.devices[:2], *several, *rank, f"run {run.id}"]
    program = shlex.join(run.argv) if run.argv and run.argv[0] not in {"", "-c"} else None
    lines = [" · ".join(plain(cut(text, _NAME)) for text in about), ""]
    if program is not None and len(program) <= _COMMAND:
        lines += block([f"jitscope run {program}", "jitscope report --format markdown"], "sh")
    return lines


def _place(file: str, line: int) -> str:
    return cut(f"{file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}", _NAME)
