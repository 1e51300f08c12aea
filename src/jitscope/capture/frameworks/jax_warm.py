"""Warming a jitted function: each recorded signature is lowered and compiled from types alone.

``f.lower(types).compile()`` fills JAX's caches of traces, lowered modules and executables, which calls share (tried on
0.6.2, 0.8.3, 0.10.2 and 0.12.0.1). Only the dispatch entry is left to the first call: it traces, lowers and compiles
nothing. The function is traced and never executed, and no array is made.
"""

from __future__ import annotations

import threading
import types
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from time import perf_counter
from typing import Any

import jax

from jitscope.capture.building import Builder, Classes
from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.jax_settings import as_recorded
from jitscope.capture.frameworks.jax_signature import JaxSignatureReader
from jitscope.capture.frameworks.jax_types import JaxTypes
from jitscope.capture.frameworks.signature_text import ArgumentNames
from jitscope.capture.warmth import Compare, OtherThreadError, Outcome
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, StaticLeaf
from jitscope.model.specs import CallSpec, CannotRebuildError
from jitscope.model.warming import WarmState

_LOWER, _COMPILE, _TRACE = "jaxpr_to_mlir_module_duration", "backend_compile_duration", "jaxpr_trace_duration"
_LAYERS = {_TRACE: "trace", _LOWER: "lower", _COMPILE: "compile"}
_DISK, _WRITTEN = "cache_hits", "cache_misses"
"""JAX announces a miss of the persistent cache where it writes the entry (0.6.2 to 0.12.0.1)."""


