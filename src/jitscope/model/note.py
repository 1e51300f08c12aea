"""What could not be seen, in words."""

from __future__ import annotations

import msgspec


class Note(msgspec.Struct, frozen=True):
    """What could not be seen, or was left out."""

    slug: str
    text: str
