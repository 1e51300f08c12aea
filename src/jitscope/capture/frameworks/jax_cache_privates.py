"""Every private name of JAX's persistent cache that jitscope touches: functions around which others are put.

Tried on jax 0.6.2, 0.8.3, 0.10.2 and 0.12.0.1. `compiler.compile_or_get_cached` makes a key
(``compilation_cache.get_cache_key``), looks (``compilation_cache.get_executable_and_time``), and on a miss compiles
and writes (``compiler._cache_write``, which calls ``compilation_cache.put_executable_and_time``). All are looked up in
their modules when they are called.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol

from jitscope.capture.frameworks.capability import Capability


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_compiler: Any = _module("jax._src.compiler")
_cache: Any = _module("jax._src.compilation_cache")
_keys: Any = _module("jax._src.cache_key")
_distributed: Any = _module("jax._src.distributed")

_HASHED = {
    "_hash_computation": "computation",
    "_hash_platform": "backend version",
    "_hash_xla_flags": "XLA flags",
    "_hash_serialized_compile_options": "compile_options",
    "_hash_accelerator_config": "accelerator_config",
}
"""``cache_key.get`` hashes each part of a key with one of these (0.6.2 to 0.12.0.1). The names of
the parts are JAX's, as its own debug log has them."""


class Listener(Protocol):
    """What wants to know."""

    def wanted(self) -> bool:
        """Whether a key's parts are of interest now."""

    def keyed(self, key: str, parts: list[Part], module: Any, options: Any, devices: Any) -> None:
        """A key was made."""

    def looked(self, key: str, found: Any, seconds: float, error: Exception | None) -> None:
        """The cache was asked; ``found`` is what JAX got: the program and whole seconds, or two None."""

    def compiled(self, key: str, arguments: dict[str, Any], seconds: float, put: Put | None) -> None:
        """A miss was compiled, and written or not, which took ``seconds``."""


class Part:
    """A part of a key: its digest, and the pieces that were hashed, up to a length."""

    __slots__ = ("digest", "name", "pieces", "size")

    def __init__(self, name: str, digest: str, pieces: list[bytes], size: int) -> None:
        self.name = name
        self.digest = digest
        self.pieces = pieces
        self.size = size


class Put:
    """An attempt to write an entry."""

    __slots__ = ("began", "error")

    def __init__(self) -> None:
        self.began = False
        """JAX has decided to write (it sends its ``cache_misses`` event then)."""
        self.error: Exception | None = None


class _Tee:
    """Stands for a hash object: what it is given goes there, and into a hash of its own."""

    def __init__(self, outer: Any) -> None:
        self._outer = outer
        self._own = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._size = 0

    def update(self, data: bytes) -> None:
        self._outer.update(data)
        self._own.update(data)
        if len(data) <= _PIECE and len(self._pieces) < _PIECES:
            self._pieces.append(bytes(data))
        self._size += len(data)

    def part(self, name: str) -> Part:
        return Part(name, self._own.hexdigest(), self._pieces, self._size)


_PIECE = 1_000
_PIECES = 200


class _Local(threading.local):
    def __init__(self) -> None:
        self.parts: dict[str, Part] | None = None
        self.compression: str | None = None
        self.put: Put | None = None


_local = _Local()


def can_listen() -> bool:
    """Whether what came of each lookup can be seen."""
    names = ((_cache, "get_cache_key"), (_cache, "get_executable_and_time"), (_cache, "put_executable_and_time"))
    return all(callable(getattr(*one, None)) for one in (*names, (_compiler, "_cache_write")))


def can_read_parts() -> bool:
    """Whether the parts of a key can be told apart."""
    return all(callable(getattr(_keys, name, None)) for name in (*_HASHED, "_hash_string"))


def listen(listener: Listener, clock: Callable[[], float]) -> bool:
    """Tell ``listener`` of every lookup from now on; whether that worked. What JAX does and logs stays the same."""
    if not can_listen():
        return False
    _cache.get_cache_key = _around_key(_cache.get_cache_key, listener)
    _cache.get_executable_and_time = _around_look(_cache.get_executable_and_time, listener, clock)
    _cache.put_executable_and_time = _around_put(_cache.put_executable_and_time)
    _compiler._cache_write = _around_write(_compiler._cache_write, listener, clock)
    if can_read_parts():
        for name, part in _HASHED.items():
            setattr(_keys, name, _around_hash(getattr(_keys, name), part))
        _keys._hash_string = _around_string(_keys._hash_string)
    return True


def _around_key(original: Callable[..., Any], listener: Listener) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def get_cache_key(*args: Any, **kwargs: Any) -> Any:
        if not listener.wanted():
            return original(*args, **kwargs)
        _local.parts = {}
        try:
            key = original(*args, **kwargs)
        finally:
            parts, _local.parts = _local.parts, None
        given = signature.bind(*args, **kwargs).arguments
        version = str(getattr(_keys, "jaxlib_version_str", ""))
        if parts and version:
            # Hashed in place by ``cache_key.get``.
            pieces = [version.encode()]
            parts["jax_lib version"] = Part("jax_lib version", hashlib.sha256(pieces[0]).hexdigest(), pieces, 0)
        listener.keyed(
            key, list(parts.values()), given.get("module"), given.get("compile_options"), given.get("devices")
        )
        return key

    return get_cache_key


