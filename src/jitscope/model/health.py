"""What ``jitscope doctor`` finds: versions, hooks, devices, caches, environment. Sizes are in bytes."""

from __future__ import annotations

from typing import Literal

import msgspec

FrameworkStatus = Literal["ok", "not installed", "broken"]


class Hook(msgspec.Struct, frozen=True):
    """A name of the framework that jitscope uses."""

    name: str
    available: bool
    purpose: str
    without: str
    """What can't be seen, or is told in another way, without it."""
    lost: bool
    """Something is lost without it; else there is another way."""


class Cache(msgspec.Struct, frozen=True):
    """A persistent cache of compiled programs."""

    name: str
    on: bool | None
    """None: not known."""
    path: str | None = None
    """None: it has no folder of its own, or none is set."""
    exists: bool = False
    files: int | None = None
    size: int | None = None
    """None: it could not be read, or there is none."""
    counted_all: bool = True
    """False: there is more than was counted."""
    detail: str = ""


class FrameworkHealth(msgspec.Struct, frozen=True):
    """One framework, as a process of its own found it."""

    name: str
    status: FrameworkStatus
    problem: str | None = None
    """What is broken, or could not be asked."""
    versions: dict[str, str] = {}
    location: str | None = None
    hooks: tuple[Hook, ...] = ()
    devices: tuple[str, ...] = ()
    caches: tuple[Cache, ...] = ()


class Variable(msgspec.Struct, frozen=True):
    """An environment variable that is set."""

    name: str
    value: str | None
    """None: not shown, since jitscope does not know what it holds."""
    effect: str


class Recordings(msgspec.Struct, frozen=True):
    """Where recordings go."""

    path: str
    files: int
    size: int
    writable: bool


class Health(msgspec.Struct, frozen=True):
    """All that was found."""

    schema: int
    usable: bool
    """Nothing is broken."""
    versions: dict[str, str]
    """Python, jitscope, and the libraries that it uses; "not installed" for one that is missing."""
    executable: str
    platform: str
    frameworks: tuple[FrameworkHealth, ...]
    recordings: Recordings
    variables: tuple[Variable, ...]
    problems: tuple[str, ...]
    """What is broken."""
    advice: tuple[str, ...]
    """What could be better."""
