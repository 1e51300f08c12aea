"""The flag that a silent miss raises, after the recompile limit."""

from __future__ import annotations

from jitscope.capture.frameworks import torch_privates as privates


class FallbackFlag:
    """Tells whether a frame missed all its entries since the flag was cleared, and nothing compiled.

    The hook must never raise (the process would abort), not even a KeyboardInterrupt: it is a C function,
    ``dict.setdefault`` of ``{True: True}``, which answers a hit with True, and a miss with None while it leaves a
    key behind.
    """

    def __init__(self) -> None:
        self._seen: dict[bool, bool | None] = {True: True}
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

    def clear(self) -> None:
        """Before a call."""
        self._seen.pop(False, None)

    def missed(self) -> bool:
        """Whether some frame missed since."""
        return False in self._seen
