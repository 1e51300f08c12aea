"""Stretches of time, put into each other: parts that add up to the whole.

Stretches of one thread lie inside each other or beside each other. The clocks of the frameworks' own measures differ by
microseconds, so what sticks out of the one around it is cut, and so is what overlaps with its neighbour: no second is
counted twice, and own times are never negative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from jitscope.model.first_call import FirstCall, Part

SLACK: Final = 5e-5
"""Seconds by which neighbours may overlap, where they are neighbours all the same."""
DEEPEST: Final = 100
"""Stretches that lie inside each other and are told; what is deeper is told with the one around it."""
PROGRAMS: Final = 4
"""Names of programs that a part tells."""


@dataclass(slots=True)
class Stretch:
    """One stretch of time, and those inside of it."""

    name: str
    label: str
    start: float
    seconds: float
    program: str | None = None
    lifted: bool = False
    """What is inside of it belongs to the stretch around it, and so does its own time."""
    inner: list[Stretch] = field(default_factory=list)

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.start + self.seconds


def nest(stretches: Iterable[Stretch], start: float, end: float) -> list[Stretch]:
    """Put stretches into each other; the outermost, in order, cut to what lies between ``start`` and ``end``."""
    whole = Stretch("", "", start, max(end - start, 0.0))
    around = [whole]
    for one in sorted(stretches, key=lambda each: (each.start, -each.seconds)):
        while len(around) > 1 and (around[-1].end <= one.start + SLACK and one.end > around[-1].end):
            around.pop()
        if len(around) > DEEPEST:
            continue
        outer = around[-1]
        before = outer.inner[-1].end if outer.inner else outer.start
        begin = min(max(one.start, before), outer.end)
        finish = min(max(one.end, begin), outer.end)
        placed = Stretch(one.name, one.label, begin, finish - begin, one.program, one.lifted)
        outer.inner.append(placed)
        around.append(placed)
    return whole.inner


def lift(stretches: Sequence[Stretch], around: str = "") -> list[Stretch]:
    """Take out what only wraps others, and what is of the name of the one around it."""
    found: list[Stretch] = []
    for one in stretches:
        inner = lift(one.inner, one.name if not one.lifted else around)
        if one.lifted or one.name == around:
            found += inner
        else:
            found.append(Stretch(one.name, one.label, one.start, one.seconds, one.program, inner=inner))
    return found


def parts_of(stretches: Sequence[Stretch], zero: float) -> tuple[Part, ...]:
    """Parts, those of one name inside the same part joined; starts are counted from ``zero``."""
    groups: dict[tuple[str, str], list[Stretch]] = {}
    for one in stretches:
        groups.setdefault((one.name, one.label), []).append(one)
    return tuple(_joined(group, zero) for group in groups.values())


def _joined(group: Sequence[Stretch], zero: float) -> Part:
    inner = parts_of([each for one in group for each in one.inner], zero)
    seconds = sum(one.seconds for one in group)
    first = group[0]
    return Part(
        name=first.name,
        label=first.label,
        start=first.start - zero,
        seconds=seconds,
        own=max(seconds - sum(part.seconds for part in inner), 0.0),
        count=len(group),
        program=programs_text([one.program for one in group if one.program]),
        parts=inner,
    )


def programs_text(programs: Sequence[str]) -> str | None:
    """The most frequent programs with their numbers: ``multiply 12×, add 3×, … 5 more``."""
    if not programs:
        return None
    known = Counter(programs).most_common()
    if len(known) == 1:
        return known[0][0]
    shown = ", ".join(f"{name} {count}×" for name, count in known[:PROGRAMS])
    return shown + (f", … {len(known) - PROGRAMS} more" if len(known) > PROGRAMS else "")


def sum_of(parts: Sequence[Part]) -> float:
    """Seconds of all of them."""
    return sum(part.seconds for part in parts)


def seconds_together(calls: Iterable[FirstCall]) -> float:
    """Seconds in which any of the calls ran, each process by itself: a call inside of another counts once."""
    seconds = 0.0
    ends: dict[int | None, float] = {}
    for one in sorted(calls, key=lambda each: each.started):
        end = one.started + one.seconds
        seconds += max(end - max(one.started, ends.get(one.process, one.started)), 0.0)
        ends[one.process] = max(ends.get(one.process, end), end)
    return seconds


def found_in(parts: Sequence[Part], name: str) -> Iterator[Part]:
    """All parts of a name, at any depth; those of the same name inside of one are not counted again."""
    for part in parts:
        if part.name == name:
            yield part
        else:
            yield from found_in(part.parts, name)
