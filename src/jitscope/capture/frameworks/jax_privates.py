"""Every private name of JAX that jitscope touches, feature-detected in one place.

Tried on jax 0.6.2, 0.8.3, 0.10.2, 0.11.2 and 0.12.0.1. Where a name is missing, its capability is None and the
adapter says what can't be seen.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from jitscope.capture.frameworks.capability import Capability


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_jax: Any = _module("jax")
_monitoring: Any = _module("jax.monitoring")
pjit: Any = _module("jax._src.pjit")
_core: Any = _module("jax._src.core")
_partial_eval: Any = _module("jax._src.interpreters.partial_eval")
_source_info: Any = _module("jax._src.source_info_util")
_traceback: Any = _module("jax._src.traceback_util")
_config: Any = _module("jax._src.config")
_util: Any = _module("jax._src.util")
_bridge: Any = _module("jax._src.xla_bridge")

HOOK = "_infer_params"
"""``pjit._infer_params(fun, jit_info, args, kwargs)`` runs whenever a call does not take the C++ fast path, and
never on a hit (0.6.2 to 0.12.0.1)."""

register_scalar_listener: Callable[[Callable[..., None]], None] | None = getattr(
    _monitoring, "register_scalar_listener", None
)
"""Tells when a phase starts (0.6 on)."""

can_hook: bool = callable(getattr(pjit, HOOK, None))

trace_state_clean: Callable[[], bool] | None = getattr(_core, "trace_state_clean", None)
"""False inside any trace: jit, vmap and grad alike (0.6.2 to 0.12.0.1)."""


def jit_info(jitted: Any) -> Any:
    """The ``PjitInfo`` of a jitted function (0.6.2 to 0.12.0.1), or None."""
    return getattr(jitted, "_jit_info", None)


def cache_size(jitted: Any) -> int | None:
    """Entries of the function's C++ dispatch cache, shared with other jits of the same function and options.

    The entry of a call under way is there already while the call is being announced.
    """
    size = getattr(type(jitted), "_cache_size", None)
    return int(size(jitted)) if size is not None else None


def clear_dispatch_cache(jitted: Any) -> bool:
    """Empty a function's C++ dispatch cache alone, so that nothing is compiled again; whether that worked.

    ``PjitFunction._clear_cache()``; ``clear_cache()`` empties JAX's other caches of the function as well (0.6.2 to
    0.12.0.1).
    """
    clear = getattr(type(jitted), "_clear_cache", None)
    if clear is None:
        return False
    clear(jitted)
    return True


def trace_misses() -> int | None:
    """How often JAX has traced a function for jit so far, or None where its trace events can be taken at their word.

    From 0.9 on JAX emits the trace event around its cache of traces, so also where the trace was found there; only
    this count tells. Up to 0.8 (``pjit._create_pjit_jaxpr``) the event is emitted inside, for real traces only.
    """
    if hasattr(pjit, "_create_pjit_jaxpr"):
        return None
    info = _trace_cache_info()
    return int(info().misses) if info is not None else None


def _trace_cache_info() -> Any:
    return getattr(getattr(_partial_eval, "trace_to_jaxpr", None), "cache_info", None)


def hide_frames_of(path: str) -> None:
    """Keep a folder or a file out of JAX's source locations and filtered tracebacks (0.6.2 to 0.12.0.1).

    Without it JAX would name jitscope's wrapper as the caller. With ``jax_compilation_cache_include_metadata_in_key``
    callers are part of keys, and the program's would be others than without jitscope.
    """
    for register in _exclusions():
        register(path)


def _exclusions() -> list[Any]:
    found = [getattr(module, "register_exclusion", None) for module in (_source_info, _traceback)]
    return [register for register in found if register is not None]


def on_disable_jit(callback: Callable[[object], None]) -> bool:
    """Have ``callback`` called when ``jax_disable_jit`` is set anywhere (0.6.2 to 0.12.0.1); whether that worked.

    A call runs the plain function then, in C++, without any announcement. The two hooks of the config state are
    JAX's own: used up to 0.6, unused since; what is there is called first.
    """
    if not _tells_disable_jit():
        return False
    for hook in _DISABLE_JIT_HOOKS:
        setattr(_config.disable_jit, hook, _chained(getattr(_config.disable_jit, hook), callback))
    return True


_DISABLE_JIT_HOOKS = ("_update_global_hook", "_update_thread_local_hook")


def _tells_disable_jit() -> bool:
    state = getattr(_config, "disable_jit", None)
    return all(hasattr(state, hook) for hook in _DISABLE_JIT_HOOKS)


def _chained(first: Callable[[object], None] | None, then: Callable[[object], None]) -> Callable[[object], None]:
    if first is None:
        return then
    before = first

    def both(value: object) -> None:
        before(value)
        then(value)

    return both


def on_clear_caches(callback: Callable[[], None]) -> None:
    """Have ``callback`` called when `jax.clear_caches` clears everything (``util.clear_all_caches``, 0.6.2 on).

    That is what it calls first, however the program imported it. Without it the size of a cache tells, later.
    """
    original = getattr(_util, "clear_all_caches", None)
    if original is None:
        return

    @functools.wraps(original)
    def clear() -> None:
        original()
        callback()

    _util.clear_all_caches = clear


def trace_context() -> Any:
    """What JAX's caches see of the configuration and the contexts that are set (0.6.2 to 0.12.0.1), or None."""
    context = getattr(_config, "trace_context", None)
    return context() if context is not None else None


