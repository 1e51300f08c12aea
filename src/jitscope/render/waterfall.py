"""Parts of a whole as bars on a time axis, with their seconds."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.model.first_call import Part
from jitscope.model.notation import cut, printable
from jitscope.render.numbers import seconds_text, share_text
from jitscope.render.page import Page

LEAST = 0.01
"""Share of the whole below which a part is told with others, unless all are asked for."""
_TOTAL, _OWN, _SHARE = 9, 9, 6
_BAR = "█"


class Waterfall:
    """Writes the parts of one whole."""

    def __init__(self, page: Page, seconds: float, *, all_: bool) -> None:
        self._page = page
        self._seconds = seconds
        self._all = all_
        numbers = _TOTAL + _OWN + _SHARE
        # The bars get what is left, and at least enough to see an order.
        self._name = max(min(34, page.width - numbers - 14), 16)
        self._bars = max(page.width - self._name - numbers - 2, 0)

    def write(self, parts: Sequence[Part], not_attributed: float, rest: str) -> None:
        """Write a line for each part, those inside of it below, and one for what is in none: ``rest``."""
        head = f"{'':{self._name}}{'total':>{_TOTAL}}{'self':>{_OWN}}{'share':>{_SHARE}}"
        self._page.add((head, "dim"), wrap=False)
        self._parts(parts, 0, 0.0)
        if not_attributed > 0:
            self._line(rest, not_attributed, not_attributed, None, 0, style="dim")

    def _parts(self, parts: Sequence[Part], depth: int, start: float) -> None:
        small = [] if self._all else [one for one in parts if one.seconds < LEAST * self._seconds]
        if len(small) == 1 and len(parts) == 1:
            small = []
        follows = start
        for one in parts:
            begins = one.start if one.start is not None else follows
            follows = begins + one.seconds
            if one not in small:
                count = f" {one.count}×" if one.count > 1 else ""
                # Those that were compiled by themselves are listed apart, with their places.
                program = f" {one.program}" if one.program and one.name not in ("eager_op", "unwatched") else ""
                self._line(one.label + count + program, one.seconds, one.own, begins, depth)
                self._parts(one.parts, depth + 1, begins)
        if small:
            seconds = sum(one.seconds for one in small)
            self._line(f"({len(small)} smaller)", seconds, None, None, depth, style="dim")

    def _line(
        self, label: str, seconds: float, own: float | None, start: float | None, depth: int, style: str = ""
    ) -> None:
        name = cut(printable(" " * (2 * min(depth, 6)) + label), self._name - 1)
        numbers = (
            f"{seconds_text(seconds):>{_TOTAL}}"
            f"{seconds_text(own) if own is not None else '':>{_OWN}}"
            f"{share_text(seconds / self._seconds) if self._seconds > 0 else '':>{_SHARE}}"
        )
        bar = self._bar(start, seconds) if start is not None else ""
        line = [(f"{name:{self._name}}", style), (numbers, style)]
        self._page.add(*line, *([(f"  {bar}", "cyan")] if bar else []), wrap=False)

    def _bar(self, start: float, seconds: float) -> str:
        if self._bars < 4 or self._seconds <= 0:
            return ""
        first = min(int(start / self._seconds * self._bars), self._bars - 1)
        length = max(round(seconds / self._seconds * self._bars), 1)
        return " " * max(first, 0) + _BAR * min(length, self._bars - max(first, 0))
