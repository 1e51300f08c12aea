"""One process of a program whose processes are followed: a recording of its own, once there is something to."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from jitscope._startup import Member, report_of
from jitscope.capture import autowatch
from jitscope.capture.recorder import recorder
from jitscope.capture.watchdog import watch_long_compiles

_LAST = -1000
"""Priority of what multiprocessing does at the end of a child: after everything else."""


def begin(member: Member) -> tuple[Any, Callable[[], None]]:
    """Watch this process from now on. Returns the finder that is at the head of `sys.meta_path`, and what ends it."""
    follow_forks(member)
    recorder.files.follow(member)
    finish = watch_long_compiles()

    def end() -> None:
        finish()
        recorder.files.stop_run()
        if member.parent is None:
            report_of(member)

    if member.parent is None and threading.current_thread() is threading.main_thread():
        from jitscope.capture.ending import Ending

        return autowatch.install(), Ending(end, in_child=recorder.files.stop_run).end
    return autowatch.install(), end


def follow_forks(member: Member) -> None:
    """See to it that forked children end their recordings, too.

    Those of multiprocessing end with `os._exit`, which runs no exit functions; they run what is registered with
    `multiprocessing.util.Finalize` instead, after they have forgotten what their parent had registered.
    """
    followed = _Forks(member)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=followed.before_fork)
    if member.forked:
        followed.before_fork()
        followed.in_child()


class _Forks:
    """Kept alive by the hook; multiprocessing holds it weakly."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._known = False

    def before_fork(self) -> None:
        """Tell multiprocessing, as soon as it is there."""
        util = sys.modules.get("multiprocessing.util")
        if util is not None and not self._known:
            self._known = True
            util.register_after_fork(self, _Forks.in_child)

    def in_child(self) -> None:
        """A child of multiprocessing's begins, or has begun."""
        util = sys.modules.get("multiprocessing.util")
        self._member.after_fork_in_child()
        if util is not None and self._member.forked:
            util.Finalize(None, recorder.files.stop_run, exitpriority=_LAST)
