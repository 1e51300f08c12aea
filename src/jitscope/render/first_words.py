"""What took most of a first call, and of what came before it, in a line."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.model.first_call import FirstCall, Part, StartUp
from jitscope.render.numbers import seconds_text, share_text


def costliest(one: FirstCall) -> str:
    """What took most of a call, at the depth where it is decided: ``C++ compile 75%, wait for kernels 9%``."""
    found = sorted(_owns(one.parts), key=lambda each: -each[1])
    parts = [f"{label} {share_text(own / one.seconds)}" for label, own in found[:3] if own > 0.02 * one.seconds > 0]
    if one.not_attributed > 0.05 * one.seconds > 0:
        parts.append(f"not attributed {share_text(one.not_attributed / one.seconds)}")
    return ", ".join(parts)


def _owns(parts: Sequence[Part]) -> list[tuple[str, float]]:
    sums: dict[str, float] = {}

    def add(some: Sequence[Part]) -> None:
        for part in some:
            sums[part.label] = sums.get(part.label, 0.0) + part.own
            add(part.parts)

    add(parts)
    return list(sums.items())


def start_up_line(one: StartUp) -> str:
    """What came before the first compiling call, in one line."""
    parts = [
        f"{part.label} {share_text(part.own / one.seconds)}"
        for part in sorted(one.parts, key=lambda part: -part.own)[:3]
        if part.own > 0.02 * one.seconds > 0
    ]
    since = "since the process began" if one.since == "process" else "since the recording began"
    return f"{seconds_text(one.seconds)} {since}" + (f": {', '.join(parts)}" if parts else "")
