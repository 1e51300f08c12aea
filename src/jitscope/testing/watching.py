"""When a test session begins to watch, and what happened since some moment in it."""

from __future__ import annotations

import sys

from jitscope.capture import autowatch, switches
from jitscope.capture.recorder import recorder
from jitscope.capture.sessions import MemorySession
from jitscope.capture.watch import install_loaded_frameworks
from jitscope.model.recording import Recording
from jitscope.model.report import Report

TURN_ON = "jitscope_watch = true in pytest's ini file (or pytest --jitscope) watches from the start"


class JitscopeWarning(UserWarning):
    """Something that jitscope was asked for could not be known."""


class _State:
    """What is known of the functions that were compiled before anything was watched."""

    def __init__(self) -> None:
        self.armed = False
        self.late = False
        self.before: tuple[str, ...] = ()


_state = _State()


def arm() -> None:
    """Watch what is jitted and compiled from now on; again, and with ``JITSCOPE=0``, does nothing."""
    if _state.armed or switches.OFF:
        return
    _state.armed = True
    loaded = [name for name in ("jax", "torch") if name in sys.modules]
    if autowatch.installed():  # jitscope run -m pytest
        return
    autowatch.install()
    if loaded:
        _state.late = True
        _state.before = tuple(autowatch.compiled_before())


def before() -> tuple[str, ...]:
    """Functions that were jitted or compiled before jitscope watched: their hits are not seen."""
    return _state.before


class Part:
    """What happens in this process from now on."""

    def __init__(self) -> None:
        arm()
        if _state.late:
            # What was compiled before goes past the functions that autowatch replaced.
            install_loaded_frameworks()
        self._first: MemorySession = recorder.open_part()
        self._session = self._first

    def restart(self) -> None:
        """Count from here on; what was compiled before, since the part began, is known to have been."""
        if self._session is not self._first:
            recorder.close_part(self._session)
        self._session = recorder.open_part()

    def close(self) -> None:
        """Collect no more."""
        recorder.close_part(self._session)
        recorder.close_part(self._first)

    def numbers(self) -> Report:
        """What happened so far, in numbers; what changed is told as far as this part knows.

        A compilation is one again where its program was compiled before since the part began: what tests before this
        one compiled makes no difference.
        """
        first = recorder.part(self._first)
        own = first if self._session is self._first else recorder.part(self._session)
        return _judged(first, own, first)

    def report(self) -> Report:
        """The same numbers, with what changed since anything in this process: it takes as long as there is much."""
        return _judged(recorder.snapshot(), recorder.part(self._session), recorder.part(self._first))


def _judged(whole: Recording, part: Recording, since: Recording) -> Report:
    # Imported where it is needed: a session that only watches is to begin at once.
    from jitscope.analysis.part import build_part_report

    return build_part_report(whole, part, since)
