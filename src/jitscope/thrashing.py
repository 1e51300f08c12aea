"""The warning about a function that recompiles on many of its calls, while the program runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from jitscope.analysis.build import build_report
from jitscope.analysis.grouping import by_source
from jitscope.capture.recorder import recorder
from jitscope.model.events import ContextEvent, EndEvent, FunctionEvent
from jitscope.model.notation import printable
from jitscope.render.thrashing import thrashing_text

if TYPE_CHECKING:
    from jitscope.capture.book import Book
    from jitscope.model.recording import Recording


def warn(book: Book, recompiled: int, calls: int) -> None:
    """Say through the logger ``jitscope`` that ``recompiled`` of the last ``calls`` calls of a function recompiled.

    Without a handler of the program's the line goes to standard error. It is a log line and no `warnings.warn`, so
    that a program that turns warnings into errors runs on.
    """
    report = build_report(_only(recorder.snapshot(drain=False), book.event))
    if not report.functions:
        return  # one of so many sources that they are told as one
    text = thrashing_text(by_source(report.functions)[0], report.findings, recompiled, calls)
    logging.getLogger("jitscope").warning("%s", printable(text))


def _only(recording: Recording, function: FunctionEvent) -> Recording:
    """What a recording holds of the functions that share a source with ``function``."""
    same = {
        event.id for event in recording.events if isinstance(event, FunctionEvent) and event.source == function.source
    }
    events = tuple(
        event
        for event in recording.events
        if (event.id in same if isinstance(event, FunctionEvent) else getattr(event, "function", None) in same)
        or isinstance(event, (ContextEvent, EndEvent))
    )
    return msgspec.structs.replace(recording, events=events)
