"""What JAX's persistent cache did for each program: found, not found and why, written, not written and why."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import jax

from jitscope.capture.frameworks import jax_cache_privates as privates
from jitscope.capture.frameworks.jax_cache_privates import Part, Put
from jitscope.capture.keys import DIGEST, WORDS, KeyBook
from jitscope.capture.recorder import Recorder
from jitscope.model.caching import CacheKeyEvent, CacheLookup, KeyPart
from jitscope.model.notation import cut

MOST_BYTES = 1 << 20
"""Of a program, as JAX hashes it: the text of a larger one is not kept."""


@dataclass(slots=True)
class DiskLookup:
    """One program's lookup, as it comes to be known."""

    key: str
    folder: str | None
    found: bool
    seconds: float
    """Spent looking, and reading what was found."""
    stored: int | None = None
    reason: str | None = None
    words: str | None = None
    broken: tuple[int, int] | None = None
    """The state of an entry that could not be read: JAX never replaces one (0.6.2 to 0.12.0.1)."""
    parts: list[KeyPart] = field(default_factory=list)
    text: str | None = None
    untold: str | None = None
    write_seconds: float | None = None
    written: bool | None = None
    unwritten: str | None = None
    unwritten_words: str | None = None
    compile_seconds: float | None = None


def _state(lookup: DiskLookup) -> tuple[int, int] | None:
    """When the lookup's entry was written, and its size; None where there is none on this disk."""
    if lookup.folder is None:
        return None
    try:
        found = os.stat(os.path.join(lookup.folder, f"{lookup.key}-cache"))
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class _Local(threading.local):
    def __init__(self) -> None:
        self.keys: dict[str, tuple[list[Part], Any, Any, Any]] = {}
        """Of the compile under way in this thread."""
        self.lookup: DiskLookup | None = None


