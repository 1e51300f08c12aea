"""Writing a recording: one JSON line an event, on disk before the call returns.

This module runs inside the watched program: it imports only the standard library, msgspec and the model.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import Any

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.events import Event, Header

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)


class RecordingFile:
    """A recording that is being written.

    Each event is one ``os.write`` of one line to a file opened for appending, so that a program
    killed with SIGKILL leaves whole lines behind. Safe to use from several threads.
    """

    def __init__(self, path: Path, header: Header, *, force: bool = False) -> None:
        """Create ``path`` with its folders and write the header; ``force`` replaces an existing file."""
        self.path = path
        # Reentrant: a signal's handler may write while its thread is in here.
        self._lock = threading.RLock()
        self._encoder = msgspec.json.Encoder()
        self._pid = os.getpid()
        self._size = 0
        self._fd: int | None = self._open(path, force)
        self.write(header)

    @staticmethod
    def _open(path: Path, force: bool) -> int:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, _FLAGS | (os.O_TRUNC if force else os.O_EXCL), 0o644)
        except FileExistsError:
            # mkdir also raises this, where a part of the path is a file.
            what = f"recording {path} exists already" if path.exists() else f"cannot write recording {path}"
            todo = "choose another file, or allow to overwrite it" if path.is_file() else "choose another path"
            raise JitscopeError(f"{what}: {todo}", slug="recording-exists") from None
        except OSError as error:
            raise JitscopeError(
                f"cannot write recording {path}: {_why(error)}; choose a path in a folder you can write to",
                slug="recording-unwritable",
            ) from error

    def write(self, event: Header | Event) -> None:
        """Append ``event`` as one line; nothing happens after `close`, or in a forked child.

        A child process shares the file's descriptor but numbers its functions itself: its events
        would be taken for its parent's.
        """
        line = self._encode(event) + b"\n"
        if os.getpid() != self._pid:
            return
        with self._lock:
            if self._fd is None:
                return
            try:
                written = os.write(self._fd, line)
                if written < len(line):
                    # A full disk or a size limit: the next write says which.
                    written += os.write(self._fd, line[written:])
                if written < len(line):
                    raise OSError("the line could not be written whole")
            except OSError as error:
                # Without the broken line, the recording stays readable to its end.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, self._size)
                self._close()
                raise JitscopeError(
                    f"recording {self.path} ends here: {_why(error)}; what was written so far can be read",
                    slug="recording-cut-short",
                ) from error
            self._size += len(line)

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _encode(self, event: Header | Event) -> bytes:
        try:
            return self._encoder.encode(event)
        except UnicodeEncodeError:
            # A file name that is not valid UTF-8 reaches Python as lone surrogates.
            return self._encoder.encode(_escaped(msgspec.to_builtins(event)))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
