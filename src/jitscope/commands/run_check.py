"""``jitscope run --check``: when the program has ended well, its recording is held against the budget."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

# Imported before the program starts, which may have modules of its own by the names of those that these need.
from jitscope.analysis.budget import evaluate
from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.capture.recorder import recorder
from jitscope.commands.budget import required
from jitscope.commands.output import write_err
from jitscope.errors import OVER_BUDGET
from jitscope.model.recording import Recording
from jitscope.store.reader import load


class Gate:
    """The budget of the folder that the program is started in."""

    def __init__(self) -> None:
        """Read the budget.

        Raises:
            JitscopeError: if there is none, or it is wrong.
        """
        self._budget = required()
        self._pid = os.getpid()
        self._ended_well = False
        self._failed = False

    def run(self, program: Callable[[], None], recording: Path, others: Callable[[], list[Path]]) -> None:
        """Run ``program``, which makes ``recording``, and in other processes ``others``.

        Where it ends well, and its threads have ended, and it is over budget, exit with 3.

        The code must be known before Python runs the exit functions: after that it can only be changed by ending the
        process at once, and files that the program has left open would not be written.
        """
        finished: SystemExit | None = None
        try:
            program()
        except SystemExit as end:
            if end.code not in (None, 0):
                raise
            finished = end
        if os.getpid() != self._pid:  # a fork, which the budget is not about
            if finished is not None:
                raise finished
            return
        try:
            # What Python does first when it ends; doing it twice does nothing (CPython 3.11 to 3.14).
            wait = getattr(threading, "_shutdown", None)
            if wait is not None:
                wait()
        except KeyboardInterrupt:
            return  # Python goes on ending, too
        self._ended_well = True
        try:
            self._failed = not evaluate(build_report(_with_others(_so_far(recording), others())), self._budget).within
        except Exception as error:  # noqa: BLE001  # a recording that was taken away: no limit can be said to be kept
            write_err(f"jitscope: error: the budget could not be checked ({type(error).__name__}: {error})\n")
            self._failed = True
        if self._failed:
            raise SystemExit(OVER_BUDGET)
        if finished is not None:
            raise finished

    def say(self, recording: Path, shown: str, others: Callable[[], list[Path]]) -> None:
        """Print what became of the budget; the recording is closed. To be called last."""
        if not self._ended_well:
            write_err("jitscope: the program did not end well: its budget was not checked\n")
            return
        try:
            from jitscope.render.budget_text import render_budget_text
            from jitscope.render.page import terminal_color

            result = evaluate(build_report(_with_others(load(recording), others())), self._budget)
            text = render_budget_text(result, source=shown, color=terminal_color(sys.__stderr__))
            if not result.within and not self._failed:
                text += "jitscope: exceeded by exit functions only, which run after the exit code is set\n"
        except Exception as error:  # noqa: BLE001  # whatever the program has done to this process
            text = f"jitscope: no budget shown ({type(error).__name__}: {error}); try jitscope check {shown}\n"
        write_err(f"\n{text}")


def _with_others(first: Recording, others: Sequence[Path]) -> Recording:
    """The recordings of all processes of the program, as one."""
    return combine([first, *(load(path) for path in others)])


def _so_far(path: Path) -> Recording:
    """The recording of the run that is still open, as if it ended now."""
    if recorder.files.run is None:
        return load(path)
    end = recorder.end_of(recorder.files.run)
    recording = load(path)
    return msgspec.structs.replace(recording, events=(*recording.events, end), wall_seconds=end.wall_seconds)
