"""What the gates are told of a compile that Dynamo is about to start."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from jitscope.capture.frameworks.torch_metrics import CompileRecord, compilation_event
from jitscope.capture.gates import Starting
from jitscope.model.events import CompilationEvent, Site

if TYPE_CHECKING:
    from jitscope.capture.book import Book
    from jitscope.capture.pending import Miss
    from jitscope.capture.recorder import Recorder


def starting(recorder: Recorder, record: CompileRecord, book: Book | None, miss: Miss | None) -> Starting:
    """A frame's compile, seen from Dynamo's compile hook; its guards have been asked."""

    def event() -> CompilationEvent:
        read = record.signature or (miss.key if miss is not None else None)
        found = compilation_event(
            recorder.new_id(),
            record,
            (),
            function=book.id if book is not None else None,
            call=book.next_ordinal() if book is not None else None,
            signature=book.signature_like(read).id if book is not None and read is not None else None,
            wall_seconds=None,
        )
        return msgspec.structs.replace(found, layers=("dynamo", "compile"), failed=None)

    name = book.event.name if book is not None else record.code.co_qualname
    return Starting(
        framework="torch",
        name=name,
        book=book,
        library=False,
        event=event,
        unwritten=sum(one.made_code for one in miss.details) if miss is not None else 0,
    )


def starting_backward(recorder: Recorder, compile_id: str, book: Book | None, site: Site | None) -> Starting:
    """The compile of a backward graph, a phase of its forward's compilation ``."""

    def event() -> CompilationEvent:
        return CompilationEvent(
            id=recorder.new_id(),
            function=book.id if book is not None else None,
            program="backward",
            framework="torch",
            site=site,
            start=perf_counter(),
            layers=("backward", "compile"),
            under="backward",
            framework_id=compile_id,
        )

    return Starting(
        framework="torch",
        name=book.event.name if book is not None else f"the backward of compile {compile_id}",
        book=book,
        library=False,
        event=event,
        phase=True,
    )
