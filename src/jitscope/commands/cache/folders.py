"""The folders that a command is about, and what recordings know of their entries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from jitscope.caches.folders import places_in_force, read_named, read_place
from jitscope.commands.progress import track
from jitscope.errors import JitscopeError
from jitscope.model.disk import DiskEntry, DiskFolder
from jitscope.model.events import CompilationEvent, FunctionEvent
from jitscope.store.locate import directory, recordings_in
from jitscope.store.reader import load

NEWEST = 30
"""Recordings that are asked whose entries are whose."""
UNREAD = frozenset({"signature", "calls", "repeat", "context", "cache_key", "note", "label", "added_up"})
"""Kinds of events that say nothing of it."""


class KnownKey(msgspec.Struct, frozen=True):
    """What the newest recording that asked for an entry says of it."""

    function: str
    run: str
    measured: float | None
    """What compiling took, where it was compiled."""


class KnownKeys(msgspec.Struct):
    """What recordings know."""

    keys: dict[tuple[str, str], KnownKey]
    """By cache and key."""
    folders: list[tuple[str, str, str]]
    """Cache, folder, and the run that says so."""


def known_keys() -> KnownKeys:
    """Ask the newest recordings where they are usually kept; what can't be read is left out."""
    found = KnownKeys({}, [])
    try:
        paths = recordings_in(directory())[:NEWEST]
    except JitscopeError:
        return found
    for path in track(paths, "reading recordings"):
        try:
            recording = load(path, without=UNREAD)
        except JitscopeError:
            continue
        names = {event.id: event.name for event in recording.events if isinstance(event, FunctionEvent)}
        for event in recording.events:
            for lookup in getattr(event, "caches", ()):
                if lookup.folder is not None:
                    told = (lookup.cache, lookup.folder, f"run {recording.header.run}")
                    if told[:2] not in {one[:2] for one in found.folders}:
                        found.folders.append(told)
                if lookup.key is None:
                    continue
                before = found.keys.get((lookup.cache, lookup.key))
                owner = names.get(event.function, "") if isinstance(event, CompilationEvent) and event.function else ""
                program = owner or (event.program if isinstance(event, CompilationEvent) else "")
                found.keys[(lookup.cache, lookup.key)] = KnownKey(
                    (before.function if before is not None else "") or program,
                    before.run if before is not None else recording.header.run,
                    (before.measured if before is not None else None) or lookup.compile_seconds,
                )
    return found


def chosen_folders(named: Sequence[Path]) -> list[DiskFolder]:
    """The folders named, or those in force, with what recordings know of the entries.

    Raises:
        JitscopeError: if one that is named can't be read, or is no cache; or if there is none in force.
    """
    known = known_keys()
    if named:
        return [_told(read_named(path), known) for path in named]
    places = places_in_force(known.folders)
    if not places:
        raise JitscopeError(
            "no cache folder is in force here: name one, or set JAX_COMPILATION_CACHE_DIR or TORCHINDUCTOR_CACHE_DIR",
            slug="no-cache-folder",
        )
    found: list[DiskFolder] = []
    for place in places:
        try:
            found.append(_told(read_place(place), known))
        except JitscopeError as error:
            found.append(DiskFolder(str(place.path), place.kind, place.source, error=str(error)))
    return found


def _told(folder: DiskFolder, known: KnownKeys) -> DiskFolder:
    return msgspec.structs.replace(folder, entries=tuple(_whose(entry, known) for entry in folder.entries))


def _whose(entry: DiskEntry, known: KnownKeys) -> DiskEntry:
    told = known.keys.get((entry.kind, entry.key))
    if told is None:
        return entry
    measured = told.measured
    if entry.whole_seconds and entry.seconds is not None and measured is not None:
        # Of another entry that had the same key before.
        measured = measured if entry.seconds <= measured < entry.seconds + 1 else None
    return msgspec.structs.replace(entry, function=told.function or None, run=told.run, measured=measured)
