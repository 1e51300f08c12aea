"""Entries that can't be read: checked by their form, nothing of them is loaded or run."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from pathlib import Path

import msgspec

from jitscope.caches import jax_folder, torch_folder
from jitscope.caches.prune import YOUNG
from jitscope.model.disk import CacheCheck, DiskEntry, DiskFolder

UNFINISHED = "not whole, and written in the last minute: a program may still be writing it"


def verify(folder: DiskFolder) -> CacheCheck:
    """Read every entry of a folder."""
    root = Path(folder.path)
    broken: list[DiskEntry] = []
    unchecked: Counter[str] = Counter()
    checked = 0
    for entry in folder.entries:
        try:
            problem = _check(root, folder.kind, entry)
            if problem is not None and _is_young(root, entry):
                raise LookupError(UNFINISHED)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except OSError as error:
            problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
        except LookupError as error:
            unchecked[str(error.args[0] if error.args else error)] += 1
            continue
        checked += 1
        if problem is not None:
            broken.append(msgspec.structs.replace(entry, problem=problem))
    return CacheCheck(folder.path, folder.kind, checked, tuple(broken), dict(unchecked))


def _is_young(root: Path, entry: DiskEntry) -> bool:
    """Whether a program may still be writing an entry: JAX does it in place, as compilers do what they build."""
    if entry.kind in torch_folder.NAMED_BY_CONTENT:
        return False  # put in their place whole
    written = entry.modified
    for file in entry.files:
        with contextlib.suppress(OSError):
            written = max(written, (root / file).stat(follow_symlinks=False).st_mtime)
    return time.time() - written < YOUNG


def _check(root: Path, kind: str, entry: DiskEntry) -> str | None:
    if kind != "jax":
        return torch_folder.check(root, entry)
    file = next((file for file in entry.files if file.endswith("-cache")), None)
    if file is None:
        return entry.problem
    return jax_folder.check(root / file)
