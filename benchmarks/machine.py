"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import msgspec
from harness import Table
from processes import HERE

SCHEMA = 1


class Results(msgspec.Struct, kw_only=True):
    """All that a run of the benchmarks found: what ``--json`` writes."""

    schema: int = SCHEMA
    command: str
    date: str
    commit: str
    machine: str
    cpu: str
    cores: int
    load: float
    """Of the last minute, before it began: how busy others kept the machine."""
    versions: dict[str, str]
    quick: bool
    seconds: float
    tables: list[Table]
    missing: dict[str, str] = {}
    """By suite: why it found nothing."""


def cpu() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def load() -> float:
    """Processes that wanted to run in the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0


def commit() -> str:
    """Of this checkout, where it is one."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def versions() -> dict[str, str]:
    """Of Python, jitscope, and the packages that take part; those that are missing are left out."""
    from jitscope.version import __version__

    found = {"Python": platform.python_version(), "jitscope": __version__}
    for name in ("jax", "jaxlib", "torch", "equinox", "chex", "msgspec"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