def trace_context_names() -> tuple[str, ...] | None:
    """Names of the values of `trace_context`, in the same order (0.10 on), or None."""
    names = getattr(_config, "trace_context_names", None)
    try:
        return tuple(names()) if names is not None else None
    except Exception:  # there, and not supported by this jaxlib (0.9)
        return None


_CONTEXTS = (
    "mesh_context_manager",
    "abstract_mesh_context_manager",
    "compute_on_context_manager",
    "xla_metadata_context_manager",
    "eager_constant_folding",
)


def contexts() -> dict[str, Any]:
    """The contexts in force, by JAX's inner names, where `trace_context_names` is missing (0.6.2 to 0.9)."""
    found = {}
    for name in _CONTEXTS:
        state: Any = getattr(_config, name, None)
        if hasattr(state, "value"):
            found[name] = state.value
    return found


def program_types(jaxpr: Any) -> list[tuple[str, Any]]:
    """Name and abstract value of each argument of a program about to be compiled (0.6.2 to 0.12.0.1)."""
    avals = list(getattr(jaxpr, "in_avals", ()))
    names = getattr(getattr(getattr(jaxpr, "jaxpr", jaxpr), "debug_info", None), "arg_names", None) or ()
    known = [name or f"args[{n}]" for n, name in enumerate(names)]
    return [(known[n] if n < len(known) else f"args[{n}]", aval) for n, aval in enumerate(avals)]


def on_fast_path(callback: Callable[[bool], None]) -> bool:
    """Have ``callback`` told whether a call gets an entry in the C++ cache; whether that worked.

    ``pjit._get_fastpath_data`` returns None for a call that will take the Python path each time (0.6.2 to 0.12.0.1).
    """
    original = getattr(pjit, "_get_fastpath_data", None)
    if original is None:
        return False

    @functools.wraps(original)
    def decide(*args: Any, **kwargs: Any) -> Any:
        data = original(*args, **kwargs)
        callback(data is not None)
        return data

    pjit._get_fastpath_data = decide
    return True


class _Listening(threading.local):
    listening = False


class TraceAnnouncements:
    """Tells when JAX traces a function for jit, before the function runs; not where it finds the trace in its cache.

    ``util.test_event_listener`` is the one slot for the events that JAX's own tests count; ``trace_to_jaxpr`` (0.9 on)
    and ``create_pjit_jaxpr`` (up to 0.8) are sent inside the cached function. What it raises reaches the user. The
    slot is taken only while somebody asks; what was in it is told, too.
    """

    _EVENTS = ("trace_to_jaxpr", "create_pjit_jaxpr")

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._before: Any = None
        self._local = _Listening()

    def _listen(self, name: str, *args: Any) -> None:
        if self._before is not None and not self._local.listening:
            # What was there may tell us in turn, if it was put into the slot after us.
            self._local.listening = True
            try:
                self._before(name, *args)
            finally:
                self._local.listening = False
        if name in self._EVENTS:
            self._callback()

    def switch(self, on: bool) -> None:
        """Take the slot, or give it back, unless somebody else has taken it since."""
        if not hasattr(_util, "test_event_listener"):
            return
        mine = _util.test_event_listener == self._listen
        if on and not mine:
            self._before = _util.test_event_listener
            _util.test_event_listener = self._listen
        elif mine and not on:
            _util.test_event_listener, self._before = self._before, None


def backend_started() -> bool:
    """Whether a device runtime runs already; asking for devices would start one."""
    started = getattr(_bridge, "backends_are_initialized", None)
    return bool(started()) if started is not None else False


def on_backend_start(callback: Callable[[str, float], None]) -> bool:
    """Have ``callback`` told each device runtime that is started, and how long that took; whether that worked.

    ``xla_bridge._init_backend(platform)`` is called once for each platform that is tried, when JAX first needs a
    device; before the first of them ``discover_pjrt_plugins()`` looks for packages with more platforms, which is told
    as ``plugins`` (0.6.2 to 0.12.0.1).
    """
    if not hasattr(_bridge, _START):
        return False
    for name in (_START, _PLUGINS):
        original = getattr(_bridge, name, None)
        if original is not None:
            setattr(_bridge, name, _told(original, callback))
    return True


