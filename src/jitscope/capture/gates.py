"""Gates: who is asked before a compilation starts, and may refuse it.

A framework's adapter asks them in a hook that runs inside the user's call, before the compiler does. There is
normally none: then nothing is asked, and hits never come here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jitscope.errors import RecompileError, RecompileWarning
from jitscope.model.events import CompilationEvent, Framework

if TYPE_CHECKING:
    from jitscope.capture.book import Book

REFUSALS = (RecompileError, RecompileWarning)
"""What a gate raises, and what must pass through the hooks to the user."""


@dataclass(slots=True)
class Starting:
    """A compilation that is about to start."""

    framework: Framework
    name: str
    """Qualified name of the function, or the program's name where that is not known."""
    book: Book | None
    """Of the watched function whose compilation it is; None: it is not watched."""
    library: bool
    """It is the framework's own: an eager operation."""
    event: Callable[[], CompilationEvent]
    """What is known of it so far, as the event that it would become, on the process's clock."""
    unwritten: int = 0
    """Compilations that have ended and are not in the recording yet: earlier ones of the same call."""
    phase: bool = False
    """It is a later phase of a compilation that is counted already: a backward graph."""
    continues: bool = False
    """The gates were asked about it already: JAX's lowering, after the trace of the same call."""


Gate = Callable[[Starting], None]
"""Raises one of `REFUSALS`, or lets the compilation pass."""


class Gates:
    """The open gates, the one opened last first."""

    def __init__(self) -> None:
        self.open: tuple[Gate, ...] = ()
        self._lock = threading.Lock()
        self.on_change: list[Callable[[bool], None]] = []
        """Called with whether there are gates now: what an adapter needs only then, it installs then."""

    def add(self, gate: Gate) -> None:
        """Ask ``gate`` from now on."""
        with self._lock:
            self.open = (gate, *self.open)
            self._changed()

    def remove(self, gate: Gate) -> None:
        """Ask ``gate`` no more."""
        with self._lock:
            self.open = tuple(one for one in self.open if one is not gate)
            self._changed()

    def _changed(self) -> None:
        for tell in list(self.on_change):
            tell(bool(self.open))

    def ask(self, starting: Starting) -> None:
        """Ask every gate whether the compilation may start."""
        for gate in self.open:
            gate(starting)
