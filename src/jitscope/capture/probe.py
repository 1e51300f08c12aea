"""What a framework's adapter provides for one watched function."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol


class Probe(Protocol):
    """Finds out, on the framework's own evidence, what became of a call.

    Both methods are called on the wrapper's stack, one frame below `Book`, and only while the book is alarmed
    (`settle` also whenever a call raised). They may raise: `Book` turns that into a note.
    """

    def enter(self) -> None:
        """Before the call."""

    def settle(
        self, entered: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException | None
    ) -> None:
        """After the call: enter it in the book. ``entered`` is when it began, or 0 if the book was quiet then."""

    def signatures_held(self) -> Collection[int]:
        """Ids of signatures that it will speak of without reading them again."""


class Adapter(Protocol):
    """A framework's process-wide part: its hooks, and what it knows when a recording is written."""

    def drain(self) -> None:
        """Write what the framework has told since, outside of any watched call."""

    def versions(self) -> dict[str, str]:
        """Versions of the framework's packages."""

    def devices(self) -> tuple[str, ...]:
        """Names of the devices in use; never starts a device runtime."""

    def rank(self) -> tuple[int, int] | None:
        """This process's rank and how many there are, if the framework runs distributed; never starts a runtime."""

    def forked(self) -> None:
        """This process is a fork, with one thread: what others were doing is not done here."""
