"""A recording: the header and the events of one process, as a value."""

from __future__ import annotations

import msgspec

from jitscope.model.events import Event, Header


class Recording(msgspec.Struct, frozen=True):
    """What one process recorded."""

    header: Header
    events: tuple[Event, ...]
    wall_seconds: float | None = None
    """Time from start to the last event where no `EndEvent` says it, in seconds; None if unknown."""
    torn: bool = False
    """The last line was cut off: the program was killed while it was being written."""
    skipped: int = 0
    """Events of a kind that this jitscope does not know."""
