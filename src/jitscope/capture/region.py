"""Plain functions watched as a region: every compile inside their calls is theirs."""

from __future__ import annotations

import sys
from collections.abc import Collection
from time import perf_counter
from typing import Any

from jitscope.capture.book import Book
from jitscope.capture.callsite import site_of
from jitscope.capture.pending import collect


class RegionProbe:
    """Counts the calls of a plain function; the adapters hand it the compiles inside of them."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def enter(self) -> None:
        """Nothing to prepare."""

    def signatures_held(self) -> Collection[int]:
        """None: calls of a region have no signature."""
        return ()

    def settle(
        self, entered: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException | None
    ) -> None:
        """Enter the call in the book: it compiled something, or it did not."""
        ended = perf_counter()
        frame = sys._getframe(2)
        miss = collect(frame)
        if miss is not None and miss.compiled:
            for adapter in self.book.recorder.adapters:
                adapter.drain()
            ordinal = self.book.add(None, "compile")
            self.book.recorder.flush_calls(self.book)
            began = entered if entered > 0 else miss.start
            self.book.recorder.compiling_call(self.book, ordinal, began, ended, site_of(frame))
        elif error is not None:
            self.book.add(None, "error")
        else:
            self.book.add(None, "hit")
        self.book.quiet(None)
