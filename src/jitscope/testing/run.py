"""``pytest --jitscope``: the recording of a whole test run, a label for each test, and its summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from jitscope.analysis.build import build_report
from jitscope.analysis.tests_run import RunSummary, added_up, summary_of
from jitscope.capture import switches
from jitscope.capture.labels import labels
from jitscope.capture.recorder import recorder
from jitscope.model.notation import cut
from jitscope.store.locate import default_path
from jitscope.store.reader import load
from jitscope.testing.watching import arm

TEXT = 1000
"""Longest test id that is kept."""


class WorkerOrder(msgspec.Struct, frozen=True):
    """What the controller of pytest-xdist tells a worker."""

    path: str
    program: str
    process: str


class TestRun:
    """Records this process, or puts together what the workers of pytest-xdist recorded."""

    __test__ = False

    def __init__(self) -> None:
        self.durations: dict[str, float] = {}
        """Seconds by test: setup, call and teardown."""
        self._path: Path | None = None
        self._own = False
        self._orders: dict[str, WorkerOrder] = {}
        self._found: list[RunSummary] = []
        self._lost: list[str] = []

    # -- this process --------------------------------------------------------------------------

    def start(self, path: Path | None, order: WorkerOrder | None = None) -> None:
        """Record from now on.

        Raises:
            JitscopeError: if the file exists, or can't be written.
        """
        if switches.OFF:
            return
        arm()
        if recorder.files.run is not None:  # jitscope run -m pytest --jitscope
            self._path = recorder.files.run.path
            return
        if order is not None:
            session = recorder.files.start_run(
                Path(order.path), force=False, program=order.program, process=order.process
            )
        else:
            session = recorder.files.start_run(path, force=False)
        self._path, self._own = session.path, True

    def enter(self, test: str) -> object:
        """A test begins."""
        return labels.enter(cut(test, TEXT))

    def leave(self, entered: object) -> None:
        """It has ended."""
        labels.leave(entered)

    def stop(self) -> None:
        """Record no more."""
        if self._own:
            self._own = False
            recorder.files.stop_run()
        else:
            recorder.flush()

    def result(self) -> bytes | None:
        """The numbers of this process, for the controller; None where nothing was recorded."""
        return msgspec.json.encode(self._summary()) if self._path is not None else None

    # -- the controller of pytest-xdist ----------------------------------------------------------

    def order(self, worker: str, path: Path | None) -> bytes:
        """What to tell a worker: a file of its own beside the one that was asked for."""
        program = recorder.memory.header.run
        base = path if path is not None else default_path(program)
        order = WorkerOrder(str(base.with_name(f"{base.stem}-{worker}{base.suffix}")), program, worker)
        self._orders[worker] = order
        return msgspec.json.encode(order)

    def worker_ended(self, worker: str, result: bytes | None) -> None:
        """A worker is done, or gone."""
        if result is not None:
            self._found.append(msgspec.json.decode(result, type=RunSummary))
        elif not switches.OFF:
            order = self._orders.get(worker)
            path = f" (what it recorded: {order.path})" if order is not None else ""
            self._lost.append(f"worker {worker}{path}")

    # -- at the end --------------------------------------------------------------------------------

    def took(self, test: str, seconds: float) -> None:
        """A part of a test took this long."""
        test = cut(test, TEXT)
        self.durations[test] = self.durations.get(test, 0.0) + seconds

    def text(self, *, width: int, color: bool) -> str:
        """The summary."""
        from jitscope.render.tests_run import render_tests_run

        if switches.OFF:
            return "JITSCOPE=0 is set: nothing was watched or recorded\n"
        run = self._summary() if self._path is not None else added_up(self._found, self._lost)
        return render_tests_run(run, self.durations, width=width, color=color)

    def _summary(self) -> RunSummary:
        assert self._path is not None
        return summary_of(build_report(load(self._path)), str(self._path))


def order_of(encoded: Any) -> WorkerOrder | None:
    """What the controller told this worker."""
    return msgspec.json.decode(encoded, type=WorkerOrder) if encoded is not None else None
