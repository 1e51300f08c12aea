"""Every private name of torch's caches on disk that jitscope touches: functions around which others are put.

Tried on torch 2.13.0 and 2.11.0. Inductor asks ``FxGraphCache`` (``prepare_key``, ``load_with_key``, ``_save_graph``),
AOTAutograd ``AOTAutogradCache`` (``try_load``, which calls ``autograd_cache_key`` and ``_lookup``; ``save``). All are
looked up on their classes and modules when they are called. The modules are not imported here: torch does when it
compiles.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from jitscope.capture.frameworks.capability import Capability

FX = "torch._inductor.codecache"
AOT = "torch._functorch._aot_autograd.autograd_cache"
ARTIFACTS = "torch.compiler._cache"

Fields = dict[str, Any]
"""What is known of a lookup or a write, by name."""


class Listener(Protocol):
    """What wants to know. Nothing that it raises may reach torch: it raises nothing."""

    def keyed(self, start: float, seconds: float) -> None:
        """A key was made in this thread, or could not be."""

    def looked(self, cache: str, seconds: float, known: Fields) -> None:
        """A lookup has ended."""

    def wrote(self, cache: str, seconds: float, known: Fields) -> None:
        """An entry was to be written."""


def ready() -> bool:
    """Whether torch has imported its caches."""
    return FX in sys.modules and AOT in sys.modules


def _fx() -> Any:
    return getattr(sys.modules.get(FX), "FxGraphCache", None)


def _aot() -> Any:
    return getattr(sys.modules.get(AOT), "AOTAutogradCache", None)


def listen(listener: Listener, clock: Callable[[], float]) -> bool:
    """Tell ``listener`` of every lookup from now on; whether all of it can be told. What torch does stays the same."""
    fx, aot, keys = _fx(), _aot(), sys.modules.get(AOT)
    found = _all_there(fx, aot, keys)
    if fx is not None and hasattr(fx, "load_with_key"):
        _put(fx, "prepare_key", lambda original: _around_prepare(original, listener, clock))
        _put(fx, "load_with_key", lambda original: _around_fx_load(original, listener, clock))
        _put(fx, "_save_graph", lambda original: _around_fx_save(original, listener, clock))
    if aot is not None and keys is not None and hasattr(aot, "try_load"):
        context = _AotContext()
        _put(keys, "autograd_cache_key", lambda original: context.around_key(original, listener, clock))
        _put(keys, "_get_debug_lines_for_cache_key", context.around_lines)
        _put(aot, "_lookup", context.around_lookup)
        _put(aot, "try_load", lambda original: context.around_load(original, listener, clock))
        _put(aot, "save", lambda original: _around_aot_save(original, listener, clock))
    return found


_of_artifacts: set[tuple[str, str]] = set()


def came_with_artifacts(cache: str, key: str) -> bool:
    """Whether ``torch.compiler.load_cache_artifacts`` put this entry where a lookup finds it, since we listen."""
    return (cache, key) in _of_artifacts


def listen_to_artifacts() -> bool:
    """Remember the entries of mega-caches from now on: ``CacheArtifactManager.populate_caches`` (2.11, 2.13).

    Programs load them before they compile anything: with ``jitscope run`` this is called as soon as torch is there.

    Returns:
        Whether it does; False where ``torch.compiler._cache`` is not imported yet, which 2.11 does only when needed.
    """
    manager: Any = getattr(sys.modules.get(ARTIFACTS), "CacheArtifactManager", None)
    if not hasattr(manager, "populate_caches"):
        return False
    if hasattr(manager.populate_caches, _REMEMBERS):
        return True

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def populate_caches(*args: Any, **kwargs: Any) -> Any:
            info = original(*args, **kwargs)
            kinds = getattr(info, "artifacts", None)
            for kind, keys in kinds.items() if isinstance(kinds, dict) else ():
                if kind in _KINDS and isinstance(keys, list):
                    _of_artifacts.update((_KINDS[kind], str(key)) for key in keys)
            return info

        setattr(populate_caches, _REMEMBERS, True)
        return populate_caches

    _put(manager, "populate_caches", around)
    return True


_REMEMBERS = "__jitscope_remembers__"
_KINDS = {"inductor": "fx_graph", "aot_autograd": "aot_autograd"}
"""Kinds of artifacts in a mega-cache, by the caches they are put into."""


def _all_there(fx: Any, aot: Any, keys: Any) -> bool:
    names = ((fx, "prepare_key"), (fx, "load_with_key"), (fx, "_save_graph"), (aot, "try_load"), (aot, "_lookup"))
    return all(callable(getattr(*one, None)) for one in (*names, (aot, "save"), (keys, "autograd_cache_key")))


def _put(home: Any, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a function around ``home.name``, which is a static method where ``home`` is a class."""
    original = getattr(home, name, None)
    if not callable(original):
        return
    static = isinstance(inspect.getattr_static(home, name), staticmethod)
    setattr(home, name, staticmethod(around(original)) if static else around(original))


