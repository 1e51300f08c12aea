"""The anatomy of first calls for a terminal: a waterfall of one call, or a list of all."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.parts import seconds_together
from jitscope.model.events import Site
from jitscope.model.first_call import EagerPrograms, FirstCall, FirstCalls, Measured, StartUp
from jitscope.model.notation import cut
from jitscope.render.first_words import costliest_text
from jitscope.render.numbers import count_text, seconds_text, share_text
from jitscope.render.page import Page, terminal_color, terminal_width
from jitscope.render.waterfall import Waterfall

NAMES = 5
"""Programs compiled by themselves that are listed without ``all_``."""
CALLS = 10
"""First calls that are listed without ``all_``."""


def render_first_call(
    one: FirstCall,
    start_up: StartUp | None,
    *,
    width: int | None = None,
    color: bool | None = None,
    all_: bool = False,
    command: str | None = None,
) -> str:
    """Write one call as lines of at most ``width`` columns (default: the terminal's).

    ``start_up`` is what came before, where it was the first one of its process. ``command`` is written last.
    """
    page = Page(terminal_width() if width is None else width)
    _head(page, one)
    page.blank()
    Waterfall(page, one.seconds, all_=all_).write(one.parts, one.not_attributed, _rest(one))
    for part in one.later:
        page.add(f"later: {part.label} {seconds_text(part.seconds)}, outside of this call", hang=2)
    _programs(page, one.eager_ops, "compiled by themselves inside", all_=all_)
    if start_up is not None:
        add_start_up(page, start_up, all_=all_)
    elif one.eager_before:
        _programs(page, one.eager_before, "compiled by themselves before", all_=all_)
    page.blank()
    if one.measured is not None:
        _measured(page, one.measured)
    for text in one.advice:
        page.add(("do: ", "bold green"), text, hang=4)
    for note in one.notes:
        page.add(("note: ", "yellow"), note.text, (f" ({note.slug})", "dim"), hang=2)
    if command is not None:
        page.add((command, "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def render_first_calls(
    found: FirstCalls,
    *,
    width: int | None = None,
    color: bool | None = None,
    all_: bool = False,
    command: str | None = None,
) -> str:
    """Write all first calls, the longest first, and what came before them; as `render_first_call`."""
    page = Page(terminal_width() if width is None else width)
    if not found.calls:
        page.add("no call of a watched function compiled anything")
    else:
        total = seconds_text(seconds_together(found.calls))
        page.add((f"{count_text(len(found.calls), 'first call')}, {total}", "bold"))
        add_first_calls(page, found.calls if all_ else found.calls[:CALLS], processes=len(found.start_up) > 1)
        if not all_ and len(found.calls) > CALLS:
            page.add(f"{count_text(len(found.calls) - CALLS, 'more call')} with --all")
    for one in found.start_up:
        add_start_up(page, one, all_=all_)
    if command is not None:
        page.blank()
        page.add((command, "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def add_first_calls(page: Page, calls: Sequence[FirstCall], *, processes: bool = False) -> None:
    """A line for each call: how long it took, and what took most of it."""
    width = max((len(seconds_text(one.seconds)) for one in calls), default=0)
    for one in calls:
        process = f" (process {one.process})" if processes and one.process is not None else ""
        page.add(
            f"{seconds_text(one.seconds):>{width}}  ",
            (cut(one.name, 40), "bold"),
            f"{process}  {costliest_text(one)}",
            indent=2,
            hang=width + 2,
        )


def _head(page: Page, one: FirstCall) -> None:
    place = Site(one.file, one.line, one.name).text if one.file else "place unknown"
    page.add((one.name, "bold"), f"  {place}  {one.framework}")
    which = f"call {one.call}" if one.call is not None else "a call"
    where = f" at {one.site.text}" if one.site is not None else ""
    again = "" if one.first else ", not its first that compiled"
    page.add(
        f"{which}{where}{again}: ",
        (seconds_text(one.seconds), "bold"),
        f" until it returned, {share_text(one.attributed)} of it attributed",
        hang=2,
    )
    if one.cache_hits:
        hits = count_text(one.cache_hits, "compilation")
        page.add(f"{hits} of it came from a persistent cache", hang=2)


def _rest(one: FirstCall) -> str:
    return "its own code, hits" if one.kind == "region" else "not attributed"


def add_start_up(page: Page, one: StartUp, *, all_: bool) -> None:
    """What came before the first call that compiled."""
    page.blank()
    since = "since the process began" if one.since == "process" else "since the recording began"
    process = f"process {one.process}: " if one.process is not None else ""
    page.add((f"{process}before the first compiling call: {seconds_text(one.seconds)}", "bold"), f" {since}", hang=2)
    if one.parts:
        Waterfall(page, one.seconds, all_=all_).write(one.parts, one.not_attributed, "the program, other imports")
    _programs(page, one.eager_ops, "compiled by themselves", all_=all_)


def _programs(page: Page, programs: Sequence[EagerPrograms], title: str, *, all_: bool) -> None:
    if not programs:
        return
    count, seconds = sum(one.count for one in programs), sum(one.seconds for one in programs)
    page.blank()
    page.add((f"{title}: {count_text(count, 'program')}, {seconds_text(seconds)}", "bold"))
    for one in programs if all_ else programs[:NAMES]:
        sites = ", ".join(site.text for site in one.sites[:3])
        kind = "" if one.library else " (a function that is not watched)"
        page.add(
            f"{cut(one.name, 40)} {one.count}×{kind}  {seconds_text(one.seconds)}",
            f"  {sites}" if sites else "",
            indent=2,
            hang=2,
        )
    if not all_ and len(programs) > NAMES:
        page.add(f"… {len(programs) - NAMES} more", indent=2)


def _measured(page: Page, one: Measured) -> None:
    page.add(
        ("measured: ", "bold"),
        f"first call {seconds_text(one.first)} with its result, second {seconds_text(one.second)}"
        + (f", then {seconds_text(one.steady)} (median of {one.steady_calls})" if one.steady is not None else ""),
        hang=2,
    )
    if one.eager_first is None:
        page.add(f"eager: not known: {one.eager_is}", hang=2)
        return
    eager = f"first {seconds_text(one.eager_first)}"
    if one.eager_steady is not None:
        eager += f", then {seconds_text(one.eager_steady)} (median of {one.eager_calls - 1})"
    page.add(f"eager ({one.eager_is}): {eager}", hang=2)
    if one.pays_after is not None:
        page.add(f"compiling has paid for itself after {count_text(one.pays_after, 'call')}", hang=2)
    elif one.steady is not None and one.eager_steady is not None:
        page.add("compiling never pays for itself in time here: eager calls are no slower", hang=2)
