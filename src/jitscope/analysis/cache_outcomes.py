"""What caches on disk did, in words, and what their hits saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from jitscope.model.caching import CacheLookup
from jitscope.model.events import CacheEvent, CompilationEvent
from jitscope.model.report import CacheOutcome, CacheReport

Measured = Mapping[str, float]
"""What compiling took, by JAX's key, as recordings measured it, of this run or of others."""

_REASONS = {
    "no_entry": "no entry has its key",
    "disabled": "switched off: {words}",
    "no_folder": "no folder is set (jax_compilation_cache_dir or JAX_COMPILATION_CACHE_DIR)",
    "set_late": "no entry has its key; jax_compilation_cache_dir was set to {words} after the first compile, which JAX "
    "ignores: it still looks in {folder}",
    "enabled_late": "off: {words}, and JAX decides that once a process",
    "unsupported": "JAX has none for the platform {words}",
    "unusable": "off: its folder could not be opened: {words}",
    "unreadable": "its entry could not be read: {words}",
    "not_cacheable": "torch does not cache it: {words}",
    "guards": "an entry has its key, and was compiled for other sizes: {words}",
    "fx_graph_missing": "an entry has its key, and Inductor's entry that it refers to is gone",
    "artifacts": "put there by torch.compiler.load_cache_artifacts",
    "bundled": "kernels that came with Inductor's entry: {words}",
    "workers": "Inductor has kernels compiled by other processes, whose caches can't be seen from here",
    "not_seen": "the framework did not ask it; why is not known",
    "torch_differs": "this version of torch asks it in another way than those that jitscope knows",
}
_UNWRITTEN = {
    "too_quick": "compiling took less than is worth an entry ({words})",
    "too_small": "the entry would be too small ({words})",
    "too_large": "the entry is larger than the whole cache may be ({words})",
    "broken_entry": "the one that can't be read is in its place, and JAX never replaces it: delete it (jitscope cache "
    "verify names it)",
    "host_callbacks": "it calls back into Python (jax.debug.print, pure_callback, io_callback)",
    "not_first_process": "only the first process of several writes entries ({words})",
    "failed": "writing failed: {words}",
    "remote_only": "the local cache is off",
    "unknown": "why is not known",
}


def reason_text(lookup: CacheLookup) -> str | None:
    """Why a lookup was no plain hit, in words."""
    if lookup.reason is None:
        return "an entry of a remote cache" if lookup.remote and lookup.result == "hit" else None
    words = lookup.words or "torch gives no reason"
    known = _REASONS.get(lookup.reason)
    return lookup.reason if known is None else known.format(words=words, folder=lookup.folder or "another folder")


def unwritten_text(lookup: CacheLookup) -> str | None:
    """Why no entry was written, in words; None where one was, or nothing is known."""
    if lookup.unwritten is None:
        return None
    words = lookup.unwritten_words or "no details"
    known = _UNWRITTEN.get(lookup.unwritten)
    return lookup.unwritten if known is None else known.format(words=words)


def outcome_of(lookup: CacheLookup, measured: Measured | None = None) -> CacheOutcome:
    """A lookup, judged. ``measured`` serves where an entry keeps whole seconds only, as JAX's do."""
    saved, least, most, source = _saved(lookup, measured or {})
    why = reason_text(lookup)
    unwritten = unwritten_text(lookup)
    if lookup.result == "miss" and unwritten is not None:
        why = f"{why}; not written: {unwritten}" if why else f"not written: {unwritten}"
    return CacheOutcome(
        cache=lookup.cache,
        result=lookup.result,
        why=why,
        reason=lookup.reason,
        key=lookup.key,
        backward=lookup.backward,
        remote=lookup.remote,
        read_seconds=lookup.read_seconds,
        write_seconds=lookup.write_seconds,
        written=lookup.written,
        unwritten=lookup.unwritten,
        compile_seconds=lookup.compile_seconds,
        saved_seconds=saved,
        saved_at_least=least,
        saved_at_most=most,
        saved_from=source,
    )


