"""Lines of source around a call site: read only where somebody asked for them (``--with-source``)."""

from __future__ import annotations

import linecache
import os

from jitscope.model.events import Site, SourceEvent
from jitscope.model.notation import cut

AROUND = 3
"""Lines before and after the call's own."""
WITH_SOURCE = "JITSCOPE_WITH_SOURCE"
"""Environment variable by which processes that a program starts know."""


def wanted() -> bool:
    """Whether the environment asks for source lines."""
    return os.environ.get(WITH_SOURCE) == "1"


def lines_around(site: Site) -> SourceEvent | None:
    """The lines around ``site``, as its file was when it was first read; None where it cannot be read."""
    try:
        lines = linecache.getlines(site.file)
    except Exception:  # a file that is none, or in no encoding that Python knows
        return None
    if not 0 < site.line <= len(lines):
        return None
    first = max(site.line - AROUND, 1)
    shown = lines[first - 1 : site.line + AROUND]
    return SourceEvent(site.file, site.line, first, tuple(cut(line.rstrip("\r\n")) for line in shown))
