"""Where recordings are kept: ``$JITSCOPE_DIR``, or ``.jitscope`` in the current folder."""

from __future__ import annotations

import os
from pathlib import Path

from jitscope.errors import JitscopeError


def directory() -> Path:
    """The folder in which recordings are kept; it need not exist."""
    return Path(os.environ.get("JITSCOPE_DIR") or ".jitscope")


def default_path(run_id: str) -> Path:
    """Where the recording of run ``run_id`` goes."""
    return directory() / f"{run_id}.jsonl"


def newest(folder: Path | None = None) -> Path:
    """The most recently written recording in ``folder`` (default: `directory`)."""
    where = directory() if folder is None else folder
    try:
        found = [(entry.stat().st_mtime_ns, entry.name) for entry in where.glob("*.jsonl") if entry.is_file()]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise JitscopeError(
            f"cannot look for recordings in {where}: {why}; name the recording's file", slug="recordings-unreadable"
        ) from error
    if not found:
        raise JitscopeError(
            f"no recordings in {where}: run a program that uses jitscope.watch, or name a recording's file",
            slug="no-recordings",
        )
    return where / max(found)[1]
