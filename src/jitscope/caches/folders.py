"""Which folders are caches: named by the user, by the environment, by recordings, or the frameworks' defaults."""

from __future__ import annotations

import getpass
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from jitscope.caches import jax_folder, torch_folder
from jitscope.caches.files import File, files_below, open_folder
from jitscope.errors import JitscopeError
from jitscope.model.disk import DiskEntry, DiskFolder

Kind = Literal["jax", "torch", "triton"]

_READERS: dict[Kind, Callable[[Path, Iterable[File]], tuple[list[DiskEntry], int]]] = {
    "jax": jax_folder.entries_in,
    "torch": torch_folder.entries_in,
    "triton": torch_folder.triton_entries_in,
}


class Place(NamedTuple):
    """A folder that may be a cache."""

    path: Path
    kind: Kind
    source: str


def places_in_force(told: Iterable[tuple[str, str, str]] = ()) -> list[Place]:
    """The folders in force here: those of the environment, else the defaults, and those that recordings tell of.

    ``told``: cache (as in recordings), folder, and who says so.
    """
    environment = os.environ
    found: list[Place] = []
    jax = environment.get("JAX_COMPILATION_CACHE_DIR")
    if jax and "://" not in jax:
        found.append(Place(Path(jax), "jax", "JAX_COMPILATION_CACHE_DIR"))
    inductor = environment.get("TORCHINDUCTOR_CACHE_DIR")
    if inductor:
        found.append(Place(Path(inductor), "torch", "TORCHINDUCTOR_CACHE_DIR"))
    else:
        found.append(Place(default_inductor_folder(), "torch", "Inductor's default"))
    triton = environment.get("TRITON_CACHE_DIR")
    if triton:
        found.append(Place(Path(triton), "triton", "TRITON_CACHE_DIR"))
    else:
        found.append(Place(Path.home() / ".triton" / "cache", "triton", "Triton's default"))
    for cache, folder, source in told:
        if not Path(folder).is_absolute():
            continue  # a bucket's; or of a recording that does not say from where: another folder may be called so here
        if cache == "jax":
            found.append(Place(Path(folder), "jax", source))
        elif Path(folder).name in ("fxgraph", "aotautograd"):
            found.append(Place(Path(folder).parent, "torch", source))
    first: dict[str, Place] = {}
    for place in found:
        first.setdefault(os.path.realpath(place.path), place)
    return [place for place in first.values() if place.path.is_dir()]


def default_inductor_folder() -> Path:
    """Where Inductor keeps its caches without ``TORCHINDUCTOR_CACHE_DIR`` (2.13: ``default_cache_dir``)."""
    try:
        user = getpass.getuser()
    except (KeyError, ImportError, OSError):
        user = f"uid_{os.getuid()}" if hasattr(os, "getuid") else "unknown_user"
    return Path(tempfile.gettempdir()) / ("torchinductor_" + re.sub(r'[\\/:*?"<>|]', "_", user))


def read_place(place: Place) -> DiskFolder:
    """What is in a folder.

    Raises:
        JitscopeError: if it can't be looked into.
    """
    root = open_folder(place.path)
    entries, strangers = _READERS[place.kind](root, files_below(root))
    return DiskFolder(str(root), place.kind, place.source, _sorted(entries), strangers)


def read_named(path: Path) -> DiskFolder:
    """What is in a folder that the user named; which framework's it is, is told by what is in it.

    Raises:
        JitscopeError: if it can't be looked into, or is no cache of any of them.
    """
    root = open_folder(path)
    if root.name in ("fxgraph", "aotautograd") and root.parent.is_dir():
        where = f"{path} is a part of Inductor's cache: name {root.parent}"
        raise JitscopeError(where, slug="cache-part")
    files = list(files_below(root))
    best: tuple[int, Kind, list[DiskEntry], int] | None = None
    for kind, reader in _READERS.items():
        # Only names are looked at until it is known whose it is.
        entries, strangers = reader(root, files) if _any(kind, files) else ([], len(files))
        if kind == "jax" and not any(jax_folder.is_jaxs(entry) for entry in entries):
            entries, strangers = [], len(files)
        if best is None or len(entries) > best[0]:
            best = (len(entries), kind, entries, strangers)
    assert best is not None
    count, kind, entries, strangers = best
    if not count and files:
        raise JitscopeError(
            f"{path} is no compilation cache: none of its {len(files)} files looks like an entry of JAX, Inductor or "
            "Triton; nothing was touched",
            slug="not-a-cache",
        )
    return DiskFolder(str(root), kind, "named", _sorted(entries), strangers)


def _any(kind: Kind, files: list[File]) -> bool:
    if kind == "jax":
        return any("/" not in file.path and jax_folder.NAME.fullmatch(file.path) for file in files)
    if kind == "torch":
        return any(torch_folder.shows_inductor(file.path) for file in files)
    return any(torch_folder.shows_triton(file.path) for file in files)


def _sorted(entries: list[DiskEntry]) -> tuple[DiskEntry, ...]:
    """The one that was used or written last first."""
    return tuple(sorted(entries, key=lambda one: (-(one.used or one.modified), one.kind, one.key)))
