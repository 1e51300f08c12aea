"""What is in a cache's folder, and what became of its entries."""

from __future__ import annotations

from typing import Literal

import msgspec

DISK_SCHEMA = 1

EntryKind = Literal["jax", "fx_graph", "aot_autograd", "triton", "code", "header", "autotune"]
"""``code``: what Inductor generated and built; ``header``: C++ headers that it compiled beforehand."""

KIND_WORDS: dict[EntryKind, str] = {
    "jax": "JAX program",
    "fx_graph": "FX graph",
    "aot_autograd": "AOTAutograd result",
    "triton": "Triton kernel",
    "code": "generated code",
    "header": "precompiled header",
    "autotune": "autotuning result",
}


class DiskEntry(msgspec.Struct, frozen=True):
    """One entry: the files that belong together."""

    kind: EntryKind
    key: str
    """What the framework calls it; recordings have the same."""
    files: tuple[str, ...]
    """Paths relative to the folder, with ``/``."""
    bytes: int
    modified: float
    """Seconds since 1970, of the newest file."""
    used: float | None = None
    """When it was last read; None where that can't be told."""
    used_by: Literal["cache", "file system", "unknown"] = "unknown"
    """Who says so: the framework's own time stamp, or the file system, which may be a day late."""
    program: str | None = None
    """The compiled program's name, where the entry or a recording has one."""
    seconds: float | None = None
    """What compiling took, as stored in the entry: what a hit saves, before reading."""
    whole_seconds: bool = False
    """`seconds` was cut down to whole seconds: it is at least that, and less than one more."""
    measured: float | None = None
    """What compiling took, as a recording measured it; None where none did."""
    function: str | None = None
    """The recorded function that it belongs to."""
    run: str | None = None
    """The newest recorded run that asked for it."""
    problem: str | None = None
    """What is wrong with it; None where nothing is, as far as was looked."""


class DiskFolder(msgspec.Struct, frozen=True):
    """A cache's folder."""

    path: str
    kind: Literal["jax", "torch", "triton"]
    source: str
    """Who says that it is one: ``JAX_COMPILATION_CACHE_DIR``, a recording, the command line, ``default``."""
    entries: tuple[DiskEntry, ...] = ()
    strangers: int = 0
    """Files in it that look like no entry of that framework; they are never touched."""
    error: str | None = None
    """Why it could not be read."""

    @property
    def bytes(self) -> int:
        """Size of all entries."""
        return sum(entry.bytes for entry in self.entries)


class DiskListing(msgspec.Struct, frozen=True):
    """``jitscope cache ls`` and ``stats``."""

    schema: int
    folders: tuple[DiskFolder, ...]


class KeptEntry(msgspec.Struct, frozen=True):
    """An entry that was to go and stayed."""

    key: str
    why: str


class CachePruning(msgspec.Struct, frozen=True):
    """``jitscope cache prune``, for one folder."""

    path: str
    kind: str
    deleted: tuple[DiskEntry, ...]
    """Or, in a dry run, what would be deleted."""
    kept: tuple[KeptEntry, ...]
    left: int
    """Bytes of the entries that stay."""


class CachePrunings(msgspec.Struct, frozen=True):
    """``jitscope cache prune``."""

    schema: int
    dry_run: bool
    folders: tuple[CachePruning, ...]


class CacheCheck(msgspec.Struct, frozen=True):
    """``jitscope cache verify``, for one folder."""

    path: str
    kind: str
    checked: int
    broken: tuple[DiskEntry, ...]
    unchecked: dict[str, int]
    """Entries that could not be checked, by the reason."""


class CacheChecks(msgspec.Struct, frozen=True):
    """``jitscope cache verify``."""

    schema: int
    folders: tuple[CacheCheck, ...]


class KindSums(msgspec.Struct, frozen=True):
    """Entries of one kind in one folder."""

    kind: EntryKind
    entries: int
    bytes: int
    oldest: float
    """Seconds since 1970."""
    newest: float
    recorded: int
    """Those that a recorded run asked for."""
    broken: int
    """Those that are seen at a glance to be; ``jitscope cache verify`` looks closely."""
    seconds: float
    """What compiling them took, of those of which it is known."""
    seconds_unknown: int
    at_least: bool
    """Some of it was cut down to whole seconds."""


class FolderSums(msgspec.Struct, frozen=True):
    """One folder."""

    path: str
    kind: str
    source: str
    entries: int
    bytes: int
    kinds: tuple[KindSums, ...]
    strangers: int
    error: str | None


class DiskSums(msgspec.Struct, frozen=True):
    """``jitscope cache stats``."""

    schema: int
    folders: tuple[FolderSums, ...]
