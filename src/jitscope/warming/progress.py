"""How far a warm-up is: a bar on standard error, where that is a terminal."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[], None]]:
    """Show a bar of ``total`` steps while the block runs; what is bound moves it on by one."""
    stream = sys.stderr
    if total < 2 or stream is None or not stream.isatty():
        yield lambda: None
        return
    state = random.getstate()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    random.setstate(state)  # importing rich draws from the program's random numbers
    columns = (TextColumn("warming"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
