"""Where recordings are kept: ``$JITSCOPE_DIR``, or ``.jitscope`` in the current folder."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.events import Header


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


def place_of(recording: Path, *, named: bool) -> str:
    """Where the recordings of a program's other processes go, next to its first: absolute, for an environment variable.

    A folder (it ends in a separator), in which each has its run id for a name; or, where the user ``named`` the file
    (``run.jsonl``), that file, beside which they are called ``run.<pid>.jsonl``.
    """
    path = os.path.abspath(recording)
    return path if named else os.path.join(os.path.dirname(path), "")


def path_in(place: str, run: str, pid: int) -> Path:
    """A free path for the recording of one more process; see `place_of`."""
    folder, name = os.path.split(place)
    stem, suffix = os.path.splitext(name) if name else (run, ".jsonl")
    first = Path(folder, f"{stem}.{pid}{suffix}" if name else f"{run}.jsonl")
    path, number = first, 1
    while path.exists():
        number += 1
        path = first.with_name(f"{first.stem}-{number}{first.suffix}")
    return path


def others_in(place: str, program: str) -> list[Path]:
    """The recordings of a program's other processes, by name: those in whose header its run id stands."""
    folder, name = os.path.split(place)
    stem, suffix = os.path.splitext(name)
    found = []
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return []
    for one in names:
        if name:
            fits = one.startswith(f"{stem}.") and one.endswith(suffix) and one != name
        else:
            # Run ids begin with the time: older recordings need not be opened.
            fits = one.endswith(".jsonl") and one >= program[: len("YYYYMMDD-HHMMSS")] and one != f"{program}.jsonl"
        if fits and _is_of(Path(folder, one), program):
            found.append(Path(folder, one))
    return found


def _is_of(path: Path, program: str) -> bool:
    try:
        with path.open("rb") as file:
            header = msgspec.json.decode(file.readline(), type=Header)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return header.program == program and header.run != program