class DiskCache:
    """Listens to JAX's persistent cache. An error in here must not reach the user's compile."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._local = _Local()
        self._keys = KeyBook(recorder.new_id)
        self._options: dict[str, list[KeyPart]] = {}
        self._failure: str | None = None
        """Why the cache could not be opened."""
        self.listens = privates.listen(self, perf_counter)

    def forked(self) -> None:
        """In a forked child."""
        self._keys.forked()

    def take(self) -> DiskLookup | None:
        """The lookup of the compile that ends now in this thread."""
        lookup, self._local.lookup = self._local.lookup, None
        self._local.keys.clear()
        return lookup

    # -- what JAX does ---------------------------------------------------------------------------

    def wanted(self) -> bool:
        """Keys are made even where there is no cache."""
        try:
            return privates.folder() is not None or bool(getattr(jax.config, "jax_compilation_cache_dir", None))
        except Exception as error:
            self._recorder.internal_error("jax persistent cache", error)
            return False

    def keyed(self, key: str, parts: list[Part], module: Any, options: Any, devices: Any) -> None:
        """A key was made; with profile-guided optimisation there are several, and the last one looked for counts."""
        self._local.keys[key] = (parts, module, options, devices)

    def looked(self, key: str, found: Any, seconds: float, error: Exception | None) -> None:
        """The cache was asked."""
        try:
            self._looked(key, found, seconds, error)
        except Exception as problem:
            self._recorder.internal_error("jax persistent cache", problem)

    def _looked(self, key: str, found: Any, seconds: float, error: Exception | None) -> None:
        folder = privates.folder()
        hit = isinstance(found, tuple) and found[0] is not None
        if folder is None and error is None:
            return  # none is in use: JAX has looked nowhere
        lookup = DiskLookup(key, folder, hit, seconds, stored=found[1] if hit else None)
        if error is not None:
            lookup.reason, lookup.words = "unreadable", cut(f"{type(error).__name__}: {error}", WORDS)
            lookup.broken = _state(lookup)
            if folder is None:
                lookup.reason, self._failure = "unusable", lookup.words
        elif not hit:
            lookup.reason = "no_entry"
            configured = jax.config.jax_compilation_cache_dir
            if configured and folder is not None and privates.whole_path(str(configured)) != folder:
                lookup.reason, lookup.words = "set_late", cut(str(configured), WORDS)
        parts, module, options, devices = self._local.keys.get(key, ([], None, None, None))
        lookup.parts = self._parts(parts, options, devices)
        if not hit and module is not None:
            self._tell(lookup, parts, module)
        self._local.lookup = lookup

    def _tell(self, lookup: DiskLookup, parts: list[Part], module: Any) -> None:
        size = next((part.size for part in parts if part.name == "computation"), 0)
        if size > MOST_BYTES:
            lookup.untold = f"the program has {size} bytes"
            return
        try:
            lookup.text = privates.program_text(module)
        except Exception as error:
            lookup.untold = cut(f"JAX could not print the program: {type(error).__name__}: {error}", WORDS)

    def compiled(self, key: str, arguments: dict[str, Any], seconds: float, put: Put | None) -> None:
        """A miss was compiled, and written or not."""
        try:
            lookup = self._local.lookup
            if lookup is None or lookup.key != key:
                return
            took = arguments.get("compile_time_secs")
            lookup.compile_seconds = float(took) if isinstance(took, int | float) else None
            lookup.written, lookup.unwritten, lookup.unwritten_words = self._fate(lookup, arguments, put)
            # Below the minimum nothing is done but a comparison.
            lookup.write_seconds = seconds if put is not None else None
        except Exception as error:
            self._recorder.internal_error("jax persistent cache", error)

    def _fate(
        self, lookup: DiskLookup, arguments: dict[str, Any], put: Put | None
    ) -> tuple[bool | None, str | None, str | None]:
        """Whether an entry was written, and why not: in the order in which JAX asks."""
        if put is not None:
            if put.error is not None:
                return False, "failed", cut(f"{type(put.error).__name__}: {put.error}", WORDS)
            if not put.began:
                least = jax.config.jax_persistent_cache_min_entry_size_bytes
                return False, "too_small", f"jax_persistent_cache_min_entry_size_bytes is {least}"
            if lookup.folder is None or "://" in lookup.folder:
                return True, None, None
            state = _state(lookup)
            if state is not None and state == lookup.broken:
                return False, "broken_entry", None
            if state is not None:
                return True, None, None
            # JAX warns, and goes on, where an entry is larger than the whole cache may be.
            return False, "too_large", f"jax_compilation_cache_max_size is {jax.config.jax_compilation_cache_max_size}"
        if privates.process_id() != 0:
            return False, "not_first_process", f"process {privates.process_id()}"
        least = jax.config.jax_persistent_cache_min_compile_time_secs
        if lookup.compile_seconds is not None and lookup.compile_seconds < least:
            if arguments.get("host_callbacks"):
                return False, "host_callbacks", None
            return False, "too_quick", f"jax_persistent_cache_min_compile_time_secs is {least:g}"
        return False, "host_callbacks" if arguments.get("host_callbacks") else "unknown", None

    # -- as values -------------------------------------------------------------------------------

    def _parts(self, parts: list[Part], options: Any, devices: Any) -> list[KeyPart]:
        found: list[KeyPart] = []
        for part in parts:
            text: str | None = " ".join(piece.decode("utf-8", "replace") for piece in part.pieces)
            if part.name in ("computation", "compile_options"):
                text = None
            elif part.name == "accelerator_config" and devices is not None:
                kinds = [str(device.device_kind) for device in devices.flat]
                text = ", ".join(f"{kind} x{kinds.count(kind)}" for kind in dict.fromkeys(kinds))
            found.append(KeyPart(part.name, part.digest[:DIGEST], cut(text, WORDS) if text is not None else None))
            if part.name == "compile_options" and options is not None:
                known = self._options.get(part.digest)
                if known is None:
                    known = [
                        KeyPart(f"compile_options[{name}]", "", cut(value, WORDS))
                        for name, value in privates.option_values(options).items()
                    ]
                    if len(self._options) < 1_000:
                        self._options[part.digest] = known
                found += known
        if found and getattr(jax.config, _LOCATIONS, False):
            found.append(KeyPart(_LOCATIONS, "", "True"))
        return found

    def events(
        self, lookup: DiskLookup | None, captured: dict[str, str]
    ) -> tuple[tuple[CacheLookup, ...], tuple[CacheKeyEvent, ...]]:
        """A compile's lookup as recordings have it, and what it refers to."""
        if lookup is None:
            return (self._off(),) if self.listens else (), ()
        keys: tuple[CacheKeyEvent, ...] = ()
        if lookup.parts:
            keys = self._keys.events(
                "jax", lookup.key, lookup.parts, text=lookup.text, untold=lookup.untold, captured=captured
            )
        value = CacheLookup(
            cache="jax",
            result="hit" if lookup.found else "off" if lookup.reason == "unusable" else "miss",
            key=lookup.key,
            parts=keys[-1].id if keys else None,
            reason=lookup.reason,
            words=lookup.words,
            folder=lookup.folder,
            read_seconds=lookup.seconds,
            write_seconds=lookup.write_seconds,
            written=lookup.written,
            unwritten=lookup.unwritten,
            unwritten_words=lookup.unwritten_words,
            compile_seconds=lookup.compile_seconds,
            stored_seconds=float(lookup.stored) if lookup.stored is not None else None,
            stored_whole=lookup.stored is not None,
        )
        return (value,), keys

    def _off(self) -> CacheLookup:
        """Why no cache was asked."""
        config = jax.config
        checked, used, opened = privates.state()
        if not getattr(config, "jax_enable_compilation_cache", True):
            return CacheLookup("jax", "off", reason="disabled", words="jax_enable_compilation_cache is False")
        if checked and not used:
            platform = jax.default_backend()
            if platform in _PLATFORMS:
                words = "jax_enable_compilation_cache was False at the first compile"
                return CacheLookup("jax", "off", reason="enabled_late", words=words)
            return CacheLookup("jax", "off", reason="unsupported", words=platform)
        if not config.jax_compilation_cache_dir:
            return CacheLookup("jax", "off", reason="no_folder")
        if opened and privates.folder() is None:
            folder = privates.whole_path(str(config.jax_compilation_cache_dir))
            return CacheLookup("jax", "off", reason="unusable", words=self._failure, folder=folder)
        return CacheLookup("jax", "unknown", reason="not_seen")


_LOCATIONS = "jax_compilation_cache_include_metadata_in_key"
"""No part by itself: where it is on, the program is hashed with its source locations."""
_PLATFORMS = ("tpu", "gpu", "cuda", "rocm", "cpu", "neuron")
