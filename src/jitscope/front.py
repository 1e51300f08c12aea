"""`record`, `report` and `stats`: the recorder's values, for the program itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from jitscope.capture import switches
from jitscope.capture.labels import labels
from jitscope.capture.recorder import recorder
from jitscope.capture.sessions import FileSession
from jitscope.capture.watch import book_of, install_loaded_frameworks
from jitscope.errors import JitscopeError
from jitscope.model.notation import cut
from jitscope.model.report import FunctionReport, Report


class LiveReport:
    """A report of this process so far. ``str()`` is the text for a terminal; `value` is the report as a value."""

    def __init__(self, value: Report, source: str | None = None) -> None:
        self.value = value
        self._source = source

    def __str__(self) -> str:
        from jitscope.render.text import render_text

        return render_text(self.value, source=self._source)

    def __repr__(self) -> str:
        totals = self.value.totals
        return f"<jitscope report: {totals.calls} calls, {totals.compilations} compilations>"

    def _repr_html_(self) -> str:
        """For a notebook."""
        from jitscope.render.notebook import report_html

        return report_html(self.value)


class Stats(FunctionReport, frozen=True):
    """The numbers of one function, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        """For a notebook."""
        from jitscope.render.notebook import function_html

        return function_html(self)


class RecordingHandle:
    """What ``with jitscope.record(path) as rec`` binds: where the recording is."""

    def __init__(self, session: FileSession | None, path: Path) -> None:
        self._session = session
        self.path = path

    def report(self) -> LiveReport:
        """The report of what is on disk.

        Raises:
            JitscopeError: if the recording can't be read any more.
        """
        from jitscope.analysis.build import build_report
        from jitscope.store.reader import load

        if self._session is None:
            return report()
        if recorder.files.block is not self._session:
            return LiveReport(build_report(load(self.path)), str(self.path))
        end = recorder.end_of(self._session)
        recording = load(self.path)
        closed = msgspec.structs.replace(recording, events=(*recording.events, end))
        return LiveReport(build_report(closed), str(self.path))


@contextmanager
def record(
    path: str | os.PathLike[str] | None = None, *, force: bool = False, with_source: bool = False
) -> Iterator[RecordingHandle]:
    """Record everything that is compiled, and every call of watched functions, in a file while the block runs.

    Args:
        path: where to write (JSON Lines); by default ``.jitscope/<run-id>.jsonl``, or in ``JITSCOPE_DIR``.
        force: overwrite a file that exists.
        with_source: also write the three lines before and after each call that compiled, for the HTML report. Off
            by default: a recording is made to be passed on, and source code need not be.

    Raises:
        JitscopeError: if the path can't be written, or exists and ``force`` is not given.
        RuntimeError: if a recording is open already: recordings may not overlap.
    """
    if switches.OFF:
        yield RecordingHandle(None, Path(path or os.devnull))
        return
    install_loaded_frameworks()
    session = recorder.files.start_block(Path(path) if path is not None else None, force=force, with_source=with_source)
    try:
        yield RecordingHandle(session, session.path)
    finally:
        if recorder.files.block is session:
            recorder.files.stop_block()


@contextmanager
def label(text: str) -> Iterator[None]:
    """Name what happens in the block: reports and recordings then tell what was compiled under that name.

    ``with jitscope.label("epoch 1"): ...`` Inside of another label (or of a test under ``pytest --jitscope``) the names
    are joined: ``epoch 1 › evaluation``. A label holds for the whole process, not for one thread.

    Raises:
        TypeError: if ``text`` is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"jitscope.label takes a string, not {type(text).__qualname__}")
    if switches.OFF:
        yield
        return
    entered = labels.enter(cut(text))
    try:
        yield
    finally:
        labels.leave(entered)


def report() -> LiveReport:
    """The report of everything so far in this process. Print it."""
    from jitscope.analysis.build import build_report

    return LiveReport(build_report(recorder.snapshot()))


def stats(fn: Any) -> Stats:
    """The numbers of one watched function so far: ``stats(f).hits``, ``.compilations``, ``.signatures``, ...

    Args:
        fn: what `watch` returned.

    Raises:
        JitscopeError: if ``fn`` is not watched.
    """
    book = book_of(fn)
    if book is None:
        name = getattr(fn, "__qualname__", type(fn).__qualname__)
        raise JitscopeError(
            f"stats: {name} is not watched; pass what jitscope.watch returned"
            + (" (JITSCOPE=0 is set)" if switches.OFF else ""),
            slug="not-watched",
        )
    found = next((function for function in report().value.functions if function.id == book.id), None)
    if found is None:
        if book.history.counts:
            raise JitscopeError(
                f"stats: {book.event.name} is one of very many functions; the report tells it with the first of its "
                "source",
                slug="added-up",
            )
        from jitscope.analysis.build import empty_function_report

        found = empty_function_report(book.event)
    return Stats(**{name: getattr(found, name) for name in found.__struct_fields__})