_NOT_CACHED = {"jax": ("trace", "lower", "compile"), "aot_autograd": ("dynamo",)}
"""What is done all the same where a cache has the program; ``compile`` is what JAX does around the reading."""

_Saved = tuple[float | None, float | None, float | None, Literal["entry", "recording", "bounds"] | None]


def _saved(lookup: CacheLookup, measured: Measured) -> _Saved:
    if lookup.result != "hit" or lookup.read_seconds is None:
        return None, None, None, None
    stored, read = lookup.stored_seconds, lookup.read_seconds
    if stored is not None and not lookup.stored_whole:
        return stored - read, stored - read, stored - read, "entry"
    known = measured.get(lookup.key or "")
    # An entry that was made anew since has its own seconds.
    if known is not None and (stored is None or stored <= known < stored + 1):
        return known - read, known - read, known - read, "recording"
    if stored is not None:
        return None, stored - read, stored + 1 - read, "bounds"
    return None, None, None, None


def measured_in(compilations: Iterable[CompilationEvent]) -> dict[str, float]:
    """What compiling took, by key, of the programs that were written to JAX's cache."""
    return {
        lookup.key: lookup.compile_seconds
        for event in compilations
        for lookup in event.caches
        if lookup.cache == "jax" and lookup.written and lookup.key and lookup.compile_seconds is not None
    }


class _Sums:
    """One cache's numbers."""

    def __init__(self) -> None:
        self.results: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.unwritten: Counter[str] = Counter()
        self.rest: dict[str, float] = {}
        self.read = self.write = self.saved = self.least = 0.0
        self.written = self.unknown = 0

    def add(self, event: CompilationEvent, lookup: CacheLookup, measured: Measured) -> None:
        """Count a lookup."""
        one = outcome_of(lookup, measured)
        self.results[one.result] += 1
        self.read += one.read_seconds or 0.0
        self.write += one.write_seconds or 0.0
        self.written += one.written is True
        if one.result != "hit":
            self.reasons[reason_text(lookup) or "why is not known"] += 1
            untold = unwritten_text(lookup)
            if untold is not None:
                self.unwritten[untold] += 1
            return
        self.saved += one.saved_seconds or 0.0
        self.least += one.saved_at_least or 0.0
        self.unknown += one.saved_seconds is None
        for phase in event.phases:
            if phase.name in _NOT_CACHED.get(lookup.cache, ()):
                self.rest[phase.name] = self.rest.get(phase.name, 0.0) + phase.seconds

    def report(self, name: str) -> CacheReport:
        """As the report has it."""
        return CacheReport(
            name=name,
            hits=self.results["hit"],
            misses=self.results["miss"],
            seconds=self.read,
            bypassed=self.results["bypass"],
            off=self.results["off"],
            unknown=self.results["unknown"],
            written=self.written,
            write_seconds=self.write,
            reasons=dict(self.reasons.most_common()),
            unwritten=dict(self.unwritten.most_common()),
            saved_seconds=self.saved,
            saved_unknown=self.unknown,
            saved_at_least=self.least,
            rest_seconds=self.rest,
        )


def caches_of(
    compilations: Sequence[CompilationEvent], told: Sequence[CacheEvent] = (), measured: Measured | None = None
) -> tuple[CacheReport, ...]:
    """What each cache did in the whole process; ``told`` are sums that a recording holds ready."""
    sums: dict[str, _Sums] = {}
    for event in compilations:
        for lookup in event.caches:
            sums.setdefault(lookup.cache, _Sums()).add(event, lookup, measured or {})
    found = {name: one.report(name) for name, one in sums.items()}
    for ready in told:
        before = found.get(ready.name, CacheReport(ready.name, 0, 0, 0.0))
        found[ready.name] = msgspec.structs.replace(
            before,
            hits=before.hits + ready.hits,
            misses=before.misses + ready.misses,
            seconds=before.seconds + ready.seconds,
            saved_unknown=before.saved_unknown + ready.hits,
        )
    return tuple(found.values())
