"""Sums over the entries of caches on disk."""

from __future__ import annotations

from collections.abc import Iterable

from jitscope.model.disk import KIND_WORDS, DiskEntry, DiskListing, DiskSums, FolderSums, KindSums


def disk_sums(listing: DiskListing) -> DiskSums:
    """Add up a listing, folder by folder, kind by kind."""
    return DiskSums(
        listing.schema,
        tuple(
            FolderSums(
                folder.path,
                folder.kind,
                folder.source,
                len(folder.entries),
                folder.bytes,
                tuple(
                    _kind(kind, [entry for entry in folder.entries if entry.kind == kind])
                    for kind in KIND_WORDS
                    if any(entry.kind == kind for entry in folder.entries)
                ),
                folder.strangers,
                folder.error,
            )
            for folder in listing.folders
        ),
    )


def _kind(kind: str, entries: list[DiskEntry]) -> KindSums:
    known = [seconds for entry in entries if (seconds := seconds_of(entry)) is not None]
    return KindSums(
        kind=kind,  # type: ignore[arg-type]
        entries=len(entries),
        bytes=sum(entry.bytes for entry in entries),
        oldest=min(entry.modified for entry in entries),
        newest=max(entry.modified for entry in entries),
        recorded=sum(entry.run is not None for entry in entries),
        broken=sum(entry.problem is not None for entry in entries),
        seconds=sum(known),
        seconds_unknown=len(entries) - len(known),
        at_least=any(entry.whole_seconds and entry.measured is None for entry in entries),
    )


def seconds_of(entry: DiskEntry) -> float | None:
    """What compiling an entry took, as well as it is known."""
    return entry.measured if entry.measured is not None else entry.seconds


def total(entries: Iterable[DiskEntry]) -> int:
    """Bytes of all."""
    return sum(entry.bytes for entry in entries)
