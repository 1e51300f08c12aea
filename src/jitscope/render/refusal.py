"""The text of a `RecompileError`: what would compile, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.about_to import AboutTo
from jitscope.model.notation import cut, printable
from jitscope.model.report import CompilationReport, FunctionReport
from jitscope.render.changes import change_lines
from jitscope.render.numbers import count_text, seconds_text

SHOWN = 5
"""Compilations that are listed."""


def about_to_text(name: str, found: AboutTo | None, rule: str) -> str:
    """A compilation that is refused before it starts.

    Args:
        name: the function.
        found: what is known of the compilation; None where that could not be found out.
        rule: what forbids it: ``frozen``, ``max_compilations=1``.
    """
    again = found is not None and found.recompile
    lines = [f"{name} would compile{' again' if again else ''} ({rule})"]
    if found is None:
        return printable(lines[0])
    event = found.event
    if event.site is not None:
        lines.append(f"called at {event.site.text}, in {event.site.function}")
    if event.under == "backward" and "backward" in event.layers:
        lines.append("its backward graph was not compiled yet: run a backward pass before this")
    elif found.function is None:
        lines.append("why is not known: it is not watched; put @jitscope.watch above it")
    elif not again:
        lines.append("it was not compiled before" + (f": {cut(found.signature, 300)}" if found.signature else ""))
    else:
        lines.extend(change_lines(found.causes))
    if found.fix is not None:
        lines.append(f"fix: {found.fix}")
    return "\n  ".join(printable(line) for line in lines)


def over_limit_text(rule: str, actual: str, found: Sequence[tuple[FunctionReport, CompilationReport]]) -> str:
    """A limit that was exceeded, and the compilations that count.

    Args:
        rule: the limit: ``max_compilations=1``.
        actual: what there was: ``3 compilations``.
        found: the compilations, in order.
    """
    lines = [f"{actual} ({rule})"]
    for function, one in found[:SHOWN]:
        place = f" at {one.site.text}" if one.site is not None else ""
        call = f" call {one.call}" if one.call is not None else ""
        lines.append(
            f"{function.name}{call}{place}, {seconds_text(one.seconds)}: " + "; ".join(change_lines(one.causes))
        )
        if one.fix is not None and one.recompile:
            lines.append(f"  fix: {one.fix}")
    if len(found) > SHOWN:
        lines.append(f"… {count_text(len(found) - SHOWN, 'more')}".removesuffix("s"))
    return "\n  ".join(printable(line) for line in lines)
