"""The end of a program: something to be done once, whichever way it ends.

By itself, by an exception or by Ctrl-C: after its threads and its exit functions. By SIGTERM (or SIGHUP): at once,
and then the signal does what it would have done. A process that is killed, or that calls `os._exit`, has no end.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_SOON = 0.002
"""Seconds; the recorder is done with an event in less."""
_TRIES = 20
"""A program that does nothing but record ends all the same; the last counts may be lacking then."""
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_BETWEEN = (sysconfig.get_path("stdlib") + os.sep, "<frozen")


class Ending:
    """Calls a function when the process ends, and another one, if any, when a fork of it does."""

    def __init__(self, at_end: Callable[[], None], in_child: Callable[[], None] | None = None) -> None:
        """Must be made in the main thread, before the program registers its own exit functions: they run before."""
        self._at_end: Callable[[], None] | None = at_end
        self._in_child = in_child
        self._pid = os.getpid()
        self._tries = 0
        self._handled = [number for number in _SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
        for number in self._handled:
            signal.signal(number, self._on_signal)
        atexit.register(self.end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._after_fork_in_child
            )

    def cancel(self) -> None:
        """There is nothing to end after all."""
        self._at_end = None

    def end(self) -> None:
        """This is the end; calling again does nothing."""
        at_end, self._at_end = self._at_end, None
        if at_end is not None and os.getpid() == self._pid:
            at_end()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if _busy(frame) and self._tries < _TRIES:
            # In the middle of the recorder's work: it comes again when that may be done.
            self._tries += 1
            again = threading.Timer(_SOON, os.kill, (self._pid, number))
            again.daemon = True
            again.start()
            return
        try:
            self.end()
        finally:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _before_fork(self) -> None:
        """A child is terminated as ever, also by a signal that comes before Python could handle one in there."""
        _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._handled)

    def _after_fork(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)

    def _after_fork_in_child(self) -> None:
        self._at_end, self._pid = self._in_child, os.getpid()
        for number in self._handled:
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, signal.SIG_DFL)
        self._after_fork()


class _Forking(threading.local):
    mask: Iterable[int] = ()
    """Signals that were blocked in this thread before it forked."""


_forking = _Forking()


def _busy(frame: FrameType | None) -> bool:
    """Whether the interrupted code is jitscope's, or what it calls."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_OWN):
            # The wrapper has nothing that could be left half done.
            return not name.endswith(("watched.py", "launch.py"))
        if not name.startswith(_BETWEEN):
            return False
        frame = frame.f_back
    return False


def flush_output() -> None:
    """What the program has printed so far comes before what is printed about it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError, RuntimeError):
            # Closed, replaced, or interrupted while writing: the interpreter says what there is to say.
            continue