def _told(original: Callable[..., Any], callback: Callable[[str, float], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def start(*platform: str) -> Any:
        began = perf_counter()
        try:
            return original(*platform)
        finally:
            callback(platform[0] if platform else "plugins", perf_counter() - began)

    return start


_START, _PLUGINS = "_init_backend", "discover_pjrt_plugins"


def distributed_rank() -> tuple[int, int] | None:
    """Process index and count of ``jax.distributed``, or None where it is not initialised.

    `jax.process_index` would start a runtime. jax 0.6.2 to 0.12: ``jax._src.distributed.global_state`` has both, and a
    ``client`` once it is initialised.
    """
    state = getattr(sys.modules.get("jax._src.distributed"), "global_state", None)
    if getattr(state, "client", None) is None:
        return None
    index, count = getattr(state, "process_id", None), getattr(state, "num_processes", None)
    return (index, count) if isinstance(index, int) and isinstance(count, int) else None


def _sample() -> Any:
    """A jitted function, to be looked at; it is never called."""
    return _jax.jit(_sample)


CAPABILITIES: tuple[Capability, ...] = (
    Capability(
        f"pjit.{HOOK}",
        lambda: can_hook,
        "runs whenever a call leaves the C++ fast path, so that a hit is known by silence",
        "signatures are read on every call, and calls that always take the Python path can't be told from hits",
        "jax-no-hook",
    ),
    Capability(
        "monitoring.register_scalar_listener",
        lambda: register_scalar_listener is not None,
        "tells when a phase starts",
        "seconds of nested phases are counted twice",
        "jax-no-span-starts",
    ),
    Capability(
        "config.disable_jit hooks",
        _tells_disable_jit,
        "tell when jax_disable_jit is set",
        "calls look like hits while jax_disable_jit is set",
        "jax-disable-jit",
    ),
    Capability(
        "PjitFunction._cache_size",
        lambda: cache_size(_sample()) is not None,
        "entries of a function's dispatch cache",
        "the hook alone tells misses; entries made before watching are not seen",
    ),
    Capability(
        "PjitFunction._jit_info",
        lambda: jit_info(_sample()) is not None,
        "tells which function a call belongs to, and the options of its jit",
        "compiles are attributed by the calls under way; options are not known",
    ),
    Capability(
        "util.test_event_listener",
        lambda: hasattr(_util, "test_event_listener"),
        "tells that a function is about to be traced, so that a gate can refuse it",
        "gates refuse a compilation when it is lowered, after its trace",
    ),
    Capability(
        "PjitFunction._clear_cache",
        lambda: hasattr(type(_sample()), "_clear_cache"),
        "empties the dispatch cache after a gate refused a call",
        "a signature that was refused takes JAX's Python path for good",
    ),
    Capability(
        "pjit._get_fastpath_data",
        lambda: hasattr(pjit, "_get_fastpath_data"),
        "tells whether a call gets an entry in the C++ cache",
        "the growth of the cache tells",
    ),
    Capability(
        "core.trace_state_clean",
        lambda: trace_state_clean is not None,
        "tells calls inside another trace",
        "only tracers among the arguments tell them",
    ),
    Capability(
        "partial_eval.trace_to_jaxpr.cache_info",
        lambda: hasattr(pjit, "_create_pjit_jaxpr") or _trace_cache_info() is not None,
        "tells real traces from those found in JAX's cache of traces (before 0.9 the events do)",
        "a trace that was found there is taken for a real one",
    ),
    Capability(
        "config.trace_context",
        lambda: hasattr(_config, "trace_context"),
        "settings and contexts in JAX's cache keys, at each compile",
        "only settings that jitscope knows by name are compared",
    ),
    Capability(
        "config.trace_context_names",
        lambda: trace_context_names() is not None,
        "names of those settings (0.10 on)",
        "the public settings that are part of a key are read by name",
    ),
    Capability(
        "util.clear_all_caches",
        lambda: hasattr(_util, "clear_all_caches"),
        "tells when jax.clear_caches is called",
        "the size of a function's cache tells at its next miss",
    ),
    Capability(
        "register_exclusion",
        lambda: len(_exclusions()) == 2,
        "keeps jitscope's frames out of JAX's source locations and tracebacks",
        "JAX names jitscope's wrapper as the caller",
    ),
    Capability(
        "xla_bridge.backends_are_initialized",
        lambda: hasattr(_bridge, "backends_are_initialized"),
        "lets devices be named without starting a runtime",
        "a recording names no devices",
    ),
    Capability(
        "xla_bridge._init_backend",
        lambda: hasattr(_bridge, _START),
        "how long the start of a device runtime takes",
        "the start of the device runtime is part of what is not attributed in a first call, or before it",
    ),
)
"""All that the adapter uses of JAX, in the order of what is lost without it."""
