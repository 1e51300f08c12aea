"""A recording: the header and the events of one process, as a value."""

from __future__ import annotations

import msgspec

from jitscope.model.events import EndEvent, Event, Header


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

    @property
    def end(self) -> EndEvent | None:
        """The last line, if the recording was closed."""
        last = self.events[-1] if self.events else None
        return last if isinstance(last, EndEvent) else None

    @property
    def rank(self) -> int | None:
        """Of this process in a distributed run, by whatever said it: the environment, or later the framework."""
        if self.header.rank is not None or self.end is None:
            return self.header.rank
        return self.end.rank

    @property
    def world_size(self) -> int | None:
        """How many processes the distributed run has; see `rank`."""
        if self.header.world_size is not None or self.end is None:
            return self.header.world_size
        return self.end.world_size
