"""After how many calls compiling has paid for itself."""

from __future__ import annotations

import math
from statistics import median

from jitscope.model.events import MeasuredEvent
from jitscope.model.first_call import Measured


def measured_of(event: MeasuredEvent) -> Measured:
    """What was measured, in a few numbers."""
    steady = median(event.steady) if event.steady else None
    eager_first = event.eager[0] if event.eager else None
    eager_steady = median(event.eager[1:]) if event.eager[1:] else None
    pays_after = None
    if steady is not None and eager_first is not None and eager_steady is not None:
        pays_after = break_even(event.first, event.second, steady, eager_first, eager_steady)
    return Measured(
        first=event.first,
        second=event.second,
        steady=steady,
        steady_calls=len(event.steady),
        eager_first=eager_first,
        eager_steady=eager_steady,
        eager_calls=len(event.eager),
        eager_is=event.eager_is,
        pays_after=pays_after,
    )


def break_even(first: float, second: float, steady: float, eager_first: float, eager_steady: float) -> int | None:
    """The smallest number of calls that takes no longer compiled than eager; None where there is none."""
    if first <= eager_first:
        return 1
    if first + second <= eager_first + eager_steady:
        return 2
    saved = eager_steady - steady
    if saved <= 0:
        return None
    # After n calls: first + second + (n - 2) steady <= eager_first + (n - 1) eager_steady.
    debt = first + second - eager_first - eager_steady
    calls = debt / saved
    return 2 + max(math.ceil(calls - 1e-9), 1) if math.isfinite(calls) else None
