"""What became of the calls of one jitted function, and the compilation events that say it."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Collection, Hashable
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Any

import jax

from jitscope.capture.book import Book
from jitscope.capture.callsite import site_of
from jitscope.capture.decisions import Decisions
from jitscope.capture.frameworks import jax_function_privates as functions
from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.jax_context import settings_of
from jitscope.capture.frameworks.jax_decisions import differing, fixed
from jitscope.capture.frameworks.jax_signature import JaxSignatureReader, program_signature
from jitscope.capture.frameworks.jax_spans import Span
from jitscope.capture.gates import REFUSALS
from jitscope.capture.history import RunKey
from jitscope.capture.pending import Miss, book_of, collect, find, watched_frame
from jitscope.capture.spans import add as add_span
from jitscope.model.caching import CacheLookup
from jitscope.model.events import CacheSource, CompilationEvent, Phase, Site, Under
from jitscope.model.signature import Signature

if TYPE_CHECKING:
    from jitscope.capture.frameworks.jax_adapter import JaxAdapter


class Programs:
    """What was compiled, by signature, and which of it JAX has lost since: its caches were cleared, or shrank."""

    def __init__(self) -> None:
        self._made: set[Hashable] = set()
        self._lost: set[Hashable] = set()

    def lose_all(self) -> None:
        """Everything made so far is gone."""
        self._lost |= self._made
        self._made.clear()

    def again(self, program: Hashable) -> bool:
        """It is compiled now; None stands for one that is not known. Whether it had been before, and was lost."""
        lost = program in self._lost
        self._lost.discard(program)
        if program is not None:
            self._made.add(program)
        return lost


class JaxProbe:
    """Finds out what became of the calls of one jitted function."""

    def __init__(self, adapter: JaxAdapter, book: Book, jitted: Callable[..., Any]) -> None:
        self.adapter = adapter
        self.book = book
        self.info = privates.jit_info(jitted)
        fun: Any = getattr(jitted, "__wrapped__", jitted)
        # Weak: the wrapper keeps both alive, and what it watches must be able to go when it goes.
        self._jitted = weakref.ref(jitted)
        self._fun = weakref.ref(fun) if _weakly_referable(fun) else None
        self.fun_id = id(fun)
        self.sources = functions.sources_of(fun)
        self.reader = JaxSignatureReader(
            fun,
            tuple(getattr(self.info, "static_argnums", ()) or ()),
            tuple(getattr(self.info, "static_argnames", ()) or ()),
        )
        self._entries = privates.cache_size(jitted) or 0
        self._foreign = self._entries > 0
        """Whether the cache may hold entries that we did not see made: then a silent call can be a hit of any."""
        self._decisions: Decisions[Any] = Decisions(functools.partial(differing, self.reader), fixed)
        self._done: dict[Any, float] = {}
        """When the compilation of a signature under a context ended."""
        self._last_done = 0.0
        self.programs = Programs()
        self._raised: set[int] = set()
        """Hashes of keys whose last trace raised: JAX takes the next one for found in its cache."""
        self._stuck: set[int] = set()
        """Hashes of keys of which a call raised while it was no hit.

        JAX's C++ cache has an entry for them that is never filled: each later call takes the Python path (0.6.2 to
        0.12.0.1).
        """
        if self._foreign:
            adapter.recorder.note(
                "entries-before-watch",
                f"{book.event.name}: {self._entries} cache entries were made before jitscope watched it; "
                "their compile times are unknown",
                book.id,
            )

    def wraps(self, fun: Any) -> bool:
        """Whether this is the function inside."""
        return self._fun is not None and self._fun() is fun

    def function(self) -> Any:
        """What was jitted, or None where it is gone."""
        return self._fun() if self._fun is not None else None

    def cache_size(self) -> int:
        """Entries of the dispatch cache now; 0 where that can't be known."""
        return privates.cache_size(self._jitted()) or 0

    def forget(self) -> None:
        """Let go of the static arguments in the keys."""
        self.book.signatures.clear()
        self._decisions.clear()
        self._done.clear()
        self._raised.clear()
        self._stuck.clear()

    def signature_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
        """The signature of a call that adds nothing to the keys: staged, or past the wrapper; None if unreadable."""
        try:
            return self.book.signature_like(self.reader.read(args, kwargs)).id
        except Exception as error:
            self.adapter.recorder.internal_error("jax signature", error, self.book.id)
            return None

    def clearing(self, clear: Callable[..., Any]) -> Callable[..., Any]:
        """``clear_cache`` of a watched function: with its entries go the static arguments that our keys hold."""

        def clear_cache(*args: Any, **kwargs: Any) -> Any:
            result = clear(*args, **kwargs)
            self.cleared(self.cache_size())
            return result

        return clear_cache

    def cleared(self, entries: int) -> None:
        """JAX's caches of this function were emptied; ``entries`` are left."""
        self.forget()
        self.book.alarm()
        self._entries = entries
        self.programs.lose_all()

    def met_foreign_entry(self) -> None:
        """The cache was filled from elsewhere: read the signature of every call from now on."""
        self._foreign = True
        self.book.alarm()

    def enter(self) -> None:
        """Nothing to prepare."""

    def signatures_held(self) -> Collection[int]:
        """None: they are found by the keys, in the book."""
        return ()

    def settle(
        self, entered: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException | None
    ) -> None:
        """Enter the call in the book."""
        ended = perf_counter()
        frame = sys._getframe(2)
        announced = find(frame)
        if announced is not None and announced.key is not None:
            # Before it is no longer in flight, so that a thread that waited for it finds it in one place or the other.
            self._last_done = perf_counter()
            self._done[(announced.key, announced.context)] = self._last_done
        miss = collect(frame)
        if not self.adapter.announces:
            if miss is None:
                miss = self._unannounced(frame, args, kwargs)
            else:  # a compile told of it
                miss.nested = in_trace(args, kwargs)
        if miss is None:
            self._silent(entered, args, kwargs, error)
        elif miss.nested:
            self._write(miss, None, None)
            self.book.add(None, "nested")
        else:
            began = entered if entered > 0 else miss.start
            self._announced(miss, args, kwargs, error, (began, ended))
        self._rest()

    def _unannounced(self, frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Miss | None:
        """Without the hook: the cache's growth, or tracers among the arguments, tell a miss."""
        nested = in_trace(args, kwargs)
        if not nested and self.cache_size() <= self._entries:
            return None
        miss = Miss(self.book, frame, args, kwargs)
        miss.nested = nested
        miss.key = None if nested else self.reader.key_at_miss(args, kwargs)
        return miss

    def _silent(
        self, entered: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException | None
    ) -> None:
        if error is not None:
            self.book.add(None, "error")
            return
        if self.adapter.disable_jit_used and jax.config.jax_disable_jit:
            self.book.add(None, "eager_fallback")
            self.adapter.recorder.note(
                "jit-disabled", f"{self.book.event.name} was called while jax_disable_jit was set", self.book.id
            )
            return
        key = self.reader.key(args, kwargs)
        waited = (bool(self.book.in_flight) or 0 < entered < self._last_done) and self._waited(key, entered)
        signature = self.book.signature(key, lambda: self.reader.read(args, kwargs))
        with self.book.lock:
            self._decisions.add(key, args, kwargs)
        self.book.add(signature.id, "waited" if waited else "hit")

    def _waited(self, key: Any, entered: float) -> bool:
        """Whether another thread compiled this very signature, in the same context, since the call began."""
        compiled = (key, privates.trace_context())
        done = self._done.get(compiled)
        if done is not None and 0 < entered < done:
            return True
        # In flight, though this call is back: its thread has yet to settle.
        return any((miss.key, miss.context) == compiled for miss in self.book.in_flight)

    def _announced(
        self,
        miss: Miss,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        error: BaseException | None,
        times: tuple[float, float],
    ) -> None:
        with self.book.lock:
            size, before = self.cache_size(), self._entries
            grew = size > before
            self._entries = before + 1 if grew else size
        stuck = hash(miss.key) in self._stuck
        lost = miss.fast_path is True and 0 < size <= before and not stuck
        if miss.fast_path is not None:
            grew = miss.fast_path
        if lost:
            # Entries went otherwise than through a function that we follow: so did the static arguments in them.
            # Where JAX's cache is full, others are still there, and silent calls are hits of those.
            self._foreign = self._foreign or size > 1
            self.forget()
            self.programs.lose_all()
        signature = self._signature_at_miss(miss, args, kwargs, error)
        with self.adapter.recorder.lock:  # until it is entered, no other thread's call gets its ordinal
            self._enter_announced(miss, signature, error, times, grew=grew, stuck=stuck)
        if isinstance(error, REFUSALS):
            self._unstick()

    def _enter_announced(
        self,
        miss: Miss,
        signature: int | None,
        error: BaseException | None,
        times: tuple[float, float],
        *,
        grew: bool,
        stuck: bool,
    ) -> None:
        ordinal = self.book.next_ordinal()
        made = self._write(miss, signature, ordinal)
        if made:
            self.book.add(signature, "compile")
        elif error is not None:
            self.book.add(signature, "error")
        elif grew and not stuck:
            self.book.add(signature, "dispatch_miss")
        else:
            self.book.add(signature, "python_path")
            if stuck:
                self.adapter.recorder.note(
                    "python-path-after-error",
                    f"{self.book.event.name}: a call raised the first time with its signature; since then JAX takes "
                    "its slow Python path for that signature, until the function's clear_cache() is called",
                    self.book.id,
                )
        if made or miss.compiled:  # or it tried to, and raised
            self.adapter.recorder.flush_calls(self.book)
            self.adapter.recorder.compiling_call(self.book, ordinal, *times, site_of(miss.frame))

    def _unstick(self) -> None:
        """What we raised must not leave the signature on the Python path.

        The other signatures miss the C++ cache once for it, which compiles nothing.
        """
        if privates.clear_dispatch_cache(self._jitted()):
            self._stuck.clear()
            self._entries = self.cache_size()

    def _signature_at_miss(
        self, miss: Miss, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException | None
    ) -> int | None:
        """The signature of an announced call; None where it can't be read: the compilation is written all the same."""
        try:
            if miss.key is None:
                miss.key = self.reader.key_at_miss(args, kwargs)
            if error is not None:
                # Keys hold static arguments: a call that failed must not keep them alive.
                self._done.pop((miss.key, miss.context), None)
                self._stuck.add(hash(miss.key))
                if miss.refused is None:  # refused after its trace, it did not raise in it
                    self._raised.add(hash(miss.key))
                return self.book.signature_like(self.reader.read(args, kwargs)).id
            if hash(miss.key) in self._raised:
                self._raised.discard(hash(miss.key))
                for span in miss.details:
                    if not span.ran:
                        span.ran = True
                        add_span(span.kind, span.start, span.whole, span.program)
            with self.book.lock:
                self._decisions.add(miss.key, args, kwargs)
            return self.book.signature(miss.key, lambda: self.reader.read(args, kwargs)).id
        except Exception as problem:
            self.met_foreign_entry()  # from now on a silent call can be a hit of this one, too
            self.adapter.recorder.internal_error("jax signature", problem, self.book.id)
            return None

    def _write(self, miss: Miss, signature: int | None, ordinal: int | None) -> bool:
        """Write the compilations of a call. Returns whether anything came of it: a trace, a lowering, a program."""
        recorder = self.adapter.recorder
        wall = perf_counter() - miss.start
        ran = False
        site = site_of(miss.frame)
        outer = watched_frame(miss.frame.f_back)
        around = book_of(outer) if outer is not None else None
        for spans in _by_compilation(miss.details):
            layers = {span.kind for span in spans if span.ran}
            if not layers & {"lower", "compile"}:
                # Without a lowering the trace was found in JAX's cache, or belongs to the trace around us.
                continue
            ran = ran or spans[-1].failed is None
            under = next((span.under for span in spans if span.under), None)
            known = self._transformed(miss, spans) if under or signature is None else signature
            caches, keys = self.adapter.looked_up(spans[-1], self.function())
            recorder.compilation(
                compilation_event(
                    recorder.new_id(),
                    spans,
                    function=self.book.id,
                    call=ordinal,
                    signature=known,
                    site=site,
                    under=under or ("transform" if miss.nested else None),
                    wall_seconds=wall,
                    inside=around.id if around is not None else None,
                    inside_call=around.next_ordinal() if around is not None else None,
                    context=recorder.context(settings_of(miss.context)),
                    cleared=spans[-1].failed is None and self.programs.again(known),
                    caches=caches,
                ),
                self.book,
                keys,
            )
        return ran

    def _transformed(self, miss: Miss, spans: list[Span]) -> int | None:
        """The signature of a program that a transformation made of this call's, in the same names."""
        try:
            called = self.reader.read(miss.args, miss.kwargs)
        except Exception:  # a tracer that can't be asked
            called = None
        return program_signature_id(self.book, spans, called)

    def _rest(self) -> None:
        """Go quiet where a silent call can only be a hit of the signatures there are, and it is cheap to tell which."""
        book = self.book
        if self._foreign or book.incomplete or not self.adapter.announces or self.adapter.disable_jit_used:
            return
        if not book.signatures or self.cache_size() > self._entries:
            return
        if len(book.signatures) == 1:
            (signature,) = book.signatures.values()
            book.quiet(signature.id)
        elif len(book.signatures) == len(self._decisions):
            codes: dict[Any, RunKey] = {key: (one.id, "hit", None) for key, one in tuple(book.signatures.items())}
            count = self._decisions.counter(codes, book.log, book.log_is_full, self._unknown)
            if count is not None:
                book.several(count)

    def _unknown(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A silent call that none of the questions fit: its signature is read."""
        try:
            self._silent(0.0, args, kwargs, None)
        except Exception as error:
            self.adapter.recorder.internal_error("hit", error, self.book.id)


def _weakly_referable(value: Any) -> bool:
    try:
        weakref.ref(value)
    except TypeError:
        return False
    return True


def _by_compilation(spans: list[Span]) -> list[list[Span]]:
    """Cut a call's spans after each compile: a call can cause several."""
    groups: list[list[Span]] = [[]]
    for span in spans:
        groups[-1].append(span)
        if span.kind == "compile":
            groups.append([])
    return [group for group in groups if group]


def compilation_event(
    identity: int,
    spans: list[Span],
    *,
    function: int | None,
    call: int | None,
    site: Site | None,
    under: Under | None,
    signature: int | None = None,
    wall_seconds: float | None = None,
    library: bool = False,
    inside: int | None = None,
    inside_call: int | None = None,
    context: int | None = None,
    cleared: bool = False,
    caches: tuple[CacheLookup, ...] = (),
) -> CompilationEvent:
    """Put the spans of one compilation together; the last one is the compile, if there was one."""
    phases: list[Phase] = []
    for span in spans:
        if not span.ran:
            continue
        phases.append(Phase(span.kind, span.start, span.seconds))
        if span.cache_read:
            phases.append(Phase("cache_read", span.start, span.cache_read))
        if span.lookup is not None and span.lookup.write_seconds:
            phases.append(Phase("cache_write", span.start + span.seconds, span.lookup.write_seconds))
    last = spans[-1]
    return CompilationEvent(
        id=identity,
        function=function,
        program=last.program,
        library=library,
        framework="jax",
        call=call,
        signature=signature,
        site=site,
        start=spans[0].start,
        wall_seconds=wall_seconds,
        phases=tuple(phases),
        layers=tuple(span.kind for span in spans if span.ran),
        persistent_cache=_persistent(last, caches) if last.kind == "compile" else "unknown",
        caches=caches,
        under=under,
        inside=inside,
        inside_call=inside_call,
        context=context,
        cleared=cleared,
        maker=last.maker,
        failed=last.failed,
    )


def _persistent(span: Span, caches: tuple[CacheLookup, ...]) -> CacheSource:
    if span.cache_hit:
        return "hit"
    for each in caches:
        return "unknown" if each.result == "bypass" else each.result
    if not jax.config.jax_enable_compilation_cache or not jax.config.jax_compilation_cache_dir:
        return "off"
    return "miss"


def program_signature_id(book: Book, spans: list[Span], called: Signature | None = None) -> int | None:
    """The signature of a program that no call's arguments stand for (under a transformation, in a region)."""
    types = next((span.types for span in reversed(spans) if span.types is not None), None)
    return book.signature_like(program_signature(types, called)).id if types is not None else None


def in_trace(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call is made inside a trace: it is inlined there, and no call of the compiled function."""
    if privates.trace_state_clean is not None and not privates.trace_state_clean():
        return True
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves((args, kwargs)))
