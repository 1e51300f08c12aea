"""How a program was entered that ``jitscope run`` runs: what it would not have below it without jitscope."""

from __future__ import annotations

import os
import sys
from types import FrameType

FILES: list[str] = []
"""Files of the frames below jitscope's own: the command's script, or ``<frozen runpy>``."""

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def note_entry() -> None:
    """Note the frames from which jitscope was called; to be called where it starts the program."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE) and file not in FILES:
            FILES.append(file)
        frame = frame.f_back
