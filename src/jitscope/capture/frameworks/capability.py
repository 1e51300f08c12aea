"""What an adapter hooks into, name by name: whether it is there, what for, and what can't be seen without it.

The adapters' own detection, as values: their notes and ``jitscope doctor`` read the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Capability:
    """One name of a framework that an adapter uses."""

    name: str
    """As the framework calls it: ``pjit._infer_params``."""
    found: Callable[[], bool]
    """Asks what the adapter asks."""
    purpose: str
    without: str
    """What can't be seen, or is told in another way, where it is missing."""
    slug: str | None = None
    """Of the note that a recording gets where it is missing; None: nothing is lost."""


def note_text(capabilities: Sequence[Capability], slug: str, version: str) -> str:
    """What a recording's note says of what is missing: ``jax 0.5.0 has no pjit._infer_params: …``."""
    one = next(each for each in capabilities if each.slug == slug)
    return f"{version} has no {one.name}: {one.without}"


def as_values(capabilities: Sequence[Capability]) -> list[dict[str, Any]]:
    """The list with each name looked for now, as plain values."""
    return [
        {
            "name": one.name,
            "available": one.found(),
            "purpose": one.purpose,
            "without": one.without,
            "lost": one.slug is not None,
        }
        for one in capabilities
    ]
