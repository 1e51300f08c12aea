"""JAX's persistent cache on disk: ``<program>-<sha256>-cache``, in a folder of its own.

An entry is compressed (zstandard, or zlib where that is not installed): four bytes, the seconds that compiling took as
a whole number, big-endian, and the serialized program. With ``jax_compilation_cache_max_size`` set there are
``…-atime`` files beside it, eight bytes, little-endian, of nanoseconds, and a ``.lockfile``
(``jax/_src/compilation_cache.py``, ``lru_cache.py``, 0.6.2 to 0.12).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jitscope.caches.files import File, last_use, read_start
from jitscope.model.disk import DiskEntry

NAME = re.compile(r"(?P<key>(?P<program>.+)-(?P<digest>[0-9a-f]{64}))-(?P<kind>cache|atime)", re.DOTALL)
LOCK = ".lockfile"

_ZSTD = b"\x28\xb5\x2f\xfd"
_HEAD = 1 << 18
"""A compressed block is at most 128 KiB: the four bytes are in the first one."""
_MOST = 1 << 33
"""Bytes that an entry may have when it is unpacked; more is taken for damage."""
_LONG = 30 * 24 * 3600
"""Seconds. No program takes so long to compile."""
NO_ZSTD = "packed with zstandard, which is not installed here (pip install zstandard)"


def entries_in(root: Path, files: Iterable[File]) -> tuple[list[DiskEntry], int]:
    """The entries among ``files``, and how many files are none."""
    groups: dict[str, dict[str, File]] = {}
    strangers = 0
    for file in files:
        match = NAME.fullmatch(file.path) if "/" not in file.path else None
        if match is not None:
            groups.setdefault(match["key"], {})[match["kind"]] = file
        elif file.path != LOCK:
            strangers += 1
    return [_entry(root, key, group) for key, group in groups.items()], strangers


def _entry(root: Path, key: str, group: dict[str, File]) -> DiskEntry:
    match = NAME.fullmatch(f"{key}-cache")
    assert match is not None
    files = list(group.values())
    used, by = last_use(files), "file system"
    stamp = _stamp(root, group.get("atime"))
    if stamp is not None:
        used, by = stamp, "cache"
    seconds, problem = (None, "no entry beside its time stamp") if "cache" not in group else _seconds(root, group)
    return DiskEntry(
        kind="jax",
        key=key,
        files=tuple(file.path for file in files),
        bytes=sum(file.size for file in files),
        modified=max(file.modified for file in files),
        used=used,
        used_by=by if used is not None else "unknown",  # type: ignore[arg-type]
        program=match["program"],
        seconds=seconds,
        whole_seconds=seconds is not None,
        problem=problem,
    )


def is_jaxs(entry: DiskEntry) -> bool:
    """Whether an entry shows that its folder is JAX's: it is packed like one, or called like most.

    A file that is only called ``<anything>-<sha256>-cache`` can be anybody's.
    """
    return entry.problem != FOREIGN or entry.key.startswith(("jit_", "pmap_"))


def _stamp(root: Path, file: File | None) -> float | None:
    if file is None:
        return None
    try:
        data = read_start(root / file.path, 9)
    except OSError:
        return None
    return int.from_bytes(data, "little") / 1e9 if len(data) == 8 else None


def _seconds(root: Path, group: dict[str, File]) -> tuple[float | None, str | None]:
    try:
        data = read_start(root / group["cache"].path, _HEAD)
    except OSError as error:
        return None, f"cannot be read: {(error.strerror or str(error)).lower()}"
    try:
        head = _start(data)
    except _DamageError as error:
        return None, str(error)
    except LookupError:
        return None, None  # nothing wrong with it: it can't be looked into from here
    if len(head) < 4:
        return None, "cut off"
    seconds = int.from_bytes(head[:4], "big")
    return (float(seconds), None) if seconds < _LONG else (None, "its compile time makes no sense")


FOREIGN = "neither zlib nor zstandard"


class _DamageError(Exception):
    """What is wrong with an entry."""


def _start(data: bytes) -> bytes:
    """The first four bytes of what was packed.

    Raises:
        _DamageError: if it is damaged.
        LookupError: if it can't be unpacked here.
    """
    if not data:
        raise _DamageError("empty")
    if data.startswith(_ZSTD):
        head = b""
        for piece in _unzstd(data, whole=False):
            head += piece[:4]
            if len(head) >= 4:
                break
        return head[:4]
    if data[0] & 0x0F != 8:
        raise _DamageError(FOREIGN)
    try:
        return zlib.decompressobj().decompress(data, 4)
    except zlib.error as error:
        raise _DamageError("damaged") from error


def _unzstd(data: bytes, *, whole: bool) -> Iterator[bytes]:
    """What was packed with zstandard, piece by piece; ``whole``: ``data`` is all of it.

    Raises:
        _DamageError: if it is damaged or cut off, or more follows.
        LookupError: if it can't be unpacked here.
    """
    packer = _zstd_packer()
    for start in range(0, len(data), _CHUNK):
        try:
            yield packer.decompress(data[start : start + _CHUNK])
        except Exception as error:
            raise _DamageError("damaged") from error
        if packer.eof:
            if start + _CHUNK < len(data) or packer.unused_data:
                raise _DamageError("more than one entry in the file")
            return
    if whole:
        raise _DamageError("cut off")


_CHUNK = 1 << 13


def _zstd_packer() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14 on

        return zstd.ZstdDecompressor()
    except ImportError:
        pass
    try:
        import zstandard  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise LookupError(NO_ZSTD) from None
    return zstandard.ZstdDecompressor().decompressobj()


def check(path: Path) -> str | None:
    """What is wrong with an entry's file, all of it read and unpacked; None where nothing is.

    Raises:
        OSError: if it can't be read.
        LookupError: if it can't be unpacked here.
    """
    data = read_start(path, _MOST)
    try:
        head = _start(data)
    except _DamageError as error:
        return str(error)
    size = 0
    if data.startswith(_ZSTD):
        try:
            size = sum(len(piece) for piece in _unzstd(data, whole=True))
        except _DamageError as error:
            return str(error)
    else:
        packer = zlib.decompressobj()
        try:
            rest = data
            while rest and not packer.eof:
                size += len(packer.decompress(rest, 1 << 20))
                rest = packer.unconsumed_tail
        except zlib.error:
            return "damaged"
        if not packer.eof:
            return "cut off"
        if packer.unused_data:
            return "more than one entry in the file"
    if size <= 4:
        return "holds no program"
    return None if int.from_bytes(head, "big") < _LONG else "its compile time makes no sense"