def _around_hash(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def hashing(hash_obj: Any, *args: Any, **kwargs: Any) -> Any:
        parts = _local.parts
        if parts is None or isinstance(hash_obj, _Tee):
            return original(hash_obj, *args, **kwargs)
        tee = _Tee(hash_obj)
        result = original(tee, *args, **kwargs)
        parts[name] = tee.part(name)
        return result

    return hashing


def _around_string(original: Callable[..., Any]) -> Callable[..., Any]:
    """``_hash_string`` hashes what has no function of its own: first ``compression``, then ``custom_hook``."""

    @functools.wraps(original)
    def hashing(hash_obj: Any, text: str) -> Any:
        parts = _local.parts
        if parts is None or isinstance(hash_obj, _Tee):
            return original(hash_obj, text)
        tee = _Tee(hash_obj)
        result = original(tee, text)
        first = parts.get("compression")
        # With its debug log on, JAX hashes each part twice.
        again = first is not None and first.pieces == [text.encode().strip()] and "custom_hook" not in parts
        name = "compression" if first is None or again else "custom_hook"
        parts[name] = tee.part(name)
        return result

    return hashing


def _around_look(original: Callable[..., Any], listener: Listener, clock: Callable[[], float]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get_executable_and_time(cache_key: str, *args: Any, **kwargs: Any) -> Any:
        start = clock()
        try:
            found = original(cache_key, *args, **kwargs)
        except Exception as error:
            listener.looked(cache_key, None, clock() - start, error)
            raise
        listener.looked(cache_key, found, clock() - start, None)
        return found

    return get_executable_and_time


def _around_put(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def put_executable_and_time(*args: Any, **kwargs: Any) -> Any:
        put = _local.put = Put()
        try:
            return original(*args, **kwargs)
        except Exception as error:
            put.error = error
            raise

    return put_executable_and_time


def _around_write(original: Callable[..., Any], listener: Listener, clock: Callable[[], float]) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def _cache_write(*args: Any, **kwargs: Any) -> Any:
        _local.put = None
        start = clock()
        try:
            return original(*args, **kwargs)
        finally:
            put, _local.put = _local.put, None
            given = dict(signature.bind(*args, **kwargs).arguments)
            listener.compiled(str(given.get("cache_key")), given, clock() - start, put)

    return _cache_write


def writing() -> None:
    """JAX says that it writes an entry: the event ``cache_misses``, in the thread that does."""
    if _local.put is not None:
        _local.put.began = True


def folder() -> str | None:
    """Where the cache in use keeps its entries: ``_cache._path`` (0.6.2 to 0.12.0.1); None where none is in use.

    JAX keeps a relative path as it was given and follows it from the working directory of the moment, so it is told
    whole: read elsewhere later, it would name another folder.
    """
    path = getattr(getattr(_cache, "_cache", None), "_path", None)
    return whole_path(str(path)) if path is not None else None


def whole_path(folder: str) -> str:
    """A folder's path from the root; that of a bucket stays as it is."""
    return folder if "://" in folder else os.path.abspath(folder)


def state() -> tuple[bool, bool, bool]:
    """Whether JAX has decided if the cache is used at all, whether it is, and whether it has been opened.

    ``_cache_checked``, ``_cache_used``, ``_cache_initialized``: asked once a process, until ``reset_cache()``.
    """
    names = ("_cache_checked", "_cache_used", "_cache_initialized")
    checked, used, opened = (bool(getattr(_cache, name, False)) for name in names)
    return checked, used, opened


def process_id() -> int:
    """Of ``jax.distributed``; only process 0 writes entries."""
    index = getattr(getattr(_distributed, "global_state", None), "process_id", 0)
    return index if isinstance(index, int) else 0


def program_text(module: Any) -> str:
    """A module as text, without source locations and without the contents of constant arrays."""
    return str(module.operation.get_asm(large_elements_limit=1))


def option_values(options: Any) -> dict[str, str]:
    """The settings in ``CompileOptions``, by name, as texts. What has no plain value is left out."""
    found: dict[str, str] = {}
    _read(options, "", found)
    build = getattr(options, "executable_build_options", None)
    _read(build, "", found)
    _read(getattr(build, "debug_options", None), "debug_options.", found)
    return found


_PLAIN = (bool, int, float, str, type(None))


def _read(thing: Any, prefix: str, found: dict[str, str]) -> None:
    if thing is None:
        return
    for name in dir(type(thing)):
        if name.startswith("_"):
            continue
        try:
            value = getattr(thing, name)
        except Exception:  # there, and not readable in this build
            continue
        if isinstance(value, bytes):
            found[prefix + name] = f"{len(value)} bytes, {hashlib.sha256(value).hexdigest()[:16]}" if value else "none"
        elif isinstance(value, (*_PLAIN, list, tuple)) or type(value).__name__ == "DeviceAssignment":
            found[prefix + name] = str(value)


CAPABILITIES: tuple[Capability, ...] = (
    Capability(
        "compilation_cache.get_executable_and_time",
        can_listen,
        "what came of each lookup in the persistent cache, and why an entry was not written",
        "only JAX's own hit event tells of the persistent cache",
    ),
    Capability(
        "cache_key._hash_computation",
        can_read_parts,
        "what the persistent cache's keys are made of, part by part",
        "which part of a key changed between two runs is unknown",
    ),
)
"""What is used of JAX's persistent cache."""