# -- Inductor's ------------------------------------------------------------------------------------


def _around_prepare(original: Callable[..., Any], listener: Listener, clock: Callable[[], float]) -> Callable[..., Any]:
    """``prepare_key(...) -> (key_info or None, cache_info)``: where there is none, the graph is not cached."""

    @functools.wraps(original)
    def prepare_key(*args: Any, **kwargs: Any) -> Any:
        start = clock()
        try:
            result = original(*args, **kwargs)
        finally:
            seconds = clock() - start
            listener.keyed(start, seconds)
        if isinstance(result, tuple) and len(result) == 2 and result[0] is None:
            why = result[1].get("cache_bypass_reason") if isinstance(result[1], dict) else None
            listener.looked("fx_graph", seconds, {"state": "bypass", "words": why})
        return result

    return prepare_key


def _around_fx_load(original: Callable[..., Any], listener: Listener, clock: Callable[[], float]) -> Callable[..., Any]:
    """``load_with_key(key, debug_lines, …, remote_cache, is_backward, …) -> (graph or None, cache_info)``."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def load_with_key(*args: Any, **kwargs: Any) -> Any:
        start = clock()
        known: Fields = {"state": "unknown"}
        try:
            result = original(*args, **kwargs)
            graph, info = result
            info = info if isinstance(info, dict) else {}
            known = {
                "state": "hit" if graph is not None else "miss",
                "detail": info.get("cache_status_detailed"),
                "guards": info.get("cache_status_guard_expr"),
                "nanoseconds": info.get("time_saved_ns"),
                "kernels": info.get("triton_bundler_meta"),
            }
            return result
        finally:
            given = signature.bind(*args, **kwargs).arguments
            known |= {"key": given.get("key"), "lines": given.get("debug_lines")}
            known |= {"backward": bool(given.get("is_backward")), "remote": given.get("remote_cache") is not None}
            listener.looked("fx_graph", clock() - start, known)

    return load_with_key


def _around_fx_save(original: Callable[..., Any], listener: Listener, clock: Callable[[], float]) -> Callable[..., Any]:
    """``_save_graph(key, compiled_graph, example_inputs, local, remote_cache)``: errors are logged and counted only."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def _save_graph(*args: Any, **kwargs: Any) -> Any:
        start = clock()
        failures = _failures()
        try:
            return original(*args, **kwargs)
        finally:
            given = signature.bind(*args, **kwargs).arguments
            known = {
                "key": given.get("key"),
                "written": _failures() == failures and bool(given.get("local") or given.get("remote_cache")),
                "failed": _failures() != failures,
                "nanoseconds": getattr(given.get("compiled_graph"), "_time_taken_ns", None),
            }
            listener.wrote("fx_graph", clock() - start, known)

    return _save_graph


def _counters() -> Any:
    return getattr(sys.modules.get("torch._dynamo.utils"), "counters", {})


def _failures() -> int:
    counted = _counters().get("inductor", {})
    return int(sum(counted.get(f"fxgraph_cache_{name}_error", 0) for name in ("pickle", "write")))


# -- AOTAutograd's ---------------------------------------------------------------------------------


