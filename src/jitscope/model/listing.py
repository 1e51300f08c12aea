"""The recordings of a folder: ``jitscope ls``. Its JSON form is docs/listing.schema.json. Times are in seconds."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["complete", "running", "unfinished", "unknown"]
"""Whether a recording was closed; without an end: its process is there, is not, or is out of sight (another host)."""

Verdict = Literal["gave up compiling", "recompiled", "compiled once", "nothing compiled"]
"""The worst that holds: ``compiled once`` is every program once."""


class ListedRecording(msgspec.Struct, frozen=True):
    """One file; numbers are None where it could not be read."""

    file: str
    bytes: int
    run: str | None
    process: str | None
    """What its process is called among those of its program: ``rank 3``, ``SpawnProcess-1``, ``pid 4242``."""
    started: str | None
    """UTC, ISO 8601."""
    argv: tuple[str, ...]
    host: str | None
    pid: int | None
    state: State | None
    torn: bool = False
    """Its last line was cut off, and is left out."""
    combined: int = 0
    """Of a combined recording: how many processes it was made from."""
    part_of: str | None = None
    """Run id of the recording that holds all of this one: the same process made both at the same time."""
    wall_seconds: float | None = None
    """Without an end a lower bound."""
    compilations: int | None = None
    recompilations: int | None = None
    compile_seconds: float | None = None
    recompile_seconds: float | None = None
    eager_op_compilations: int | None = None
    eager_op_compile_seconds: float | None = None
    verdict: Verdict | None = None
    error: str | None = None
    """Why it could not be read: one line."""


class ListedProgram(msgspec.Struct, frozen=True):
    """The recordings of one program, and their sums; what is a part of another recording is counted once."""

    id: str
    """Run id of its first process."""
    recordings: tuple[ListedRecording, ...]
    """Its processes, the first one first."""
    wall_seconds: float | None
    """Of the process that took longest."""
    compilations: int
    recompilations: int
    compile_seconds: float
    recompile_seconds: float
    eager_op_compilations: int
    eager_op_compile_seconds: float
    verdict: Verdict


class Listing(msgspec.Struct, frozen=True):
    """What is in a folder."""

    schema: int
    folder: str
    programs: tuple[ListedProgram, ...]
    """The one that started last first."""
    unreadable: tuple[ListedRecording, ...]
    """Files without a readable header."""


class Pruned(msgspec.Struct, frozen=True):
    """A recording that was deleted, or is still there."""

    file: str
    run: str | None
    started: str | None
    bytes: int
    kept: str | None = None
    """Why it is still there, though it is old."""


class Pruning(msgspec.Struct, frozen=True):
    """What ``jitscope ls --keep N`` did, or would do."""

    schema: int
    folder: str
    dry_run: bool
    """Nothing was deleted: this is what would be."""
    keep: int
    programs_kept: int
    """Of the newest; those that are kept for another reason are in `kept`."""
    deleted: tuple[Pruned, ...]
    kept: tuple[Pruned, ...]
    """Old ones that are still there, and why."""
