"""A bar on the terminal, for what takes more than a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TypeVar

Item = TypeVar("Item")

PATIENCE = 1.0
"""Seconds before there is a bar."""


def track(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Go through ``items``; on a terminal, and where it takes long, with a bar on standard error."""
    if not sys.stderr.isatty():
        yield from items
        return
    start = monotonic()
    for number, item in enumerate(items):
        yield item
        if monotonic() - start > PATIENCE:
            yield from _with_bar(items[number + 1 :], number + 1, len(items), what)
            return


def _with_bar(rest: Sequence[Item], done: int, total: int, what: str) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, completed=done)
        for item in rest:
            yield item
            progress.advance(task)
