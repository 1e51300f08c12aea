"""A folder of recordings: what is in it at a glance, and throwing old ones away."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.events import EndEvent, Header
from jitscope.store.locate import recordings_in
from jitscope.store.reader import read_end, read_header

Alive = Literal["yes", "no", "unknown"]


class Glance(msgspec.Struct, frozen=True):
    """A file in the folder, by its first line and its last."""

    path: Path
    bytes: int
    modified: float
    """Seconds since 1970."""
    header: Header | None
    """None where the file is no recording that this jitscope can read."""
    end: EndEvent | None = None
    error: str | None = None
    """Why there is no header: one line."""
    alive: Alive = "no"
    """Whether its process still runs; ``no`` for a recording that was closed."""


def glance(path: Path) -> Glance:
    """Look at one file; what is wrong with it is told, not raised."""
    size, modified = 0, 0.0
    try:
        status = path.stat()
        size, modified = status.st_size, status.st_mtime
        header = read_header(path)
        end = read_end(path)
    except JitscopeError as error:
        return Glance(path, size, modified, None, error=str(error))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Glance(path, size, modified, None, error=f"cannot read {path}: {why}")
    running = "no" if end is not None or header.processes else alive(header)
    return Glance(path, size, modified, header, end, alive=running)


def glance_at(folder: Path) -> list[Glance]:
    """All recordings in ``folder``, the one that was written last first.

    Raises:
        JitscopeError: if the folder can't be looked into.
    """
    return [glance(path) for path in recordings_in(folder)]


def alive(header: Header) -> Alive:
    """Whether a process with the recording's id runs on its host, as far as can be told from here."""
    if header.host != socket.gethostname() or sys.platform == "win32":
        # On Windows there is no signal that only asks.
        return "unknown"
    try:
        os.kill(header.pid, 0)
    except ProcessLookupError:
        return "no"
    except (OSError, OverflowError):
        # Another user's, for one.
        return "yes"
    return "yes"


def delete(files: Iterable[Path]) -> dict[Path, str | None]:
    """Delete recordings: for each, None, or why it is still there. Nothing but recordings is ever deleted."""
    found: dict[Path, str | None] = {}
    for path in files:
        now = glance(path)
        if path.is_symlink() or now.header is None:
            found[path] = "not a recording's file"
        elif now.alive == "yes":
            found[path] = f"its process {now.header.pid} still runs"
        else:
            try:
                path.unlink()
            except OSError as error:
                found[path] = (error.strerror or str(error)).lower()
            else:
                found[path] = None
    return found
