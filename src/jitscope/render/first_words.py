"""What took most of a first call, and of what came before it, in a line."""

from __future__ import annotations

from jitscope.analysis.costliest import costliest
from jitscope.model.first_call import FirstCall, StartUp
from jitscope.render.numbers import seconds_text, share_text


def costliest_text(one: FirstCall) -> str:
    """What took most of a call, at the depth where it is decided: ``C++ compile 75%, wait for kernels 9%``."""
    return ", ".join(f"{label} {share_text(own / one.seconds)}" for label, own in costliest(one))


def start_up_line(one: StartUp) -> str:
    """What came before the first compiling call, in one line."""
    parts = [
        f"{part.label} {share_text(part.own / one.seconds)}"
        for part in sorted(one.parts, key=lambda part: -part.own)[:3]
        if part.own > 0.02 * one.seconds > 0
    ]
    since = "since the process began" if one.since == "process" else "since the recording began"
    return f"{seconds_text(one.seconds)} {since}" + (f": {', '.join(parts)}" if parts else "")
