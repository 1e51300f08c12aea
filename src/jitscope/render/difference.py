"""Two runs compared, for a terminal: the verdict, what it is worth, the numbers, then what changed."""

from __future__ import annotations

import shlex

from jitscope.model.difference import FunctionChange, RunDifference, Status
from jitscope.render.difference_words import (
    cause_text,
    function_text,
    number_rows,
    place_text,
    program_cost,
    program_text,
    side_text,
    verdict_text,
)
from jitscope.render.numbers import count_text
from jitscope.render.page import Page, terminal_color, terminal_width

FUNCTIONS = 6
PROGRAMS = 5
CAUSES = 8
"""Most of each that are shown without ``all_``."""

_MARKS: dict[Status, tuple[str, str]] = {
    "new": ("new   ", "red"),
    "gone": ("gone  ", "green"),
    "changed": ("other ", "yellow"),
    "same": ("      ", ""),
}


def render_difference(
    value: RunDifference,
    *,
    width: int | None = None,
    color: bool | None = None,
    all_: bool = False,
    source: str | None = None,
) -> str:
    """Write ``value`` as lines of at most ``width`` columns; ``width``, ``color`` and ``all_`` as for `render_text`.

    ``source`` is B's recording, for the command in the last line; None where it is several.
    """
    page = Page(terminal_width() if width is None else width)
    page.add((verdict_text(value), "bold"), hang=2)
    if value.caveats:
        lead = "not comparable" if value.comparable == "no" else "comparable only in part"
        page.add((f"{lead}: ", "yellow"), "; ".join(one.text for one in value.caveats), hang=2)
    page.add(("A  ", "bold"), (side_text(value.before), "dim"), hang=3)
    page.add(("B  ", "bold"), (side_text(value.after), "dim"), hang=3)
    page.blank()
    rows = number_rows(value)
    wide, first = (max(len(row[column]) for row in rows) for column in (0, 1))
    page.add((f"{'':{wide}}  {'A':{first}}  B", "dim"), wrap=False)
    for name, before, after in rows:
        page.add((f"{name:{wide}}  ", "dim"), f"{before:{first}}  {after}", wrap=False)
    _functions(page, value, all_=all_)
    _causes(page, value, all_=all_)
    page.blank()
    page.add((_next(value, source), "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def _functions(page: Page, value: RunDifference, *, all_: bool) -> None:
    changed = [one for one in value.functions if one.status != "same"]
    shown = changed if all_ else changed[:FUNCTIONS]
    if changed:
        page.blank()
        page.add(("functions that changed", "bold"))
    for number, one in enumerate(shown, start=1):
        _function(page, number, one, all_=all_)
    if len(changed) > len(shown):
        page.add(f"{count_text(len(changed) - len(shown), 'more function')} with --all")
    same = [one for one in value.functions if one.status == "same"]
    if same:
        page.blank()
        names = ", ".join(one.name.rpartition("<locals>.")[2] for one in (same if all_ else same[:FUNCTIONS]))
        more = f", … {len(same) - FUNCTIONS} more" if len(same) > FUNCTIONS and not all_ else ""
        page.add(("unchanged: ", "bold"), names + more, hang=2)


def _function(page: Page, number: int, one: FunctionChange, *, all_: bool) -> None:
    state = {"new": "only in B", "gone": "only in A"}.get(one.status, "")
    page.add(
        f"{number}. ",
        (one.name, "bold"),
        f"  {place_text(one)}",
        (f"  {state}" if state else "", _MARKS[one.status][1]),
        hang=3,
    )
    page.add(function_text(one), indent=3, hang=2)
    names = {each.program for each in one.compilations}
    shown = one.compilations if all_ else one.compilations[:PROGRAMS]
    for each in shown:
        text, style = _MARKS[each.status]
        page.add((text, style), f"{program_text(each, program=len(names) > 1)}  ", program_cost(each), indent=3, hang=6)
    if len(one.compilations) > len(shown):
        page.add(f"… {len(one.compilations) - len(shown)} more with --all", indent=3)
    if one.unchanged and one.compilations:
        page.add((f"{count_text(one.unchanged, 'other')} as before", "dim"), indent=3)


def _causes(page: Page, value: RunDifference, *, all_: bool) -> None:
    shown = value.causes if all_ else value.causes[:CAUSES]
    if not shown:
        return
    page.blank()
    page.add(("causes", "bold"))
    for one in shown:
        text, style = _MARKS[one.status]
        page.add((text, style), cause_text(one), indent=2, hang=6)
    if len(value.causes) > len(shown):
        page.add(f"{count_text(len(value.causes) - len(shown), 'more cause')} with --all")


def _next(value: RunDifference, source: str | None) -> str:
    where = f" {shlex.quote(source)}" if source is not None else ""
    again = [one for one in value.functions if one.after is not None and one.after.recompilations]
    if source is not None and again:
        worst = max(again, key=lambda one: one.after.recompile_seconds if one.after is not None else 0.0)
        return f"jitscope why {shlex.quote(worst.name.rpartition('<locals>.')[2])}{where}"
    return f"jitscope report{where}" if source is not None else "jitscope ls"
