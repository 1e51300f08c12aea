"""Writing a recording whose header is known last: the combined one, made from recordings read one after another."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.events import Event, Header


class Assembly:
    """Collects events beside ``path``; the file itself appears whole, or not at all.

    Raises:
        JitscopeError: on making one, and on all that writes, where the folder can't be written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._parts: list[str] = []
        try:
            self._body = open(self._part(), "w+b")  # noqa: SIM115, PTH123  # closed by __exit__
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._body.close()
        for part in self._parts:
            with contextlib.suppress(OSError):
                Path(part).unlink()

    def add(self, events: Iterable[Event]) -> None:
        """Append events."""
        try:
            for event in events:
                self._body.write(self._encoder.encode(event) + b"\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self, header: Header, *, force: bool) -> None:
        """Put the header before what was added; the file is there when this returns."""
        try:
            part = self._part()
            with open(part, "w+b") as whole:  # noqa: PTH123
                whole.write(self._encoder.encode(header) + b"\n")
                self._body.seek(0)
                shutil.copyfileobj(self._body, whole, 1 << 20)
        except OSError as error:
            raise self._unwritable(error) from error
        self._put(part, force=force)

    def copy(self, source: Path, *, force: bool) -> None:
        """Make the file a copy of another one, whatever was added."""
        try:
            part = self._part()
            shutil.copyfile(source, part)
        except OSError as error:
            raise self._unwritable(error) from error
        self._put(part, force=force)

    def _put(self, part: str, *, force: bool) -> None:
        if self._path.exists() and not force:
            raise JitscopeError(
                f"{self._path} exists already: choose another file, or add --force", slug="output-exists"
            )
        try:
            os.replace(part, self._path)  # noqa: PTH105
        except OSError as error:
            raise self._unwritable(error) from error

    def _part(self) -> str:
        """A new empty file beside the one that is written; it does not look like a recording."""
        descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=".part", dir=self._path.parent)
        os.close(descriptor)
        os.chmod(name, 0o644)  # noqa: PTH101
        self._parts.append(name)
        return name

    def _unwritable(self, error: OSError) -> JitscopeError:
        why = (error.strerror or str(error)).lower()
        return JitscopeError(
            f"cannot write {self._path}: {why}; choose a path in a folder you can write to", slug="output-unwritable"
        )
