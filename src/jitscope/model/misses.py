"""Why a cache on disk missed: what of the key changed, against the run that asked for the same program before."""

from __future__ import annotations

from typing import Literal

import msgspec

MISSES_SCHEMA = 1

MissKind = Literal["key_changed", "not_written", "gone", "other_folder", "unreadable", "first_time", "no_key"]
"""``gone``: the same key was written, and its entry was not found; ``first_time``: no earlier lookup of it is known."""


class PartChange(msgspec.Struct, frozen=True):
    """A part of a key that changed."""

    part: str
    """As the framework calls it: ``XLA flags``, ``inductor_config[max_autotune]``."""
    title: str
    """In words."""
    old: str | None
    new: str | None
    """None: it is not there, or has no short text."""
    inside: tuple[str, ...] = ()
    """What changed in it, as far as that can be known."""
    fix: str | None = None


class Miss(msgspec.Struct, frozen=True):
    """One lookup that found nothing, explained."""

    cache: str
    function: str
    """Of the watched function, or of the program where none is watched."""
    program: str
    run: str
    key: str | None
    backward: bool
    seconds: float | None
    """What compiling took because of it."""
    kind: MissKind
    told: str
    """In words."""
    against: str | None = None
    """The run whose lookup it is compared with."""
    against_key: str | None = None
    changes: tuple[PartChange, ...] = ()
    further: int = 0
    """Other parts that differ, and only follow from these."""


class Misses(msgspec.Struct, frozen=True):
    """``jitscope cache why``."""

    schema: int
    runs: tuple[str, ...]
    """The runs that were looked at, in order; the last one is whose misses are explained."""
    function: str | None
    hits: int
    asked: int
    misses: tuple[Miss, ...]
