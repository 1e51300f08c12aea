"""What a watched program is doing at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from jitscope.model.events import Framework


@dataclass(frozen=True, slots=True)
class Compiling:
    """A compilation under way, or the last one of its thread."""

    framework: Framework
    name: str
    """The function's; the program's, where no watched function is known."""
    signature: str | None
    """``f32[3], f32[3]``; None where it is not known."""
    since: float
    """Monotonic clock, seconds: when the call that needs it was found to be no hit."""
    over: float | None
    """When it was done; None while it is under way."""

    def seconds(self, now: float) -> float:
        """How long it took, or has been taking at ``now``."""
        return (now if self.over is None else self.over) - self.since


@dataclass(frozen=True, slots=True)
class FunctionNow:
    """What one watched function has come to so far."""

    id: int
    framework: Framework
    name: str
    hits: int
    compilations: int
    seconds: float
    """Spent on its compilations, backward graphs that were compiled later left out."""