class _AotContext:
    """What the parts of ``try_load`` tell, which itself returns only what it found."""

    def __init__(self) -> None:
        import threading

        self._local = threading.local()

    @property
    def _open(self) -> list[Fields]:
        if not hasattr(self._local, "open"):
            self._local.open = []
        found: list[Fields] = self._local.open
        return found

    def around_key(
        self, original: Callable[..., Any], listener: Listener, clock: Callable[[], float]
    ) -> Callable[..., Any]:
        """``autograd_cache_key(...) -> (key, debug_lines)``; what it raises is why the graph is not cached."""

        @functools.wraps(original)
        def autograd_cache_key(*args: Any, **kwargs: Any) -> Any:
            start = clock()
            try:
                result = original(*args, **kwargs)
            except Exception as error:
                if self._open:
                    self._open[-1]["words"] = str(error) or type(error).__name__
                raise
            finally:
                listener.keyed(start, clock() - start)
            if self._open and isinstance(result, tuple) and len(result) == 2:
                self._open[-1]["key"] = result[0]
                if result[1]:
                    self._open[-1]["lines"] = result[1]
            return result

        return autograd_cache_key

    def around_lines(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``_get_debug_lines_for_cache_key(pickler, details, key)``: lines only where torch logs them (2.13).

        The parts that Inductor's own key has too are many, and left out here: where this key misses, that one is made.
        """

        @functools.wraps(original)
        def lines(pickler: Any, details: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(pickler, details, *args, **kwargs)
            if self._open and not result:
                try:
                    self._open[-1]["lines"] = _lines(pickler, vars(details))
                except Exception as error:
                    self._open[-1]["untold"] = f"{type(error).__name__}: {error}"
            return result

        return lines

    def around_lookup(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``_lookup(key, local, remote, args, cache_info, aot_config) -> (entry, bytes) or None``."""
        signature = inspect.signature(original)

        @functools.wraps(original)
        def _lookup(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if self._open:
                known = self._open[-1]
                given = signature.bind(*args, **kwargs).arguments
                info = given.get("cache_info")
                if isinstance(info, dict):
                    known["detail"] = info.get("cache_status_detailed")
                    known["guards"] = info.get("cache_status_guard_expr")
                known["remote"] = bool(given.get("remote"))
                if isinstance(result, tuple) and result:
                    known["entry"] = True
                    taken = [getattr(result[0], f"{which}_time_taken_ns", None) for which in ("forward", "backward")]
                    known["nanoseconds"] = sum(one for one in taken if isinstance(one, int)) or None
            return result

        return _lookup

    def around_load(
        self, original: Callable[..., Any], listener: Listener, clock: Callable[[], float]
    ) -> Callable[..., Any]:
        """``try_load(...) -> (compiled function or None, aot_config)`` (2.13), or without that config (2.11)."""

        @functools.wraps(original)
        def try_load(*args: Any, **kwargs: Any) -> Any:
            known: Fields = {"state": "unknown"}
            self._open.append(known)
            start = clock()
            try:
                result = original(*args, **kwargs)
                hit = (result[0] if isinstance(result, tuple) and result else result) is not None
                known["state"] = "hit" if hit else "bypass" if known.get("words") else "miss"
                if not hit and known.get("entry"):
                    known["detail"] = "fx_graph_missing"
                return result
            finally:
                self._open.remove(known)
                listener.looked("aot_autograd", clock() - start, known)

        return try_load


_OF_INDUCTOR = frozenset(("inductor_config", "inductor_config_comms", "fx_kwargs", "custom_backend_codegen_configs"))


def _lines(pickler: Any, details: dict[str, Any]) -> list[str]:
    """As ``FxGraphCachePickler.debug_lines`` writes them, of the parts that are AOTAutograd's."""
    found: list[str] = []
    for name, value in details.items():
        if name in _OF_INDUCTOR:
            found.append(f"[{pickler.get_hash(value)}] {name}: ")
            continue
        if isinstance(value, list):
            named = [(f"{name}[{n}]", one) for n, one in enumerate(value)]
        elif isinstance(value, dict):
            named = [(f"{name}[{key}]", one) for key, one in value.items()]
        else:
            named = [(name, value)]
        found += [f"[{pickler.get_hash(one)}] {label}: {_text(pickler, one)}" for label, one in named]
    if "autograd_config" in details:
        # Hashed as a whole; its settings one by one, without a hash.
        settings = getattr(sys.modules.get("torch._functorch.config"), "save_config_portable", None)
        known = settings(ignore_private_configs=False) if callable(settings) else {}
        found += [f"[-] autograd_config[{name}]: {value}" for name, value in sorted(known.items())]
    return found


def _text(pickler: Any, value: Any) -> str:
    if isinstance(value, bytes):
        return value[:200].hex()
    metadata = getattr(sys.modules.get(FX), "extract_tensor_metadata_for_cache_key", None)
    if callable(metadata) and type(value).__name__ in ("Tensor", "Parameter", "FakeTensor"):
        return str(metadata(value))
    if type(value) in pickler.dispatch_table:
        return str(pickler.dispatch_table[type(value)](value)[1])
    code = getattr(value, "code", None)  # a graph
    return code if isinstance(code, str) else str(value)


def _around_aot_save(
    original: Callable[..., Any], listener: Listener, clock: Callable[[], float]
) -> Callable[..., Any]:
    """``save(key, entry, remote)``: after the backward graph was compiled, where there is one."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def save(*args: Any, **kwargs: Any) -> Any:
        start = clock()
        before = _saved()
        try:
            return original(*args, **kwargs)
        finally:
            given = signature.bind(*args, **kwargs).arguments
            entry = given.get("entry")
            taken = [getattr(entry, f"{which}_time_taken_ns", None) for which in ("forward", "backward")]
            known = {
                "key": given.get("key"),
                "written": _saved() > before,
                "failed": _saved() == before,
                "nanoseconds": sum(one for one in taken if isinstance(one, int)) or None,
            }
            listener.wrote("aot_autograd", clock() - start, known)

    return save


def _saved() -> int:
    return int(_counters().get("aot_autograd", {}).get("autograd_cache_saved", 0))


# -- settings --------------------------------------------------------------------------------------


def switched_off(cache: str) -> str | None:
    """The setting that keeps a cache from being asked, as text; None where none does (2.13)."""
    inductor: Any = sys.modules.get("torch._inductor.config")
    functorch: Any = sys.modules.get("torch._functorch.config")
    if getattr(inductor, "force_disable_caches", False):
        return "torch._inductor.config.force_disable_caches is True"
    if cache == "fx_graph":
        local, remote = (getattr(inductor, f"fx_graph_{which}cache", None) for which in ("", "remote_"))
        if local is False and not remote:
            return "torch._inductor.config.fx_graph_cache is False"
        if getattr(functorch, "bundled_autograd_cache", False):
            return "torch._functorch.config.bundled_autograd_cache is True: its entries are part of AOTAutograd's"
        return None
    if getattr(functorch, "enable_autograd_cache", None) is False:
        return "torch._functorch.config.enable_autograd_cache is False"
    return None


def folder(cache: str) -> str | None:
    """Where a cache keeps its entries (``_get_tmp_dir``); None where that can't be told. Asked after a lookup only."""
    home = _fx() if cache == "fx_graph" else _aot()
    ask = getattr(home, "_get_tmp_dir", None)
    # A relative path in TORCHINDUCTOR_CACHE_DIR would name another folder when the recording is read.
    return os.path.abspath(str(ask())) if callable(ask) else None


def can_listen() -> bool:
    """Whether all of it can be told; imports torch's caches."""
    for module in (FX, AOT):
        try:
            importlib.import_module(module)
        except ImportError:
            return False
    return _all_there(_fx(), _aot(), sys.modules.get(AOT))


CAPABILITIES: tuple[Capability, ...] = (
    Capability(
        "FxGraphCache.load_with_key, AOTAutogradCache.try_load",
        can_listen,
        "what came of each lookup in the caches of Inductor and AOTAutograd, and their keys",
        "only the counts of the metrics tell of torch's caches on disk",
    ),
)
"""What is used of torch's caches."""
