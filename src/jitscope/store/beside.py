"""Where the recordings of a program's other processes are: beside that of its first one."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from jitscope.model.events import Header


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
