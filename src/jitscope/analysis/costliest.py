"""What took most of a call that compiled, in a few words' worth of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.model.first_call import FirstCall, Part

PARTS = 3
"""Parts that are named."""
LEAST = 0.02
"""Share of the call below which a part is not named."""
LEAST_UNKNOWN = 0.05
"""The same for what is in none of the parts."""
NOT_ATTRIBUTED = "not attributed"


def costliest(one: FirstCall) -> tuple[tuple[str, float], ...]:
    """Labels of parts with their own seconds, at whatever depth they are; the costliest first.

    The last one can be `NOT_ATTRIBUTED`.
    """
    own = sorted(_owns(one.parts).items(), key=lambda each: -each[1])
    found = [(label, seconds) for label, seconds in own[:PARTS] if seconds > LEAST * one.seconds > 0]
    if one.not_attributed > LEAST_UNKNOWN * one.seconds > 0:
        found.append((NOT_ATTRIBUTED, one.not_attributed))
    return tuple(found)


def _owns(parts: Sequence[Part]) -> dict[str, float]:
    sums: dict[str, float] = {}
    waiting = list(reversed(parts))
    while waiting:
        part = waiting.pop()
        sums[part.label] = sums.get(part.label, 0.0) + part.own
        waiting.extend(reversed(part.parts))
    return sums
