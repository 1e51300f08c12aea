"""Choosing entries to go, and deleting them: nothing but files that look like entries, and never through a link."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

from jitscope.caches.locks import locked
from jitscope.model.disk import CachePruning, DiskEntry, DiskFolder, KeptEntry

YOUNG = 60.0
"""Seconds. What was written later than that may still be being written."""


def choose(
    folder: DiskFolder, *, now: float, older_than: float | None = None, max_size: int | None = None
) -> list[DiskEntry]:
    """The entries to go.

    Those not used for ``older_than`` seconds; then the ones used longest ago, until the others take at most
    ``max_size`` bytes.
    """
    oldest_first = sorted(folder.entries, key=lambda one: (_last(one), one.key))
    chosen: dict[tuple[str, str], DiskEntry] = {}
    if older_than is not None:
        chosen = {(one.kind, one.key): one for one in oldest_first if now - _last(one) > older_than}
    if max_size is not None:
        left = folder.bytes - sum(one.bytes for one in chosen.values())
        for one in oldest_first:
            if left <= max_size:
                break
            if (one.kind, one.key) not in chosen:
                chosen[(one.kind, one.key)] = one
                left -= one.bytes
    return [one for one in oldest_first if (one.kind, one.key) in chosen]


def _last(entry: DiskEntry) -> float:
    """When it was used last, as far as that is known: it was, when it was written."""
    return max(entry.modified, entry.used or 0.0)


def prune(folder: DiskFolder, chosen: Sequence[DiskEntry], *, dry_run: bool, now: float | None = None) -> CachePruning:
    """Delete ``chosen`` from ``folder``, or only say what would be.

    Raises:
        JitscopeError: if a program holds the folder's lock; nothing is deleted then.
    """
    now = time.time() if now is None else now
    gone: list[DiskEntry] = []
    kept: list[KeptEntry] = []
    root = Path(folder.path)
    if dry_run or not chosen:
        for entry in chosen:
            if now - entry.modified < YOUNG:
                kept.append(KeptEntry(entry.key, _TOO_YOUNG))
            else:
                gone.append(entry)
    else:
        with locked(root, folder.kind):
            handle = os.open(root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0))
            try:
                for entry in chosen:
                    why = _delete(handle, entry, now)
                    if why is None:
                        gone.append(entry)
                    else:
                        kept.append(KeptEntry(entry.key, why))
            finally:
                os.close(handle)
    left = folder.bytes - sum(entry.bytes for entry in gone)
    return CachePruning(folder.path, folder.kind, tuple(gone), tuple(kept), left)


_TOO_YOUNG = "written a moment ago"


def _delete(root: int, entry: DiskEntry, now: float) -> str | None:
    """Delete an entry's files; None, or why it is still there. ``root`` is the open folder."""
    opened: list[tuple[int, str]] = []
    parents: dict[str, int] = {}
    try:
        for file in entry.files:
            folder, _, name = file.rpartition("/")
            try:
                if folder not in parents:
                    parents[folder] = _open_below(root, folder)
                status = os.stat(name, dir_fd=parents[folder], follow_symlinks=False)
            except FileNotFoundError:
                continue  # somebody else has deleted it
            except OSError as error:
                return (error.strerror or str(error)).lower()
            if not stat.S_ISREG(status.st_mode):
                return "no plain file any more"
            if now - status.st_mtime < YOUNG:
                return _TOO_YOUNG
            if status.st_mtime > entry.modified + 0.001:
                return "written anew meanwhile"
            opened.append((parents[folder], name))
        for parent, name in opened:
            try:
                os.unlink(name, dir_fd=parent)
            except FileNotFoundError:
                continue
            except OSError as error:
                return (error.strerror or str(error)).lower()
    finally:
        for handle in parents.values():
            os.close(handle)
    _remove_empty(root, entry)
    return None


def _open_below(root: int, folder: str) -> int:
    """A folder below ``root``, part by part, so that no link is followed.

    Raises:
        OSError: if a part is a link, or no folder.
    """
    handle = os.dup(root)
    for part in folder.split("/") if folder else ():
        try:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
        finally:
            os.close(handle)
        handle = deeper
    return handle


def _remove_empty(root: int, entry: DiskEntry) -> None:
    """Remove the entry's own folders, where nothing is left in them."""
    if entry.kind not in ("fx_graph", "aot_autograd", "triton"):
        return
    for folder in {file.rpartition("/")[0] for file in entry.files}:
        above, _, name = folder.rpartition("/")
        if name != entry.key:
            continue
        try:
            handle = _open_below(root, above)
        except OSError:
            continue
        try:
            os.rmdir(name, dir_fd=handle)
        except OSError:
            pass  # something is left in it, or it is gone
        finally:
            os.close(handle)
