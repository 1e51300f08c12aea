"""How much a folder holds."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

MOST = 20_000
"""Files that are counted."""


class FolderSize(msgspec.Struct, frozen=True):
    """Files in a folder and below."""

    files: int
    size: int
    """Bytes."""
    counted_all: bool


def measure(folder: Path, most: int = MOST) -> FolderSize | None:
    """Count at most ``most`` files; None where ``folder`` is no folder that can be read. Links are not followed."""
    if not folder.is_dir():
        return None
    files = size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if files == most:
                return FolderSize(files, size, counted_all=False)
            try:
                size += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118  # faster on many files
            except OSError:
                continue
            files += 1
    return FolderSize(files, size, counted_all=True)


def writable(folder: Path) -> bool:
    """Whether a file can be made in ``folder``, or the folder itself where it is not there yet. Nothing is written."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
