"""The flag that a silent miss raises, after the recompile limit or under a stance that does not compile."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from jitscope.capture.frameworks import torch_privates as privates


@dataclass(slots=True)
class _Watch:
    """One call that the flag is read for."""

    owner: object
    missed_before: bool
    others: int
    """Turns that other threads had taken when it began."""
    alone: bool


class _Local(threading.local):
    def __init__(self) -> None:
        self.calls: list[_Watch] = []
        self.turns = 0


class FallbackFlag:
    """Tells whether a frame missed all its entries during a call, where nothing compiled.

    The hook must never raise (the process would abort), not even a KeyboardInterrupt: it is a C function,
    ``dict.setdefault`` of ``{True: True}``, which answers a hit with True, and a miss with None while it leaves a
    key behind. There is one flag for the process: nested calls save and restore it, and where calls of several
    threads overlap, `end` says that it can't tell.
    """

    def __init__(self) -> None:
        self._seen: dict[bool, bool | None] = {True: True}
        self._lock = threading.Lock()
        self._local = _Local()
        self._turns = 0
        self._active: set[int] = set()
        self.installed = False
        self.shared = False
        """Another hook holds the process's only slot."""

    def install(self) -> None:
        """Take the slot, unless somebody else has it."""
        if self.installed or self.shared or privates.set_guard_complete_hook is None:
            return
        previous = privates.set_guard_complete_hook(self._seen.setdefault)
        if previous is not None:
            privates.set_guard_complete_hook(previous)
            self.shared = True
        else:
            self.installed = True

    def begin(self, owner: object) -> None:
        """Before a call."""
        local, thread = self._local, threading.get_ident()
        with self._lock:
            self._turns += 1
            local.turns += 1
            alone = not self._active - {thread}
            self._active.add(thread)
            local.calls.append(_Watch(owner, False in self._seen, self._turns - local.turns, alone))
            self._seen.pop(False, None)

    def end(self, owner: object) -> bool | None:
        """After a call: whether some frame missed; None where that can't be told (other threads, no begin)."""
        local, thread = self._local, threading.get_ident()
        if not local.calls or local.calls[-1].owner is not owner:
            return None
        with self._lock:
            call = local.calls.pop()
            missed = False in self._seen
            alone = call.alone and call.others == self._turns - local.turns
            if call.missed_before:
                self._seen[False] = None
            else:
                self._seen.pop(False, None)
            if not local.calls:
                self._active.discard(thread)
        return missed if alone else None