class JaxWarmer:
    """Warms one jitted function."""

    def __init__(self, function: Any, arguments: Mapping[str, Any]) -> None:
        bound: dict[int, Any] = {}
        keywords: dict[str, Any] = {}
        if isinstance(
            function, types.MethodType
        ):  # it has its function's attributes, and ``lower`` takes all arguments
            function, bound = function.__func__, {0: function.__self__}
        elif isinstance(function, partial):
            bound, keywords, function = dict(enumerate(function.args)), dict(function.keywords), function.func
        self.function = function
        fun = getattr(function, "__wrapped__", function)
        info = privates.jit_info(function)
        static = tuple(getattr(info, "static_argnums", ()) or ()), tuple(getattr(info, "static_argnames", ()) or ())
        self.names = ArgumentNames(fun)
        self._reader = JaxSignatureReader(fun, *static)
        self.given: dict[str, Any] = {
            **{self.names.positional(n): value for n, value in bound.items()},
            **{self.names.keyword(name): value for name, value in keywords.items()},
            **arguments,
        }
        self._types = JaxTypes()
        self.classes = Classes(fun)

    # -- one signature -----------------------------------------------------------------------------

    def check(self, signature: Signature, settings: Mapping[str, str] | None, spec: CallSpec) -> Any:
        """The arguments for ``signature``, built and compared with it.

        Args:
            signature: as recorded.
            settings: those that it was compiled under.
            spec: what to build from.

        Raises:
            CannotRebuildError: they can't be built, or are not what was recorded.
        """
        with ExitStack() as stack:
            as_recorded(stack, settings)
            leaves = {leaf.path: leaf for leaf in signature.leaves}
            builder = Builder(
                self.classes,
                lambda name: self._fit(name, leaves),
                self._types.array,
                self._types.foreign,
            )
            args, kwargs = builder.call(spec)
            self.compare(signature, args, kwargs)
        return args, kwargs

    def compare(self, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Whether these arguments have this signature.

        Raises:
            CannotRebuildError: they have another one.
        """
        compare = Compare(signature, self._reader.read(args, kwargs))
        compare.leaves(_seen)
        compare.nodes()

    def _fit(self, name: str, leaves: Mapping[str, Leaf]) -> Any:
        """What the user gave, with the recorded types in the places of its arrays."""
        value = self.given[name]
        if isinstance(leaves.get(name), StaticLeaf):
            return value
        found, structure = jax.tree_util.tree_flatten_with_path(value)
        made: list[Any] = []
        for path, leaf in found:
            recorded = leaves.get(name + jax.tree_util.keystr(path))
            made.append(self._types.array(recorded) if isinstance(recorded, ArrayLeaf) else leaf)
        return jax.tree_util.tree_unflatten(structure, made)

    def start(self, made: Any, settings: Mapping[str, str] | None) -> Callable[[], Outcome]:
        """Trace and lower in this thread; what is returned compiles.

        It may be called in another thread, and raises `OtherThreadError` where only this one has the contexts for it.
        """
        args, kwargs = made
        begun = perf_counter()
        with ExitStack() as stack:
            as_recorded(stack, settings)
            lowered = self.function.lower(*args, **kwargs)
            context = privates.trace_context()
        lowering = perf_counter() - begun

        def compile_() -> Outcome:
            start = perf_counter()
            with ExitStack() as inner, _counting() as compiled:
                try:
                    as_recorded(inner, settings)
                except CannotRebuildError as error:
                    raise OtherThreadError from error
                if privates.trace_context() != context:
                    raise OtherThreadError
                lowered.compile()
            state: WarmState = "compiled" if compiled[_COMPILE] else "already"
            if compiled[_DISK]:
                state = "from_disk"
            written = bool(compiled[_WRITTEN]) if state == "compiled" and self.disk_cache() else None
            return Outcome(state, lowering + perf_counter() - start, written=written)

        return compile_

    def again(self, made: Any, settings: Mapping[str, str] | None) -> str | None:
        """What a call would compile all the same, by JAX's own events; None: nothing."""
        args, kwargs = made
        traced = privates.trace_misses()
        with ExitStack() as stack, _counting() as seen:
            as_recorded(stack, settings)
            self.function.lower(*args, **kwargs).compile()
        if traced is not None:
            seen[_TRACE] = (privates.trace_misses() or 0) - traced
        layers = [layer for event, layer in _LAYERS.items() if seen[event]]
        return f"JAX would {' and '.join(layers)} again" if layers else None

    @staticmethod
    def default_jobs(processors: int) -> int:
        """XLA compiles without Python's lock. On an accelerator it times kernels on the device: one at a time."""
        return min(processors, 8) if jax.default_backend() == "cpu" else 1

    @staticmethod
    def disk_cache() -> str | None:
        """The folder of the persistent compilation cache in use."""
        return str(jax.config.jax_compilation_cache_dir or "") or None


def _seen(leaf: Leaf) -> object:
    """What must be the same of a leaf for the same program to be compiled; host values only differ in dispatch."""
    if isinstance(leaf, StaticLeaf):
        return (leaf.type, leaf.value, leaf.digest)
    # Of what was put nowhere, `JaxTypes.array` has seen to it that it goes where it was.
    device = leaf.device if leaf.committed else None
    return (leaf.dtype, leaf.shape, leaf.weak_type, leaf.committed, leaf.sharding, device, leaf.layout)


# -- counting ---------------------------------------------------------------------------------------

_counts: dict[int, Counter[str]] = {}
"""By thread."""
_lock = threading.Lock()
_listening = False


class _counting:  # noqa: N801  # used as a function
    """Counts JAX's compile events in this thread."""

    def __enter__(self) -> Counter[str]:
        _listen()
        self._before = _counts.get(threading.get_ident())
        found: Counter[str] = Counter()
        _counts[threading.get_ident()] = found
        return found

    def __exit__(self, *error: object) -> None:
        _counts.pop(threading.get_ident(), None)
        if self._before is not None:
            _counts[threading.get_ident()] = self._before


def _listen() -> None:
    """Listeners can't be removed before 0.8: there is one, and it does nothing where nobody counts."""
    global _listening  # noqa: PLW0603
    with _lock:
        if not _listening:
            jax.monitoring.register_event_duration_secs_listener(_on_duration)
            jax.monitoring.register_event_listener(_on_event)
            _listening = True


def _on_duration(name: str, seconds: float, **details: object) -> None:
    _on_event(name)


def _on_event(name: str, **details: object) -> None:
    found = _counts.get(threading.get_ident())
    if found is not None:
        found[name.rpartition("/")[2]] += 1
