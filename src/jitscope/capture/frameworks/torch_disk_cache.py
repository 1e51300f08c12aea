"""What torch's caches on disk did for each compile: Inductor's FX graph cache, AOTAutograd's, Triton's."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import msgspec

from jitscope.capture import spans
from jitscope.capture.frameworks import torch_cache_privates as privates
from jitscope.capture.frameworks.torch_cache_privates import Fields
from jitscope.capture.frameworks.torch_privates import current_compile_id
from jitscope.capture.keys import DIGEST, WORDS, KeyBook
from jitscope.capture.recorder import Recorder
from jitscope.model.caching import CacheKeyEvent, CacheLookup, CacheResult, KeyPart
from jitscope.model.notation import cut

_LINE = re.compile(r"\[(?P<digest>[^\]\s]+)\] (?P<name>[^\s:]+(?:\[[^\n]*?\])?): (?P<text>.*)", re.DOTALL)
"""How torch writes a part of a key, for debugging: ``[hash] name: text`` (2.11, 2.13)."""
_PROGRAM = "gm"
"""The part that is the graph."""
KEPT = 1_000
"""Compiles whose lookups wait to be written, and entries that wait to be saved; older ones are forgotten."""
_NAMES = re.compile(r"'([^']+)'")
"""Kernels in the text of ``TritonBundlerMetadata``."""


@dataclass(slots=True)
class _Found:
    value: CacheLookup
    keys: tuple[CacheKeyEvent, ...] = ()


@dataclass(slots=True)
class _Saved:
    key: str
    seconds: float
    known: Fields


@dataclass(slots=True)
class _Compile:
    found: list[_Found] = field(default_factory=list)
    kernels: list[str] = field(default_factory=list)
    on_gpu: bool = False


class TorchDiskCache:
    """Listens to torch's caches on disk. An error in here must not reach the user's compile."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._keys = KeyBook(recorder.new_id)
        self._lock = threading.Lock()
        self._compiles: dict[str, _Compile] = {}
        """By compile id: what has not been written yet."""
        self._unsaved: dict[tuple[str, str], _Found] = {}
        """By cache and key: misses that were not followed by a write yet."""
        self._listening = self._whole = False
        self.listen()

    def forked(self) -> None:
        """In a forked child: another thread may have held the lock, and been in a compile that nobody ends here."""
        self._lock = threading.Lock()
        self._compiles.clear()
        self._unsaved.clear()
        self._keys.forked()

    def listen(self) -> None:
        """Listen, once torch has imported its caches."""
        try:
            privates.listen_to_artifacts()
            if not self._listening and privates.ready():
                self._listening = True
                self._whole = privates.listen(self, perf_counter)
        except Exception as error:
            self._recorder.internal_error("torch caches", error)

    # -- what torch does -------------------------------------------------------------------------

    def keyed(self, start: float, seconds: float) -> None:
        """A key was made: the graph was written as text, torch's and Triton's files were hashed."""
        try:
            spans.add("cache_key", start, seconds)
        except Exception as error:
            self._recorder.internal_error("torch caches", error)

    def looked(self, cache: str, seconds: float, known: Fields) -> None:
        """A lookup has ended."""
        try:
            self._looked(cache, seconds, known)
        except Exception as error:
            self._recorder.internal_error("torch caches", error)

    def _looked(self, cache: str, seconds: float, known: Fields) -> None:
        compile_id = current_compile_id()
        if compile_id is None:
            return  # compiled by other means than Dynamo's: not one of ours
        key = known.get("key")
        state: CacheResult = known["state"]
        lines = known.get("lines") or ()
        keys = self._key_events(cache, str(key), lines, told=state == "miss") if key else ()
        nanoseconds = known.get("nanoseconds")
        found = _Found(
            CacheLookup(
                cache=cache,
                result=state,
                key=str(key) if key else None,
                parts=keys[-1].id if keys else None,
                reason=self._reason(cache, state, known),
                words=_words(known),
                folder=privates.folder(cache),
                backward=bool(known.get("backward")),
                read_seconds=seconds,
                stored_seconds=nanoseconds / 1e9 if state == "hit" and isinstance(nanoseconds, int) else None,
            ),
            keys,
        )
        with self._lock:
            compiling = self._compile(compile_id)
            if cache == "aot_autograd":
                # What was read on the way to it comes after it.
                compiling.found.insert(0, found)
            else:
                compiling.found.append(found)
            if state == "miss" and key:
                self._unsaved[(cache, str(key))] = found
                _shorten(self._unsaved)
            compiling.kernels += _NAMES.findall(str(known.get("kernels") or ""))
            compiling.on_gpu |= any("device(type='cuda'" in line or "device(type='xpu'" in line for line in lines)

    def _compile(self, compile_id: str) -> _Compile:
        found = self._compiles.setdefault(compile_id, _Compile())
        _shorten(self._compiles)
        return found

    def _reason(self, cache: str, state: CacheResult, known: Fields) -> str | None:
        if state == "hit":
            return "artifacts" if privates.came_with_artifacts(cache, str(known.get("key"))) else None
        if state == "bypass":
            return "not_cacheable"
        return {"guard_miss": "guards", "fx_graph_missing": "fx_graph_missing"}.get(
            str(known.get("detail")), "no_entry" if state == "miss" else None
        )

    def _key_events(self, cache: str, key: str, lines: Sequence[str], *, told: bool) -> tuple[CacheKeyEvent, ...]:
        parts: list[KeyPart] = []
        text: str | None = None
        for line in lines:
            match = _LINE.match(line)
            if match is None:
                continue
            name, words = match["name"], match["text"]
            if name == _PROGRAM:
                text, words = words, ""
            digest = match["digest"][:DIGEST] if match["digest"] != "-" else ""
            parts.append(KeyPart(name, digest, cut(words, WORDS) if words else None))
        return self._keys.events(cache, key, parts, text=text if told else None) if parts else ()

    def wrote(self, cache: str, seconds: float, known: Fields) -> None:
        """An entry was to be written: the lookup that missed it is told anew, whole."""
        try:
            key = str(known.get("key"))
            with self._lock:
                found = self._unsaved.pop((cache, key), None)
            if found is None:
                return
            nanoseconds = known.get("nanoseconds")
            value = msgspec.structs.replace(
                found.value,
                written=bool(known.get("written")),
                unwritten=None if known.get("written") else "failed" if known.get("failed") else "remote_only",
                write_seconds=seconds,
                compile_seconds=nanoseconds / 1e9 if isinstance(nanoseconds, int) else None,
            )
            compile_id = current_compile_id()
            with self._lock:
                waiting = next((one for each in self._compiles.values() for one in each.found if one is found), None)
                if waiting is not None:
                    waiting.value = value
                elif compile_id is not None:
                    # Its compile was written: the backward graph's tells.
                    self._compile(compile_id).found.append(_Found(value, found.keys))
        except Exception as error:
            self._recorder.internal_error("torch caches", error)

    # -- as values -------------------------------------------------------------------------------

    def forget(self) -> None:
        """Compile ids begin anew."""
        with self._lock:
            self._compiles.clear()

    def take(
        self, compile_id: str, ran: Sequence[str] = (), metrics: Any = None, captured: dict[str, str] | None = None
    ) -> tuple[tuple[CacheLookup, ...], tuple[CacheKeyEvent, ...]]:
        """The lookups of a compile so far, and what they refer to.

        ``ran``: names of its phases; a cache of theirs that was not asked is told, too. ``captured``: plain values
        that the function takes from around it.
        """
        self.listen()
        with self._lock:
            compiling = self._compiles.pop(compile_id, _Compile())
        values = [_with_remote(one.value, metrics) for one in compiling.found]
        asked = {one.cache for one in values}
        for cache, phase in (("aot_autograd", "aot_autograd"), ("fx_graph", "inductor")):
            if phase in ran and "inductor" in ran and cache not in asked and not _covered(cache, values):
                values.append(self._unasked(cache))
        values += _triton(compiling.kernels, compiling.on_gpu, values)
        found = {key.id: key for one in compiling.found for key in one.keys}
        told = {one.keys[-1].id for one in compiling.found if one.keys and one.keys[-1].packed is not None}
        keys = tuple(
            msgspec.structs.replace(key, captured=captured) if captured and key.id in told else key
            for key in found.values()
        )
        return tuple(values), keys

    def _unasked(self, cache: str) -> CacheLookup:
        words = privates.switched_off(cache)
        if words is not None:
            return CacheLookup(cache, "off", reason="disabled", words=words)
        return CacheLookup(cache, "unknown", reason="not_seen" if self._whole else "torch_differs")


