"""What a warm-up did: ``jitscope warm --format json``, and what `jitscope.warm` returns."""

from __future__ import annotations

from typing import Literal

import msgspec

from jitscope.model.events import Framework

WARMING_SCHEMA = 1

WarmState = Literal["compiled", "from_disk", "already", "left_out", "cannot", "failed", "eager"]
"""``compiled``: now. ``from_disk``: read from the persistent cache. ``already``: this process had it. ``left_out``: the
time was up. ``cannot``: its arguments can't be rebuilt. ``failed``: the framework or the function raised. ``eager``:
the framework runs it without compiled code."""


class WarmedSignature(msgspec.Struct, frozen=True):
    """One recorded signature, and what became of it."""

    function: str
    """Qualified name, as recorded."""
    framework: Framework
    text: str
    """The signature in one line; where it has many leaves, those that tell it from the others."""
    under: str
    """What it was compiled under, where that is not what is in force anyway: ``grad_mode=False``; else empty."""
    calls: int
    """How many recorded calls it served."""
    recorded_seconds: float
    """What compiling it took in the recorded run."""
    state: WarmState
    seconds: float
    """What warming it took; 0 where nothing was done."""
    why: str | None
    """Of ``left_out``, ``cannot``, ``failed`` and ``eager``."""
    again: str | None
    """What its next call would compile all the same, by the check at the end; None: nothing, or it was not warmed."""


class WarmUp(msgspec.Struct, frozen=True):
    """What a warm-up did, the most valuable first."""

    schema: int
    run: str
    """Id of the recorded run."""
    seconds: float
    jobs: int
    signatures: tuple[WarmedSignature, ...]
    notes: tuple[str, ...]
    checked: bool
    """Whether it was looked at the end what would still compile."""
    cache: dict[str, str | None]
    """By framework: the folder of the persistent cache in use, or None."""

    def in_state(self, *states: WarmState) -> list[WarmedSignature]:
        """Those with one of these fates."""
        return [one for one in self.signatures if one.state in states]

    @property
    def ready(self) -> bool:
        """Everything that was to be warmed is, and nothing of it would compile again."""
        return not self.in_state("cannot", "failed", "eager") and not any(one.again for one in self.signatures)
