"""``jitscope run --live``: a table at the foot of the terminal, while the program prints above it as ever.

Not with `rich.live`, which takes the program's standard output and error over, or else draws over what they print.
The last rows are taken out of the terminal's scrolling region instead (as apt does for its progress bar): nothing of
the program's output is touched, whoever writes it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from time import perf_counter

from jitscope.capture import progress
from jitscope.capture.recorder import recorder
from jitscope.commands.output import write_err
from jitscope.render.live import render_live

_EVERY = 0.25
"""Seconds between two looks."""
_ROWS = 8
_SMALLEST = 16
"""Rows of a terminal in which there is room for it."""
_SAVE, _RESTORE = "\x1b7", "\x1b8"
_INDEX = "\x1bD"
"""Down by one row, in the same column; what is at the foot scrolls up."""


def show_live() -> Callable[[], None] | None:
    """Begin to show what is compiled. Returns what ends it; None where standard error is no terminal to show it on."""
    stream = sys.__stderr__
    if stream is None or not stream.isatty() or os.environ.get("TERM") == "dumb":
        return None
    size = os.get_terminal_size(stream.fileno())
    if size.lines < _SMALLEST:
        return None
    return _Live(stream.fileno(), color=not os.environ.get("NO_COLOR")).finish


class _Live:
    """Draws the table from a thread of its own, which is not there while the process forks."""

    def __init__(self, terminal: int, *, color: bool) -> None:
        self._terminal = terminal
        self._color = color
        self._size: os.terminal_size | None = None
        self._shown: list[str] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = False
        progress.listen(self._start)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._pause, after_in_parent=self._resume, after_in_child=self._in_child)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._over:
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="jitscope-live", daemon=True)
                self._thread.start()

    def _pause(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join(1.0)

    def _resume(self) -> None:
        if self._size is not None:
            self._start()

    def _in_child(self) -> None:
        """The terminal is its parent's."""
        self._lock = threading.Lock()
        self._over = True
        self._size = None
        progress.listen(None)
        progress.forget()

    def finish(self) -> None:
        """Draw no more, and give the terminal back."""
        if self._over:
            return
        progress.listen(None)
        self._over = True
        self._pause()
        size = self._size
        if size is not None:
            rows = "".join(f"\x1b[{size.lines - row};1H\x1b[2K" for row in range(_ROWS))
            write_err(f"{_SAVE}\x1b[r{rows}{_RESTORE}")

    def _run(self) -> None:
        while True:
            try:
                size = os.get_terminal_size(self._terminal)
                now = perf_counter()
                lines = render_live(
                    progress.functions(recorder.books),
                    progress.current(),
                    now=now,
                    width=size.columns - 1,
                    height=_ROWS,
                    color=self._color,
                )
                if lines != self._shown or size != self._size:
                    self._draw(lines, size)
            except Exception as error:  # noqa: BLE001  # the program goes on
                recorder.internal_error("live", error)
                return
            if self._stop.wait(_EVERY):
                return

    def _draw(self, lines: list[str], size: os.terminal_size) -> None:
        text = ""
        if size != self._size:
            first = self._size is None
            self._size = size
            # Room at the foot, and the cursor above it; setting the region moves the cursor.
            text += (_INDEX * _ROWS + f"\x1b[{_ROWS}A") if first else ""
            text += f"{_SAVE}\x1b[1;{size.lines - _ROWS}r{_RESTORE}"
        text += _SAVE
        for row in range(_ROWS):
            line = lines[row] if row < len(lines) else ""
            text += f"\x1b[{size.lines - _ROWS + 1 + row};1H\x1b[0m\x1b[2K{line}"
        write_err(text + _RESTORE)
        self._shown = lines
