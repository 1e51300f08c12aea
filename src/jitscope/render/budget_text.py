"""What became of a budget, for a terminal: what broke it, by how much, and why that was compiled."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from jitscope.model.budget import BudgetResult, LimitName, Offence, Rule
from jitscope.model.notation import cut, printable
from jitscope.render.changes import add_compilation
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.page import Page, terminal_color, terminal_width

SHOWN = 3
"""Offending compilations of one function that are shown without ``all_``."""
FUNCTIONS = 5
"""Offending functions that are shown without ``all_``."""
KEPT = 12
"""Limits that were kept, shown without ``all_``."""


def render_budget_text(
    result: BudgetResult,
    *,
    width: int | None = None,
    color: bool | None = None,
    all_: bool = False,
    source: str | None = None,
) -> str:
    """Write ``result`` as lines of at most ``width`` columns; the other arguments are as for `render_text`."""
    page = Page(terminal_width() if width is None else width)
    page.add(*_verdict(result), hang=2)
    kept = [rule for rule in result.rules if rule.status == "within"]
    _table(page, result.broken)
    if not result.broken:
        _table(page, kept if all_ else kept[:KEPT])
    elif all_:
        _table(page, kept)
    _offences(page, result, all_=all_)
    _doubts(page, result)
    page.blank()
    file = f" {shlex.quote(source)}" if source is not None else ""
    command = f"jitscope why {shlex.quote(result.select)}{file}" if result.select else f"jitscope report{file}"
    page.add((command, "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def summary_line(result: BudgetResult) -> str:
    """The verdict alone, without its line end; nothing of it comes from the watched program."""
    return "".join(part if isinstance(part, str) else part[0] for part in _verdict(result))


def amount_text(limit: LimitName, amount: float) -> str:
    """A limit, or what it was held against: a number of things, or a duration."""
    return seconds_text(amount) if limit == "max_compile_seconds" else f"{amount:.0f}"


def _verdict(result: BudgetResult) -> list[str | tuple[str, str]]:
    held = [rule for rule in result.rules if rule.status != "unmatched"]
    if result.broken:
        return [("over budget", "bold red"), f": {len(result.broken)} of {count_text(len(held), 'limit')} exceeded"]
    kept = f"{count_text(len(held), 'limit')} kept" if held else "no limit was held against anything"
    if not result.within:
        return [
            ("not known to be within budget", "bold red"),
            f": {kept}, with doubts, which strict forbids",
        ]
    return [("within budget", "bold green"), f": {kept}"]


def _table(page: Page, rules: Sequence[Rule]) -> None:
    if not rules:
        return
    labels = [_label(rule) for rule in rules]
    rows = [
        (amount_text(rule.limit, rule.allowed), amount_text(rule.limit, rule.actual),
         amount_text(rule.limit, rule.over_by) if rule.over_by else "")
        for rule in rules
    ]  # fmt: skip
    heads = ("allowed", "actual", "over by" if any(row[2] for row in rows) else "")
    widths = [max(len(head), *(len(row[n]) for row in rows)) for n, head in enumerate(heads)]
    room = max(page.width - sum(widths) - 2 * len(widths) - 2, 8)
    labels = [cut(label, room) for label in labels]
    first = max(len("limit"), *map(len, labels))
    page.blank()
    for label, row in (("limit", heads), *zip(labels, rows, strict=True)):
        cells = "".join(f"  {cell:>{size}}" for cell, size in zip(row, widths, strict=True))
        page.add((f"{label:<{first}}{cells}".rstrip(), "dim" if row is heads else ""), indent=2, wrap=False)


def _label(rule: Rule) -> str:
    if rule.pattern is None:
        return rule.text
    name = printable((rule.name or "").rpartition("<locals>.")[2])
    return f"{rule.text}  {name}" + (f"  ({printable(rule.pattern)})" if rule.pattern != name else "")


def _offences(page: Page, result: BudgetResult, *, all_: bool) -> None:
    by_function: dict[tuple[str, str, int], dict[int | None, tuple[Offence, list[str]]]] = {}
    for rule in result.broken:
        for offence in rule.offences:
            mine = by_function.setdefault((offence.name, offence.file, offence.line), {})
            key = offence.compilation.id if offence.compilation is not None else None
            mine.setdefault(key, (offence, []))[1].append(rule.text)
    functions = list(by_function.items())
    for (name, file, line), offences in functions if all_ else functions[:FUNCTIONS]:
        broke = dict.fromkeys(text for _, texts in offences.values() for text in texts)
        place = f"  {file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}" if file else ""
        page.blank()
        page.add((name.rpartition("<locals>.")[2], "bold"), f"{place}  ", (", ".join(broke), "red"), hang=2)
        shown = sorted(offences.values(), key=_first)
        _function(page, [one for one, _ in (shown if all_ else shown[:SHOWN])])
        if len(shown) > SHOWN and not all_:
            page.add(f"… {len(shown) - SHOWN} more with --all", indent=3)
    if len(functions) > FUNCTIONS and not all_:
        page.blank()
        page.add(f"{count_text(len(functions) - FUNCTIONS, 'more function')} with --all")


def _first(entry: tuple[Offence, list[str]]) -> tuple[bool, int]:
    """Calls without compiled code first, recompilations before first ones, then the order of the recording."""
    one = entry[0].compilation
    return (one is not None and not one.recompile, one.id if one is not None else 0)


def _function(page: Page, offences: Sequence[Offence]) -> None:
    fix: str | None = None
    for offence in offences:
        if offence.compilation is None:
            page.add(f"{count_text(offence.calls, 'call')} ran without compiled code", indent=3, hang=2)
            continue
        add_compilation(page, offence.compilation, fix_shown=fix, program=False)
        fix = offence.compilation.fix or fix


def _doubts(page: Page, result: BudgetResult) -> None:
    lines = [(note.text, note.slug) for note in result.doubts]
    lines += [(f"no function of the recording fits the pattern {each}", "unmatched") for each in result.unmatched]
    if lines:
        page.blank()
    word, style = ("error", "red") if result.strict else ("warning", "yellow")
    for text, slug in lines:
        page.add((f"{word}: ", style), text, (f" ({slug})", "dim"), hang=2)
    if result.eager_op_compilations:
        page.blank()
        count = count_text(result.eager_op_compilations, "compilation")
        page.add((f"not counted: {count} of eager operations and of functions that nobody watched", "dim"), hang=2)
