"""Where commands write to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jitscope.errors import JitscopeError

_ASCII = str.maketrans({"→": "->", "·": "|", "…": "...", "µ": "u", "×": "x", "█": "#"})
"""For an output that can't show the signs jitscope uses."""


def write_out(text: str) -> None:
    """Write to standard output; what its encoding lacks is replaced.

    A reader that closes the pipe (``| head``) raises ``BrokenPipeError`` here, which click turns into a quiet exit.
    """
    sys.stdout.write(_encodable(text, sys.stdout.encoding or "utf-8"))
    sys.stdout.flush()


def write_err(text: str) -> None:
    """Write to the standard error that the process began with; where that is gone, nothing happens.

    Past Python's buffers: the program that is being run may have been interrupted while it held one of them.
    """
    stream = sys.__stderr__
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    line = _encodable(text, encoding).encode(encoding, "backslashreplace")
    try:
        descriptor = stream.fileno()
        while line:
            line = line[os.write(descriptor, line) :]
    except (OSError, ValueError):  # closed
        return


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text


def refuse_overwriting(path: Path, *, source: Path, force: bool) -> None:
    """Raise where writing to ``path`` would destroy the recording ``source``, or a file without ``force``."""
    if path.exists() and source.exists() and path.samefile(source):
        raise JitscopeError(f"{path} is the recording itself: choose another file for -o", slug="output-is-recording")
    if path.exists() and not force:
        raise _exists(path)


def write_file(path: Path, text: str, *, force: bool) -> None:
    """Write ``text`` to a file that must not exist, unless ``force``."""
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise JitscopeError(
            f"cannot write {path}: {why}; choose a path in a folder you can write to", slug="output-unwritable"
        ) from error


def _exists(path: Path) -> JitscopeError:
    return JitscopeError(f"{path} exists already: choose another file, or add --force", slug="output-exists")
