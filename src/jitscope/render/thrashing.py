"""One line about a function that recompiles on many of its calls."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.grouping import SourceGroup
from jitscope.analysis.sizes import sequence_text
from jitscope.model.report import Finding
from jitscope.render.numbers import count_text, seconds_text

PATHS = 3
"""Changed arguments that are named."""


def thrashing_text(group: SourceGroup, findings: Sequence[Finding], recompiled: int, calls: int) -> str:
    """``jitscope: 5 of the last 10 calls of step recompiled, 12.3 s so far: x (shape): f32[$,8] …; fix: …``.

    Args:
        group: the function.
        findings: what is known of its recompilations, the costliest first.
        recompiled: how many of its last calls recompiled.
        calls: how many calls that were.
    """
    first = group.first
    head = (
        f"jitscope: {recompiled} of the last {count_text(calls, 'call')} of {first.name} recompiled, "
        f"{seconds_text(group.recompile_seconds)} so far"
    )
    if not findings:
        return head
    worst = findings[0]
    if worst.kind == "new_function":
        what = "another function object of the same source each time (new_function)"
    else:
        more = f", … {len(worst.paths) - PATHS} more" if len(worst.paths) > PATHS else ""
        what = f"{', '.join(worst.paths[:PATHS])}{more} ({worst.kind})".strip()
        seen = sequence_text(worst.values)
        what = f"{what}: {seen}" if seen else what
    return f"{head}: {what}" + (f"; fix: {worst.fix}" if worst.fix is not None else "")
