"""A page of text: lines of a given width with hanging indents, in colour or plain."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from typing import TextIO

from jitscope.model.notation import printable
from jitscope.render.riches import Console, Text

_UNIT = re.compile(r"(?<=\d) (?=(?:µs|ms|s)\b)")
_GLUE = "\ue000"
"""Stands for a blank at which no line may be broken; data cannot hold it, `printable` escapes it."""

NARROWEST = 40
WIDEST = 120


class Page:
    """Collects lines, and wraps them.

    All text goes through `Text`, never through markup: what the watched program named its functions
    must not become formatting.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._console = Console(
            file=io.StringIO(), width=width, color_system="standard", force_terminal=True, no_color=False,
            legacy_windows=False, highlight=False, markup=False, emoji=False,
        )  # fmt: skip
        self._lines: list[Text] = []

    @property
    def width(self) -> int:
        """Columns."""
        return self._width

    def add(self, *parts: str | tuple[str, str], indent: int = 0, hang: int = 0, wrap: bool = True) -> None:
        """Add a line made of parts (``(text, style)``), indented by ``indent``, its further lines by ``hang`` more."""
        line = Text.assemble(*(_plain(part) for part in parts))
        if not wrap:
            line.plain = line.plain.replace(_GLUE, " ")
            self._lines.append(Text(" " * indent) + line)
            return
        room = self._width - indent
        pieces = [line] if line.cell_len <= room else line.wrap(self._console, max(room - hang, 10), overflow="fold")
        for number, piece in enumerate(pieces):
            piece.rstrip()
            piece.plain = piece.plain.replace(_GLUE, " ")
            self._lines.append(Text(" " * (indent + (hang if number else 0))) + piece)

    def blank(self) -> None:
        """Add an empty line."""
        self._lines.append(Text(""))

    def text(self, *, color: bool) -> str:
        """The page, each line ended."""
        if not color:
            return "".join(f"{line.plain.rstrip()}\n" for line in self._lines)
        for line in self._lines:
            self._console.print(line, soft_wrap=True)
        assert isinstance(self._console.file, io.StringIO)
        return self._console.file.getvalue()


def _plain(part: str | tuple[str, str]) -> str | tuple[str, str]:
    """Escape what a terminal would obey, and keep numbers with their units."""
    if isinstance(part, str):
        return _UNIT.sub(_GLUE, printable(part))
    return (_UNIT.sub(_GLUE, printable(part[0])), part[1])


def terminal_width() -> int:
    """Columns of the terminal, within reason; 80 where there is none."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, NARROWEST), WIDEST)


def terminal_color(stream: TextIO | None = None) -> bool:
    """Whether a stream (default: standard output) is a terminal that wants colour."""
    return (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
