"""Files below one folder, seen without following links, and read without changing when they were read last."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jitscope.errors import JitscopeError

MOST_FILES = 500_000


class File(NamedTuple):
    """A plain file."""

    path: str
    """Relative to the folder, with ``/``."""
    size: int
    modified: float
    read: float

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.rpartition("/")[2]


def open_folder(path: Path) -> Path:
    """The folder itself, where ``path`` can be looked into; a link to it is followed, once.

    Raises:
        JitscopeError: if it can't.
    """
    try:
        real = path.resolve(strict=True)
        if not real.is_dir():
            raise JitscopeError(f"{path} is a file: name a cache's folder", slug="no-folder")
        with os.scandir(real) as found:
            next(found, None)
    except FileNotFoundError:
        raise JitscopeError(f"{path} does not exist: name a cache's folder", slug="no-folder") from None
    except (OSError, RuntimeError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise JitscopeError(f"cannot look into {path}: {why}; check its permissions", slug="no-folder") from error
    return real


def files_below(root: Path, depth: int = 6) -> Iterator[File]:
    """Every plain file below ``root``; links are left out, and what vanishes meanwhile."""
    yield from _below(str(root), "", depth)


def _below(folder: str, prefix: str, depth: int) -> Iterator[File]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda one: one.name)
    except OSError:
        return
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            if depth > 1:
                yield from _below(entry.path, f"{prefix}{entry.name}/", depth - 1)
        elif stat.S_ISREG(status.st_mode):
            yield File(prefix + entry.name, status.st_size, status.st_mtime, status.st_atime)


_QUIET = getattr(os, "O_NOATIME", 0)
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def read_start(path: Path, length: int) -> bytes:
    """At most ``length`` bytes from the start of a file.

    Where the system lets it, the file's time of last reading stays.

    Raises:
        OSError: if it can't be read, or is a link.
    """
    try:
        handle = os.open(path, _FLAGS | _QUIET)
    except PermissionError:
        handle = os.open(path, _FLAGS)  # only a file's owner may leave the time as it is
    with os.fdopen(handle, "rb") as file:
        return file.read(length)


def last_use(files: list[File]) -> float | None:
    """When files were read last, by the file system; None where they were not since they were written, or nobody noted.

    Linux mostly notes only the first reading of a day (``relatime``), or none (``noatime``).
    """
    newest = max((file.read for file in files), default=0.0)
    written = max((file.modified for file in files), default=0.0)
    return newest if newest > written + 1.0 else None
