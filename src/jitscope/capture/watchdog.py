"""A line on standard error for each compilation that takes long, so that a first call of ten minutes is not silent.

Its thread is there only while something compiles, and not while the process forks: Python 3.12 warns of that.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from time import perf_counter

from jitscope.capture import progress
from jitscope.model.notation import printable
from jitscope.model.progress import Compiling

AFTER = "JITSCOPE_PROGRESS"
"""Environment: seconds until the first line; 0: no lines."""
_AFTER = 10.0
_SOON = 0.2
"""Seconds: how closely the end of a compilation that was told of is waited for."""
_Key = tuple[str, float]


def seconds_until_told() -> float | None:
    """How long a compilation may take without a word; None: any time."""
    try:
        after = float(os.environ.get(AFTER, ""))
    except ValueError:
        after = _AFTER
    return after if after > 0 else None


class Watchdog:
    """Tells of compilations that take longer than ``after`` seconds, then than twice that, and so on."""

    def __init__(self, after: float, say: Callable[[str], None]) -> None:
        self._after = after
        self._say = say
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._told: dict[_Key, float] = {}
        """By compilation: when the next line is due, in seconds since its start."""

    def start(self) -> None:
        """Watch what is compiled from now on."""
        progress.listen(self._wake)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._pause, after_in_parent=self._wake_if_needed, after_in_child=self._after_fork_in_child
            )

    def _wake(self) -> None:
        with self._lock:
            if self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="jitscope-watchdog", daemon=True)
                self._thread.start()

    def finish(self) -> None:
        """The program ends: tell what has not been told yet."""
        progress.listen(None)
        self._pause()
        self.look(perf_counter() + _SOON)

    def _wake_if_needed(self) -> None:
        if any(job.over is None for job in progress.current()):
            self._wake()

    def _pause(self) -> None:
        thread = self._thread
        if thread is not None:
            self._stop.set()
            thread.join(1.0)

    def _after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        self._thread = None
        self._told.clear()
        progress.forget()

    def _run(self) -> None:
        while True:
            try:
                wait = self.look(perf_counter())
            except Exception:  # nothing to be told, then
                wait = None
            with self._lock:
                under_way = any(job.over is None for job in progress.current())
                if self._stop.is_set() or (wait is None and not under_way):
                    self._thread = None
                    return
            self._stop.wait(self._after if wait is None else wait)

    def look(self, now: float) -> float | None:
        """Tell what there is to tell at ``now``.

        Returns in how many seconds to look again; None if nothing compiles.
        """
        waits = []
        for job in progress.current():
            key = (job.name, job.since)
            seconds = job.seconds(now)
            due = self._told.get(key, self._after)
            if job.over is not None:
                if key in self._told and now - job.over < _SOON:
                    waits.append(_SOON)  # its next phase may follow
                elif self._told.pop(key, None) is not None:
                    self._say(f"{_name(job)} took {_seconds(seconds)} to compile")
                continue
            if seconds >= due:
                self._say(f"compiling {_name(job)} for {_seconds(seconds)}…")
                while due <= seconds:
                    due *= 2
                self._told[key] = due
            waits.append(min(due - seconds, _SOON) if key in self._told else due - seconds)
        return max(min(waits), 0.01) if waits else None


def _name(job: Compiling) -> str:
    return printable(f"{job.name} ({job.signature})" if job.signature else job.name or f"a {job.framework} program")


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"


def say(text: str) -> None:
    """One line on the standard error that the process began with, past its buffers, in one piece."""
    stream = sys.__stderr__
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    who = os.environ.get("RANK", "")
    line = f"jitscope: {f'rank {who}: ' if who.isdigit() else ''}{text}\n"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        line = line.replace("…", "...")
    try:
        os.write(stream.fileno(), line.encode(encoding, "backslashreplace"))
    except (OSError, ValueError):  # closed
        return


def watch_long_compiles() -> Callable[[], None]:
    """Tell of long compilations in this process, unless the environment says that nobody wants to know.

    Returns what to call when the process ends.
    """
    after = seconds_until_told()
    if after is None:
        return _nothing
    watchdog = Watchdog(after, say)
    watchdog.start()
    return watchdog.finish


def _nothing() -> None:
    """Nobody wants to know."""
