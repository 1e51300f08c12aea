"""Why caches on disk missed, for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from jitscope.analysis.cache_keys import PROGRAMS
from jitscope.model.caching import CACHE_NAMES
from jitscope.model.misses import Miss, Misses, PartChange
from jitscope.render.numbers import count_text, ratio_text, seconds_text
from jitscope.render.page import Page, terminal_color, terminal_width

MISSES = 8
"""Misses told without ``all_``, the costliest first."""
CHANGES = 6
"""Parts of one key told without ``all_``."""
NAMES = 6
"""Functions that missed for one reason that are named without ``all_``."""


def render_misses(value: Misses, *, all_: bool = False, width: int | None = None, color: bool | None = None) -> str:
    """Write ``value``; arguments as for `render_text`."""
    page = Page(terminal_width() if width is None else width)
    run = value.runs[-1]
    of = f" of {value.function}" if value.function is not None else ""
    page.add(
        ("caches on disk", "bold"),
        f"  run {run}: found {ratio_text(value.hits, value.asked)}{of}",
        hang=2,
    )
    if not value.asked:
        page.add("none was asked: jitscope report says which are off, and why", indent=2, hang=2)
    elif len(value.runs) == 1:
        page.add(("no earlier run is recorded beside it to hold it against", "dim"), indent=2, hang=2)
    groups = _alike(value.misses)
    shown = groups if all_ else groups[:MISSES]
    for group in shown:
        page.blank()
        _miss(page, group, all_=all_)
    if len(groups) > len(shown):
        hidden = sum(len(group) for group in groups[len(shown) :])
        page.blank()
        page.add(f"{count_text(hidden, 'more miss', 'more misses')} with --all")
    page.blank()
    page.add((_next(value), "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def _next(value: Misses) -> str:
    if value.misses and value.function is None:
        name = max(value.misses, key=lambda one: one.seconds or 0.0).function.rpartition("<locals>.")[2]
        return f"jitscope why {shlex.quote(name)} {shlex.quote(value.runs[-1])}"
    return "jitscope cache ls"


def _alike(misses: Sequence[Miss]) -> list[list[Miss]]:
    """Misses for one and the same reason together, the costliest first: a new version changes every key."""
    groups: dict[tuple[object, ...], list[Miss]] = {}
    for one in sorted(misses, key=lambda one: -(one.seconds or 0.0)):
        own = one.key if any(change.part in PROGRAMS for change in one.changes) else None
        groups.setdefault((one.cache, one.kind, one.told, one.against, one.changes, own), []).append(one)
    return list(groups.values())


def _miss(page: Page, group: Sequence[Miss], *, all_: bool) -> None:
    one = group[0]
    title = CACHE_NAMES.get(one.cache, one.cache) + (", backward" if one.backward else "")
    seconds = sum(each.seconds or 0.0 for each in group)
    cost = f"  {seconds_text(seconds)} compiling" if any(each.seconds is not None for each in group) else ""
    names = list(dict.fromkeys(each.function for each in group))
    more = f" and {count_text(len(names) - NAMES, 'more program')}" if len(names) > NAMES and not all_ else ""
    page.add((", ".join(names if all_ else names[:NAMES]) + more, "bold"), f"  {title}{cost}", hang=2)
    page.add((one.told, "yellow"), indent=2, hang=2)
    if one.against is not None:
        page.add((f"against run {one.against}", "dim"), indent=2, hang=2)
    for change in one.changes if all_ else one.changes[:CHANGES]:
        _change(page, change, all_=all_)
    if len(one.changes) > CHANGES and not all_:
        page.add(f"… {count_text(len(one.changes) - CHANGES, 'more part')} with --all", indent=2)


def _change(page: Page, change: PartChange, *, all_: bool) -> None:
    page.add(
        (change.title, "bold"), (f"  {change.part}" if change.part != change.title else "", "dim"), indent=2, hang=2
    )
    if (change.old is not None or change.new is not None) and (all_ or not change.inside):
        page.add(f"{_value(change.old)} → {_value(change.new)}", indent=4, hang=2)
    for line in change.inside:
        page.add(line, indent=4, hang=2)
    if change.fix is not None:
        page.add(("fix: ", "green"), change.fix, indent=4, hang=2)


def _value(text: str | None) -> str:
    return "not there" if text is None else text or "empty"
