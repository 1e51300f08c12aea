"""JAX: which calls missed, what ran because of it, and whose compilation it was.

Evidence: `jax.monitoring` events (trace, lower, compile, persistent cache), the hook that runs whenever a call
leaves the C++ fast path, and the size of the dispatch cache. An event's owner is found by walking the Python
stack, which only happens on a miss.
"""

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections.abc import Callable
from time import perf_counter
from types import FrameType
from typing import Any

import jax
import msgspec
from jax import monitoring

import jitscope
from jitscope.capture import entry, progress, spans
from jitscope.capture.book import Book
from jitscope.capture.callsite import is_internal, site_of
from jitscope.capture.frameworks import jax_cache_privates
from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.capability import note_text
from jitscope.capture.frameworks.captured import captured_values
from jitscope.capture.frameworks.jax_context import settings_of
from jitscope.capture.frameworks.jax_disk_cache import DiskCache
from jitscope.capture.frameworks.jax_gate import JaxGate
from jitscope.capture.frameworks.jax_owners import Owners, Place, Staged
from jitscope.capture.frameworks.jax_probe import JaxProbe, Programs, compilation_event, in_trace, program_signature_id
from jitscope.capture.frameworks.jax_signature import JaxSignatureReader, sharding_text
from jitscope.capture.frameworks.jax_spans import Span, SpanKeeper
from jitscope.capture.gates import REFUSALS
from jitscope.capture.pending import Miss, book_of, find, find_outermost, is_watched, local, push, watched_frame
from jitscope.capture.recorder import Recorder
from jitscope.model.caching import CacheKeyEvent, CacheLookup
from jitscope.model.notation import cut
from jitscope.model.signature import Signature

_KINDS = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
}
_CACHE_HIT = "/jax/compilation_cache/cache_hits"
_CACHE_WRITE = "/jax/compilation_cache/cache_misses"
"""Sent where an entry is about to be written, and only there."""
_CACHE_READ = "/jax/compilation_cache/cache_retrieval_time_sec"


