"""Asking the gates before JAX compiles: when a trace begins, and when a lowering or a compile does without one."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from jitscope.capture.callsite import site_of
from jitscope.capture.frameworks import jax_function_privates as functions
from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.jax_context import settings_of
from jitscope.capture.frameworks.jax_owners import Place
from jitscope.capture.frameworks.jax_signature import program_signature
from jitscope.capture.gates import REFUSALS, Starting
from jitscope.capture.pending import Miss, book_of, find
from jitscope.model.events import CompilationEvent

if TYPE_CHECKING:
    from jitscope.capture.frameworks.jax_adapter import JaxAdapter

_LAYERS = ("trace", "lower", "compile")


class _Local(threading.local):
    asked: tuple[int, int] | None = None
    """Function and call whose trace the gates were asked about last in this thread."""


class JaxGate:
    """JAX's part of the gates.

    A trace is refused before the user's function runs, but only where JAX says that it really traces: it announces
    traces that it then finds in its cache. What compiles without a trace is refused before it is lowered, else before
    XLA begins.
    """

    def __init__(self, adapter: JaxAdapter) -> None:
        self.adapter = adapter
        self.gates = adapter.recorder.gates
        self._local = _Local()
        self._traces = privates.TraceAnnouncements(self._traced)
        self.gates.on_change.append(self._traces.switch)
        self._traces.switch(bool(self.gates.open))

    def _traced(self) -> None:
        """JAX traces a function now."""
        if self.gates.open and (privates.trace_state_clean is None or privates.trace_state_clean()):
            self.ask("trace", "", sys._getframe(2))

    def ask(self, kind: str, program: str, frame: FrameType) -> None:
        """Ask the gates about the phase that begins at ``frame``."""
        try:
            place = self.adapter.owners.locate(frame)
            if place.under == "aot" or place.staged is not None:
                return  # what is compiled ahead of time is meant to be
            if any("FloatingPoint" in one.__name__ for one in type(sys.exception()).__mro__):
                return  # jax_debug_nans looks for the operation, which it is about to tell
            miss = find(place.frame) if place.frame is not None else None
            starting = self._starting(kind, program, place, miss, frame)
        except Exception as error:
            self.adapter.recorder.internal_error("jax gate", error)
            return
        self._local.asked = (id(place.fun), id(miss)) if kind != "compile" else None
        try:
            self.gates.ask(starting)
        except REFUSALS as refusal:
            if miss is not None and kind != "trace" and isinstance(refusal, Exception):
                miss.refused = refusal
            raise
        except Exception as error:
            self.adapter.recorder.internal_error("gate", error)

    def _starting(self, kind: str, program: str, place: Place, miss: Miss | None, frame: FrameType) -> Starting:
        probe, region = place.probe, book_of(place.region) if place.region is not None else None
        book = probe.book if probe is not None else region
        name = probe.book.event.name if probe is not None else _name(place, program)
        return Starting(
            framework="jax",
            name=name,
            book=book,
            # Without a jitted function on the stack: a pmap, a shard_map outside of jit.
            library=place.library or (place.fun is None and place.probe is None),
            event=lambda: self._event(kind, program, place, miss, frame),
            unwritten=sum(span.kind == "compile" and span.failed is None for span in miss.details) if miss else 0,
            continues=kind != "trace" and self._local.asked == (id(place.fun), id(miss)),
        )

    def _event(self, kind: str, program: str, place: Place, miss: Miss | None, frame: FrameType) -> CompilationEvent:
        recorder = self.adapter.recorder
        book = place.probe.book if place.probe is not None else book_of(place.region) if place.region else None
        context = miss.context if miss is not None and miss.context is not None else privates.trace_context()
        return CompilationEvent(
            id=recorder.new_id(),
            function=book.id if book is not None else None,
            program=program.removeprefix("jit(").removesuffix(")") or functions.program_name(place.fun),
            framework="jax",
            call=book.next_ordinal() if book is not None else None,
            signature=self._signature(place, miss),
            site=site_of(miss.frame if miss is not None else frame),
            start=0.0,
            layers=_LAYERS[_LAYERS.index(kind) :],
            under=place.under,
            context=recorder.context(settings_of(context)) if book is not None else None,
            maker=self.adapter.owners.maker(place.fun) if place.probe is None else None,
        )

    def _signature(self, place: Place, miss: Miss | None) -> int | None:
        if place.probe is None:
            region = book_of(place.region) if place.region is not None else None
            return self.adapter.region_signature(place, region, []) if region is not None else None
        book = place.probe.book
        if place.under is not None or miss is None:
            if place.jaxpr is None:
                return None
            return book.signature_like(program_signature(privates.program_types(place.jaxpr), None)).id
        return book.signature_like(place.probe.reader.read(miss.args, miss.kwargs)).id


def _name(place: Place, program: str) -> str:
    """Qualified name of an unwatched function; of what is JAX's own, the program's."""
    code = functions.innermost_code(place.fun) if place.fun is not None and not place.library else None
    if code is not None:
        return code.co_qualname
    return program.removeprefix("jit(").removesuffix(")") or functions.program_name(place.fun)