def _covered(cache: str, values: Sequence[CacheLookup]) -> bool:
    """A hit in AOTAutograd's cache needs nothing of Inductor's but what was told."""
    return cache == "fx_graph" and any(one.cache == "aot_autograd" and one.result == "hit" for one in values)


def _words(known: Fields) -> str | None:
    words = known.get("words") or (known.get("guards") if known.get("detail") == "guard_miss" else None)
    return cut(str(words).split("\n", 1)[0], WORDS) if words else None


def _with_remote(value: CacheLookup, metrics: Any) -> CacheLookup:
    """The metrics count hits in remote caches by compile."""
    name = {"fx_graph": "inductor_fx", "aot_autograd": "aotautograd"}.get(value.cache)
    if value.result != "hit" or not getattr(metrics, f"{name}_remote_cache_hit_count", None):
        return value
    return msgspec.structs.replace(value, remote=True)


def _triton(kernels: Sequence[str], on_gpu: bool, values: Sequence[CacheLookup]) -> list[CacheLookup]:
    """Kernels come with an FX graph's entry; else Inductor has them compiled by other processes, unseen from here."""
    if kernels:
        return [CacheLookup("triton", "hit", reason="bundled", words=cut(", ".join(dict.fromkeys(kernels)), WORDS))]
    if on_gpu and any(one.cache == "fx_graph" and one.result in ("miss", "bypass") for one in values):
        return [CacheLookup("triton", "unknown", reason="workers")]
    return []


def _shorten(known: dict[Any, Any]) -> None:
    if len(known) > KEPT:
        del known[next(iter(known))]
