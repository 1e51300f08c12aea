"""From the command line to the program that it runs."""

from __future__ import annotations

from collections.abc import Callable


class Handover(BaseException):
    """Leaves click before the program starts: what a program raises is none of click's business.

    Click would turn a `KeyboardInterrupt` or an `EOFError` into "Aborted!", and be in each traceback.
    """

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self.then = then
