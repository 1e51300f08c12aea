"""Where recordings are kept (``$JITSCOPE_DIR``, or ``.jitscope`` in the current folder), and which one is meant."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from jitscope.errors import JitscopeError

NEWEST = "newest"
"""What a command takes for the newest recording, as if none was named."""
_HEADER = 1 << 14
"""A run id is in the first so many bytes of a recording."""


def directory() -> Path:
    """The folder in which recordings are kept; it need not exist."""
    return Path(os.environ.get("JITSCOPE_DIR") or ".jitscope")


def default_path(run_id: str) -> Path:
    """Where the recording of run ``run_id`` goes."""
    return directory() / f"{run_id}.jsonl"


def recordings_in(folder: Path) -> list[Path]:
    """Every ``*.jsonl`` file in ``folder``, the one that was written last first.

    Raises:
        JitscopeError: if the folder can't be looked into.
    """
    try:
        found = [(entry.stat().st_mtime_ns, entry.name) for entry in folder.glob("*.jsonl") if entry.is_file()]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise JitscopeError(
            f"cannot look for recordings in {folder}: {why}; name the recording's file", slug="recordings-unreadable"
        ) from error
    return [folder / name for _, name in sorted(found, reverse=True)]


def newest(folder: Path | None = None) -> Path:
    """The most recently written recording in ``folder`` (default: `directory`)."""
    where = directory() if folder is None else folder
    found = recordings_in(where)
    if not found:
        raise no_recordings(where)
    return found[0]


def no_recordings(where: Path) -> JitscopeError:
    """The error that says so."""
    return JitscopeError(
        f"no recordings in {where}: run a program that uses jitscope.watch, or name a recording's file",
        slug="no-recordings",
    )


def resolve(wanted: str | Path | None, folder: Path | None = None) -> Path:
    """The file of the recording that is meant.

    Args:
        wanted: a path; where there is no such file, a run id; ``newest`` or None for the newest recording.
        folder: where runs are looked for (default: `directory`).

    Raises:
        JitscopeError: if there is none, with the one that may have been meant.
    """
    if wanted is None:
        return newest(folder)
    path, text = Path(wanted), str(wanted)
    if path.exists() or path.is_symlink():
        return path
    if text == NEWEST:
        return newest(folder)
    where = directory() if folder is None else folder
    named = where / f"{text}.jsonl"
    if path.name == text and named.is_file():
        return named
    if path.name == text and path.suffix != ".jsonl":
        # Under a name of its own, with -o.
        for one in _looked_through(where):
            if f'"run":"{text}"'.encode() in _start(one):
                return one
    raise JitscopeError(f"no recording at {path}{_hint(path, where)}", slug="recording-missing")


def _looked_through(where: Path) -> list[Path]:
    try:
        return recordings_in(where)
    except JitscopeError:
        return []


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER)
    except OSError:
        return b""
    return start if start.startswith(b'{"event":"header"') else b""


def _hint(path: Path, where: Path) -> str:
    """``: did you mean …?`` — a file beside it, or a run."""
    beside = {one.name: str(one) for one in _looked_through(path.parent)}
    runs = {one.stem: one.stem for one in _looked_through(where)}
    for known in (beside, runs):
        close = difflib.get_close_matches(path.name, known, n=1, cutoff=0.75)
        if close:
            return f": did you mean {known[close[0]]}?"
    listed = "; jitscope ls lists the runs" if runs else ""
    return f": check the path, or leave it out to use the newest one{listed}"
