"""The findings in the text report: what recompiled, how often, what was seen, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jitscope.analysis.sizes import sequence_text
from jitscope.model.notation import cut
from jitscope.model.report import BucketPlan, Finding, FunctionReport, Report
from jitscope.render.numbers import count_text, seconds_text

if TYPE_CHECKING:
    from jitscope.render.page import Page  # rich, which not every format needs

FINDINGS = 5
"""Findings shown without ``all_``."""
PATHS = 3
"""Paths of one finding that are shown."""
SITES = 3
"""Call sites of one finding that are shown."""


def add_findings(page: Page, report: Report, *, all_: bool = False) -> None:
    """Add the costliest findings, then how many more there are and what they cost."""
    found = report.findings
    if not found:
        return
    shown = found if all_ else found[:FINDINGS]
    # Giving up costs little time, and is what the eager calls after it come from.
    shown = (*shown, *[one for one in found[len(shown) :] if one.kind == "recompile_limit"])
    page.blank()
    page.add(("recompiled, the costliest first", "bold"))
    functions = {function.id: function for function in report.functions}
    for number, one in enumerate(shown, start=1):
        _finding(
            page, number, report, one, [functions[identity] for identity in one.functions if identity in functions]
        )
    rest = [one for one in found if one not in shown]
    if rest:
        page.add(
            f"{count_text(len(rest), 'more finding')}, {seconds_text(sum(one.seconds for one in rest))}, with --all"
        )


def _finding(page: Page, number: int, report: Report, one: Finding, functions: Sequence[FunctionReport]) -> None:
    name = one.name.rpartition("<locals>.")[2]
    place = f"{one.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{one.line}" if one.file else ""
    count = len(one.compilations)
    across = len({function.process for function in functions})
    page.add(
        f"{number}. ",
        (seconds_text(one.seconds), "yellow"),
        "  ",
        (name, "bold"),
        f"  {place}  " if place else "  ",
        what_text(one, count, functions),
        f" in {across} processes" if across > 1 else "",
        ("  avoidable", "red") if one.avoidable_seconds else "",
        hang=3,
    )
    changes = sequence_text(one.values)
    sites = ", ".join(dict.fromkeys(site.text for site in one.sites[:SITES]))
    more = f", … {len(one.sites) - SITES} more" if len(one.sites) > SITES else ""
    called = f"called at {sites}{more}" if sites else ""
    line = " · ".join(part for part in (changes, called) if part)
    if line:
        page.add(line, indent=3, hang=2)
    if one.fix is not None:
        page.add(("fix: ", "green"), one.fix, indent=3, hang=2)
    if one.plan is not None:
        processes = report.run.processes
        where = f" (in {processes[one.plan.process].label} alone)" if one.plan.process is not None else ""
        page.add(("or: ", "green"), plan_text(one.plan) + where, indent=3, hang=2)


def what_text(one: Finding, count: int, functions: Sequence[FunctionReport]) -> str:
    """``3 recompilations: batch['x'] (shape)``."""
    match one.kind:
        case "new_function":
            return (
                f"{count_text(count, 'compilation')} of the same source, a new function object each time (new_function)"
            )
        case "recompile_limit":
            eager = sum(function.eager_fallbacks for function in functions)
            ran = f"; {count_text(eager, 'call')} ran without compiled code" if eager else ""
            return f"gave up compiling{ran} (recompile_limit)"
        case "unknown":
            said = f": {cut(one.evidence, 120)}" if one.evidence else ""
            return f"{count_text(count, 'recompilation')}{said} (unknown)"
    more = f", … {len(one.paths) - PATHS} more" if len(one.paths) > PATHS else ""
    what = f"{', '.join(one.paths[:PATHS])}{more} " if one.paths else ""
    also = f", also {', '.join(one.also)}" if one.also else ""
    return f"{count_text(count, 'recompilation')}: {what}({one.kind}{also})"


def plan_text(plan: BucketPlan) -> str:
    """``pad axis 0 of x to 32, 64 or 128: 3 compilations instead of 14 (saves about 8.2 s), 7% padding``."""
    sizes = [str(bucket.size) for bucket in plan.buckets]
    choice = f"{', '.join(sizes[:-1])} or {sizes[-1]}" if len(sizes) > 1 else sizes[0]
    same = f" (and {', '.join(plan.same[:2])}{', …' if len(plan.same) > 2 else ''})" if plan.same else ""
    saved = plan.seconds_before - plan.seconds_after
    count = count_text(len(plan.buckets), "compilation")
    return (
        f"pad axis {plan.axis} of {plan.path}{same} to {choice}: {count} instead of {plan.compilations_before} "
        f"(saves about {seconds_text(saved)}), {plan.padding:.0%} more elements"
    )
