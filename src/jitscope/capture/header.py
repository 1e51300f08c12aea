"""What a recording says of its process: which run, where, by which versions, on which devices."""

from __future__ import annotations

import os
import platform
import socket
import sys
from datetime import UTC, datetime

import msgspec

from jitscope._startup import Member, current_process
from jitscope.capture.probe import Adapter
from jitscope.model.events import SCHEMA, Header
from jitscope.store.locate import default_path
from jitscope.version import __version__


class Surroundings:
    """What the frameworks know of the process; what was seen is kept, since at exit they forget it."""

    def __init__(self, adapters: list[Adapter]) -> None:
        """``adapters``: those there are, and those to come."""
        self._adapters = adapters
        self._devices: dict[int, tuple[str, ...]] = {}
        self._ranks: dict[int, tuple[int, int] | None] = {}

    def rank(self, header: Header) -> tuple[int | None, int | None]:
        """Rank and world size of this process: what its environment says, else its frameworks, once they are told."""
        if header.rank is not None:
            return header.rank, header.world_size
        for adapter in self._adapters:
            # At exit `jax.distributed` is shut down before a recording is closed, too.
            found = self._ranks[id(adapter)] = adapter.rank() or self._ranks.get(id(adapter))
            if found is not None:
                return found
        return None, None

    def versions_and_devices(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Versions by package, and the devices in use."""
        versions: dict[str, str] = {}
        devices: list[str] = []
        for adapter in self._adapters:
            versions |= adapter.versions()
            # At exit JAX shuts its devices down before a recording is closed: what was seen is kept.
            found = self._devices[id(adapter)] = adapter.devices() or self._devices.get(id(adapter), ())
            devices.extend(found)
        return versions, tuple(devices)


def new_header(zero: float) -> Header:
    """The header of a recording of this process that begins at ``zero`` (monotonic clock, seconds)."""
    started = datetime.now(UTC)
    rank, world_size = _integer("RANK"), _integer("WORLD_SIZE")
    when = started.isoformat(timespec="milliseconds")
    return Header(
        schema=SCHEMA,
        jitscope=__version__,
        run=run_id(when, os.getpid(), rank),
        argv=tuple(sys.argv),
        cwd=os.getcwd(),
        started=when,
        monotonic=zero,
        host=socket.gethostname(),
        pid=os.getpid(),
        rank=rank,
        world_size=world_size,
        versions={"python": platform.python_version()},
    )


def run_id(started: str, pid: int, rank: int | None) -> str:
    """The id of a run: when it began (ISO 8601), and what ran it."""
    when = datetime.fromisoformat(started)
    return f"{when:%Y%m%d-%H%M%S}-{pid}" + (f"-r{rank}" if rank is not None else "")


def started_as(member: Member) -> tuple[str | None, int | None]:
    """What multiprocessing calls this process, and the process id of what started it."""
    process = current_process()
    parent = sys.modules["multiprocessing.process"].parent_process() if process is not None else None
    if parent is None or process is member.forked_as:
        return None, member.parent
    # Not its fork server.
    return process.name, parent.pid


def with_free_name(header: Header) -> Header:
    """A process can make several recordings in one second: number the later ones."""
    run, number = header.run, 1
    while default_path(run).exists():
        number += 1
        run = f"{header.run}-{number}"
    return msgspec.structs.replace(header, run=run)


def _integer(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else None