class JaxAdapter:
    """JAX's process-wide part: listeners and the hook."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.owners = Owners()
        self._disk = DiskCache(recorder)
        self._spans = SpanKeeper(self._finished, self._disk.take)
        self._warned_order: set[int] = set()
        self._in_regions = Programs()
        self.announces = privates.can_hook
        """Whether calls that are no hits announce themselves."""
        self.disable_jit_used = bool(jax.config.jax_disable_jit)
        """Whether `jax.disable_jit` was ever used: it can be set for one thread, so each call asks from then on."""
        self.gate = JaxGate(self)
        self._install()

    def _install(self) -> None:
        if not privates.on_disable_jit(self._on_disable_jit):
            self._lacks("jax-disable-jit")
        for path in (os.path.dirname(os.path.abspath(jitscope.__file__)), *entry.FILES):
            privates.hide_frames_of(path)
        privates.on_clear_caches(self._on_clear_caches)
        privates.on_backend_start(self._on_backend_start)
        # Never unregistered: JAX before 0.8 can't, and the listeners cost nothing but on compiles.
        monitoring.register_event_duration_secs_listener(self._on_duration)
        monitoring.register_event_listener(self._on_event)
        if privates.register_scalar_listener is not None:
            privates.register_scalar_listener(self._on_scalar)
        else:
            self._lacks("jax-no-span-starts")
        if not self.announces:
            self._lacks("jax-no-hook")
            return
        original = getattr(privates.pjit, privates.HOOK)
        announce = self._announce

        def hook(fun: Any, jit_info: Any, args: Any, kwargs: Any) -> Any:
            announce(fun, jit_info, args, kwargs)
            return original(fun, jit_info, args, kwargs)

        hook.__wrapped__ = original  # type: ignore[attr-defined]
        setattr(privates.pjit, privates.HOOK, hook)
        privates.on_fast_path(self._on_fast_path)  # without it the growth of the cache tells

    def _lacks(self, slug: str) -> None:
        """Say what can't be seen."""
        self.recorder.note(slug, note_text(privates.CAPABILITIES, slug, f"jax {jax.__version__}"))

    def _on_fast_path(self, found: bool) -> None:
        """JAX decided whether the call under way gets an entry in the C++ cache."""
        try:
            if local.misses:
                frame = watched_frame(sys._getframe(3))
                miss = find(frame) if frame is not None else None
                if miss is not None:
                    # The call's own decision comes last: what runs inside of it has decided before.
                    miss.fast_path = found
        except Exception as error:
            self.recorder.internal_error("jax fast path", error)

    def _on_clear_caches(self) -> None:
        try:
            for probe in self.owners.probes():
                probe.cleared(entries=0)
            self._in_regions.lose_all()
        except Exception as error:
            self.recorder.internal_error("jax clear_caches", error)

    def _on_backend_start(self, platform: str, seconds: float) -> None:
        try:
            name, began = f"start jax {platform}", perf_counter() - seconds
            spans.add(name, began, seconds)
            self.recorder.started(name, began, seconds)
        except Exception as error:
            self.recorder.internal_error("jax backend", error)

    def _on_disable_jit(self, value: object) -> None:
        if value:
            self.disable_jit_used = True
            for probe in self.owners.probes():
                probe.book.alarm()

    # -- what Recorder asks --------------------------------------------------------------------

    def drain(self) -> None:
        """Nothing is kept back."""

    def versions(self) -> dict[str, str]:
        """Versions of jax and jaxlib."""
        import jaxlib

        return {"jax": jax.__version__, "jaxlib": str(jaxlib.__version__)}

    def devices(self) -> tuple[str, ...]:
        """Kinds of JAX's devices, if a runtime runs."""
        if not privates.backend_started():
            return ()
        kinds = [device.device_kind for device in jax.local_devices()]
        return tuple(f"jax: {kind} x{kinds.count(kind)}" for kind in dict.fromkeys(kinds))

    def rank(self) -> tuple[int, int] | None:
        """Of ``jax.distributed``, once it is initialised."""
        return privates.distributed_rank()

    def forked(self) -> None:
        """Another thread may have been at the keys."""
        self._disk.forked()

    # -- watching ------------------------------------------------------------------------------

    def watch(self, probe: JaxProbe) -> None:
        """Listen for a function's misses."""
        self.owners.add(probe)

    def forget(self, probe: JaxProbe) -> None:
        """The watched function is gone: keep what it did, let go of what it held."""
        self.owners.remove(probe)
        probe.forget()

    def staging(self, method: Callable[..., Any], probe: JaxProbe) -> Callable[..., Any]:
        """``lower`` or ``trace`` of a watched function: what they return keeps its owner."""

        def stage(*args: Any, **kwargs: Any) -> Any:
            self._spans.staging.clear()
            made = method(*args, **kwargs)
            try:
                self.owners.staged[made] = Staged(
                    probe,
                    [span for owner, span in self._spans.staging if owner is probe],
                    probe.signature_of(args, kwargs),
                    settings_of(privates.trace_context()),
                )
            except TypeError:  # not weakly referable in this version: its compile is listed without an owner
                self.recorder.note("jax-staged", f"{type(made).__name__}.compile() can't be attributed", probe.book.id)
            return made

        return functools.wraps(method)(stage)

    def _announce(self, fun: Any, jit_info: Any, args: Any, kwargs: Any) -> None:
        """A call left the fast path. Runs inside the call, before anything is traced."""
        try:
            probe = self.owners.probe_of(jit_info)
            if probe is not None:
                self._announce_watched(probe, args, kwargs)
            for other in self.owners.of_function(fun):
                if other is not probe:
                    # Another jit of the same function: with the same options it shares the cache.
                    other.met_foreign_entry()
            if getattr(fun, "__jitscope_region__", False) and id(fun) not in self._warned_order:
                self._warned_order.add(id(fun))
                _warn_order(fun.__qualname__)
        except Exception as error:
            self.recorder.internal_error("jax announce", error)

    def _announce_watched(self, probe: JaxProbe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        frame: FrameType | None = sys._getframe(3)
        while frame is not None and not is_watched(frame.f_code):
            if not is_internal(frame.f_code.co_filename):
                break  # called past the wrapper, through the bare jitted object
            if self.owners.role(frame.f_code) == "aot":
                return  # .lower() and .trace() add no entry
            frame = frame.f_back
        if frame is None or not is_watched(frame.f_code) or book_of(frame) is not probe.book:
            probe.met_foreign_entry()
            if not in_trace(args, kwargs):
                # A compile follows, or none: this is the only time that its arguments are seen.
                self._spans.bare = (probe, probe.signature_of(args, kwargs))
            return
        miss = find(frame)
        if miss is None:
            miss = Miss(probe.book, frame, args, kwargs)
            miss.nested = in_trace(args, kwargs)
            if miss.nested:
                self.owners.last_nested.update(dict.fromkeys(probe.sources, probe))
            miss.context = None if miss.nested else privates.trace_context()
            try:
                miss.key = None if miss.nested else probe.reader.key_at_miss(args, kwargs)
            finally:
                push(miss)

    # -- monitoring events ---------------------------------------------------------------------

    def _on_scalar(self, name: str, value: float, **kwargs: Any) -> None:
        try:
            kind = _KINDS.get(name)
            if kind is not None:
                if kind != "trace" and self.recorder.gates.open:
                    self.gate.ask(kind, str(kwargs.get("fun_name", "")), sys._getframe(1))
                if self._spans.idle:
                    progress.started("jax", str(kwargs.get("fun_name", "")), find_outermost())
                self._spans.opened(kind, privates.trace_misses() if kind == "trace" else None)
        except REFUSALS:
            raise
        except Exception as error:
            self.recorder.internal_error("jax listener", error)

    def _on_event(self, name: str, **kwargs: Any) -> None:
        if name == _CACHE_HIT:
            self._spans.cache_hit()
        elif name == _CACHE_WRITE:
            jax_cache_privates.writing()

    def _on_duration(self, name: str, seconds: float, **kwargs: Any) -> None:
        # An exception here would reach the user: JAX calls listeners unprotected.
        try:
            kind = _KINDS.get(name)
            if kind is not None:
                traced = privates.trace_misses() if kind == "trace" else None
                self._spans.closed(kind, str(kwargs.get("fun_name", "")), seconds, traced)
                if self._spans.idle:
                    progress.stopped()
            elif name == _CACHE_READ:
                self._spans.cache_read(seconds)
        except Exception as error:
            self.recorder.internal_error("jax listener", error)

    def _finished(self, span: Span, nested: bool) -> bool:
        """Give a finished span to its owner. Returns whether it is the owner's own (and not part of an outer span)."""
        if span.kind == "trace" and nested and not local.misses:
            return False
        place = self.owners.locate(sys._getframe(2))
        if place.probe is not None and place.frame is not None:
            miss = find(place.frame)
            if miss is None:
                miss = Miss(place.probe.book, place.frame, (), {})
                push(miss)
            if span.kind == "trace" and nested and (miss.nested or place.under):
                return False
            span.under = place.under
            if span.kind == "compile" and place.under:
                span.types = privates.program_types(place.jaxpr)
            miss.details.append(span)
            miss.compiled = miss.compiled or span.kind == "compile"
            return True
        if span.kind == "trace" and nested:
            return False
        self._orphan(span, place)
        return True

    def _orphan(self, span: Span, place: Place) -> None:
        """A span that belongs to no watched call: a backward program, an ahead-of-time compile, an eager operation."""
        if place.under == "aot" and place.probe is not None and span.kind != "compile":
            self._spans.staging.append((place.probe, span))
            return
        if place.staged is not None:
            mine = [*place.staged.spans, span]
            place.staged.spans.clear()
        else:
            spans = self._spans.orphans
            if span.kind != "compile" and any(
                other.program == span.program and other.kind == "lower" for other in spans
            ):
                # What was lowered under this name was never compiled: it has nothing to do with what begins now.
                spans[:] = [other for other in spans if other.program != span.program]
            spans.append(span)
            if span.kind != "compile":
                del spans[:-16]
                return
            mine = [other for other in spans if other.program == span.program]
            spans[:] = [other for other in spans if other.program != span.program]
        book = place.probe.book if place.probe is not None else None
        call: int | None = None
        signature: int | None = None
        again = False
        if place.jaxpr is not None and span.kind == "compile":
            span.types = privates.program_types(place.jaxpr)
        if place.probe is not None and book is not None:
            signature = self._signature_of(place, book, mine)
            again = place.probe.programs.again(signature)
        elif place.region is not None and (book := book_of(place.region)) is not None:
            miss = find(place.region)
            if miss is None:
                miss = Miss(book, place.region, (), {})
                miss.start = mine[0].start
                push(miss)
            miss.compiled = True
            call = book.next_ordinal()
            span.maker = self.owners.maker(place.fun)
            signature = self.region_signature(place, book, mine)
            again = self._in_regions.again((signature, span.maker))
        settings = place.staged.settings if place.staged is not None else None
        if settings is None and book is not None:
            settings = settings_of(privates.trace_context())
        caches, keys = self.looked_up(span, place.fun)
        self.recorder.compilation(
            compilation_event(
                self.recorder.new_id(),
                mine,
                function=book.id if book is not None else None,
                call=call,
                site=site_of(sys._getframe(1)),
                under=place.under,
                library=place.library,
                inside=place.inside.id if place.inside is not None else None,
                inside_call=place.inside.next_ordinal() if place.inside is not None else None,
                signature=signature,
                context=self.recorder.context(settings) if settings is not None else None,
                cleared=again,
                caches=caches,
            ),
            book,
            keys,
        )

    def looked_up(self, span: Span, fun: Any) -> tuple[tuple[CacheLookup, ...], tuple[CacheKeyEvent, ...]]:
        """What the persistent cache did for a compile of ``fun`` that has ended, and what that refers to."""
        if span.kind != "compile":
            return (), ()
        try:
            untold = span.lookup is None or span.lookup.text is None
            return self._disk.events(span.lookup, {} if untold or fun is None else captured_values(fun))
        except Exception as error:
            self.recorder.internal_error("jax persistent cache", error)
            return (), ()

    def _signature_of(self, place: Place, book: Book, spans: list[Span]) -> int | None:
        if place.staged is not None:
            known = place.staged.signature
            if place.compiler_options and known is not None:
                # As if the function had been jitted with them.
                options = (f"compiler_options={dict(place.compiler_options)!r}",)
                held = book.signature_by_id.get(known)
                if held is None:  # so many came since that it was forgotten
                    return program_signature_id(book, spans)
                return book.signature_like(msgspec.structs.replace(held.signature, options=options)).id
            return known
        if place.under is None and self._spans.bare is not None and self._spans.bare[0] is place.probe:
            return self._spans.bare[1]
        return program_signature_id(book, spans)

    def region_signature(self, place: Place, book: Book, spans: list[Span]) -> int | None:
        """Inside a region the call is not ours; JAX's side of it has the arguments all the same."""
        called: Signature | None = None
        call = place.call
        if call is not None:
            try:
                info, fun = call["jit_info"], call["fun"]
                names = (
                    tuple(getattr(info, "static_argnums", ()) or ()),
                    tuple(getattr(info, "static_argnames", ()) or ()),
                )
                reader = JaxSignatureReader(fun, *names)
                options = tuple(f"{name}={value}" for name, value in options_of(info).items())
                called = msgspec.structs.replace(reader.read(call["args"], call["kwargs"]), options=options)
            except Exception as error:
                self.recorder.internal_error("jax region", error, book.id)
        if called is not None and place.under is None:
            return book.signature_like(called).id
        return program_signature_id(book, spans, called)


def _warn_order(name: str) -> None:
    warnings.warn(
        f"jitscope.watch is below jax.jit on {name}: it sees no calls there. Put @jitscope.watch above @jax.jit",
        UserWarning,
        stacklevel=2,
    )


def is_jitted(fn: Any) -> bool:
    """Whether ``fn`` came from `jax.jit`."""
    # Asked of the type: decorators copy what an object has of its own.
    kind = type(fn)
    # jax.pmap's functions have a `_cache_size` too, that is no method (up to 0.6).
    return hasattr(kind, "lower") and callable(getattr(kind, "_cache_size", None)) and hasattr(fn, "__wrapped__")


def jit_options(jitted: Any) -> dict[str, str]:
    """The options of a `jax.jit` that are not the default, as texts."""
    return options_of(privates.jit_info(jitted))


def options_of(info: Any) -> dict[str, str]:
    """The options in a ``PjitInfo`` that are not the default, as texts."""
    options: dict[str, str] = {}
    # JAX infers names from numbers and numbers from names: the one of each pair that users write more often is told.
    for names in (("static_argnames", "static_argnums"), ("donate_argnums", "donate_argnames")):
        name, value = next(((name, value) for name in names if (value := getattr(info, name, ()))), ("", ()))
        if value:
            options[name] = repr(value)
    if getattr(info, "compiler_options_kvs", ()):
        options["compiler_options"] = repr(dict(info.compiler_options_kvs))
    for name in ("in_shardings", "out_shardings"):
        shardings = [one for one in getattr(info, f"{name}_leaves", ()) if type(one).__name__ != "UnspecifiedValue"]
        if shardings:
            options[name] = cut(", ".join(sharding_text(one) for one in shardings))
    for name in ("backend", "device"):
        if getattr(info, name, None) is not None:
            options[name] = str(getattr(info, name))
    return options
