"""Whose compile is it: from a compile event's stack to the watched function, the call, the transformation."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from jitscope.capture.book import Book
from jitscope.capture.callsite import is_internal
from jitscope.capture.frameworks import jax_function_privates as functions
from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.jax_probe import JaxProbe
from jitscope.capture.frameworks.jax_spans import Span
from jitscope.capture.pending import book_of, is_watched, watched_frame
from jitscope.capture.region import RegionProbe
from jitscope.model.events import Under

Source = tuple[str, str, int]
"""Name, file and first line of a function."""


@dataclass(slots=True)
class Staged:
    """What ``lower()`` or ``trace()`` of a watched function returned, and what had run for it until then."""

    probe: JaxProbe
    spans: list[Span]
    signature: int | None = None
    """Of the arguments that it was staged for."""
    settings: dict[str, str] | None = None
    """The configuration and the contexts then: those of its compile do not count."""


@dataclass(slots=True)
class Place:
    """Where on the stack an event fired: whose program it is."""

    probe: JaxProbe | None = None
    under: Under | None = None
    frame: FrameType | None = None
    """The `watched` frame of the call that caused it."""
    fun: Any = None
    library: bool = False
    staged: Staged | None = None
    region: FrameType | None = None
    inside: Book | None = None
    compiler_options: Any = None
    """What ``Lowered.compile`` was given."""
    call: Mapping[str, Any] | None = None
    """Local variables of the call's Python side in JAX: ``fun``, ``jit_info``, ``args``, ``kwargs``."""
    jaxpr: Any = None
    """The program about to be compiled, where the stack shows it."""


class Owners:
    """The watched functions, by what a frame can tell of them."""

    def __init__(self) -> None:
        self._by_info: dict[int, JaxProbe] = {}
        self._by_fun: dict[int, list[JaxProbe]] = {}
        self.last_nested: dict[Source, JaxProbe] = {}
        """By source: whose function was traced into something last; a backward program that follows is its."""
        self.staged: weakref.WeakKeyDictionary[Any, Staged] = weakref.WeakKeyDictionary()
        self._roles: dict[int, tuple[CodeType, str | None]] = {}
        """By `id`, as with `pending.is_watched`."""
        self._numbers: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._made = itertools.count(1)

    def add(self, probe: JaxProbe) -> None:
        """From now on its compiles are found."""
        self._by_info[id(probe.info)] = probe
        self._by_fun.setdefault(probe.fun_id, []).append(probe)

    def remove(self, probe: JaxProbe) -> None:
        """Its function is gone."""
        if self._by_info.get(id(probe.info)) is probe:
            del self._by_info[id(probe.info)]
        siblings = self._by_fun.get(probe.fun_id, [])
        if probe in siblings:
            siblings.remove(probe)
            if not siblings:
                del self._by_fun[probe.fun_id]
        for source in probe.sources:
            if self.last_nested.get(source) is probe:
                del self.last_nested[source]

    def probes(self) -> list[JaxProbe]:
        """All of them."""
        return list(self._by_info.values())

    def maker(self, fun: Any) -> tuple[str, int, int] | None:
        """File and line of the user's function that is compiled, and the number of the object that was jitted."""
        code = functions.innermost_code(fun)
        return (code.co_filename, code.co_firstlineno, self.number(fun)) if code is not None else None

    def number(self, fun: Any) -> int:
        """A number that no other function object gets, not even one that equals it, or one at its address later."""
        known = self._numbers.get(id(fun))
        if known is not None and known[0]() is fun:
            return known[1]
        number = next(self._made)
        try:
            place = id(fun)
            self._numbers[place] = (weakref.ref(fun, lambda _: self._numbers.pop(place, None)), number)
        except TypeError:  # not weakly referable
            pass
        return number

    def probe_of(self, info: Any) -> JaxProbe | None:
        """The probe of the jitted function with this ``PjitInfo``."""
        probe = self._by_info.get(id(info))
        return probe if probe is not None and probe.info is info else None

    def of_function(self, fun: Any) -> Iterator[JaxProbe]:
        """The probes of all jits of this function."""
        for probe in list(self._by_fun.get(id(fun), ())):
            if probe.wraps(fun):
                yield probe

    def role(self, code: CodeType) -> str | None:
        """What a frame of JAX's stands for (`jax_function_privates.role`)."""
        known = self._roles.get(id(code))
        if known is None:
            known = self._roles[id(code)] = (code, functions.role(code))
        return known[1]

    def locate(self, start: FrameType) -> Place:
        """Walk outwards from a compile event to the call that it belongs to."""
        place = Place()
        frame: FrameType | None = start
        jaxpr: Any = None
        while frame is not None:
            code = frame.f_code
            role = "watched" if is_watched(code) else self.role(code)
            if role is None:
                pass
            elif role in ("call", "aot"):
                found = frame.f_locals
                jitted = found.get("jit_func")
                info = found.get("jit_info") if jitted is None else privates.jit_info(jitted)
                place.call = found if jitted is None and "args" in found else None
                place.fun = found.get("fun") if jitted is None else getattr(jitted, "_fun", None)
                place.probe = self.probe_of(info)
                if role == "aot":
                    place.under = place.under or "aot"
                break
            elif role == "stage":
                place.staged = self._staged_by(frame.f_locals.get("self"))
                place.compiler_options = frame.f_locals.get("compiler_options")
                place.probe = place.staged.probe if place.staged is not None else None
                place.under = "aot"
                break
            elif role == "impl":
                jaxpr = place.jaxpr = frame.f_locals.get("jaxpr", jaxpr)
            elif role == "backward":
                place.under = "backward"
                place.probe = self.last_nested.get(functions.source_of(jaxpr) or ("", "", 0))
                break
            elif role in ("vmap", "grad"):
                place.under = "vmap" if role == "vmap" else "grad"
            elif role == "watched":
                break
            frame = frame.f_back
        if place.fun is not None and place.probe is None:
            place.library = str(getattr(place.fun, "__module__", "")).split(".")[0] in ("jax", "jaxlib")
        if place.probe is not None and place.under not in ("backward", "aot"):
            place.frame = self._calling_frame(frame, place.probe.book)
        if place.probe is None:
            outer = watched_frame(frame)
            place.inside = book_of(outer) if outer is not None else None
            while outer is not None:
                book = book_of(outer)
                if book is not None and isinstance(book.probe, RegionProbe):
                    place.region = outer
                    break
                outer = watched_frame(outer.f_back)
        return place

    def _staged_by(self, stage: Any) -> Staged | None:
        try:
            return self.staged.get(stage)
        except TypeError:
            return None

    def _calling_frame(self, frame: FrameType | None, book: Book) -> FrameType | None:
        """The `watched` frame that called JAX directly, or None where the bare function was called."""
        frame = frame.f_back if frame is not None else None
        while frame is not None:
            if is_watched(frame.f_code):
                return frame if book_of(frame) is book else None
            if not is_internal(frame.f_code.co_filename):
                return None
            frame = frame.f_back
        return None
