"""What broke a budget as plain text: for annotations and test results, which hold no formatting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jitscope.model.budget import Offence
from jitscope.model.notation import printable
from jitscope.render.changes import change_lines
from jitscope.render.numbers import count_text, seconds_text


def offence_lines(offences: Iterable[Offence], most: int) -> list[str]:
    """The functions and calls, what changed, the fixes: each once, at most ``most``. Control characters are escaped."""
    alike: dict[tuple[object, ...], list[Offence]] = {}
    for offence in offences:
        one = offence.compilation
        change = (one.under, one.site, *change_lines(one.causes), one.fix) if one is not None else None
        alike.setdefault((offence.name, offence.file, offence.line, change), []).append(offence)
    shown = list(alike.values())
    lines = [line for same in shown[:most] for line in _lines(same)]
    if len(shown) > most:
        lines.append(f"… and {sum(map(len, shown[most:]))} more")
    return [printable(line) for line in lines]


def _lines(same: Sequence[Offence]) -> list[str]:
    """Of compilations for the same reason at the same place, as one."""
    first = same[0]
    name = first.name.rpartition("<locals>.")[2]
    one = first.compilation
    if one is None:
        return [f"{name}: {count_text(first.calls, 'call')} ran without compiled code"]
    seconds = seconds_text(sum(each.compilation.seconds for each in same if each.compilation is not None))
    call = f"call {one.call}" if one.call is not None else "ahead of a call"
    which = call if len(same) == 1 else count_text(len(same), "compilation")
    under = f" under {one.under}" if one.under is not None else ""
    site = f" at {one.site.text} in {one.site.function}" if one.site is not None else ""
    lines = [f"{name}, {which}{under}{site}, {seconds}", *(f"  {line}" for line in change_lines(one.causes))]
    return [*lines, f"  fix: {one.fix}"] if one.fix is not None else lines
