"""What the processes of a run did, beside each other: ``jitscope combine``. Its JSON form is docs/combined.schema.json.

Processes are told by their position in `Combined.processes`, from 0. All times are in seconds.
"""

from __future__ import annotations

import msgspec

from jitscope.model.cause import CauseKind
from jitscope.model.events import Framework, ProcessInfo, Site
from jitscope.model.report import Note, Totals


class ProcessSummary(msgspec.Struct, frozen=True):
    """One process: who it is, and the totals of its own report."""

    label: str
    """What people call it: ``rank 3``, ``SpawnProcess-1``, ``pid 4242``."""
    info: ProcessInfo
    totals: Totals


class CombinedFunction(msgspec.Struct, frozen=True):
    """One source function with the same options, over all processes that have it. Sums, unless said otherwise."""

    framework: Framework
    name: str
    file: str
    line: int
    column: int
    options: dict[str, str]
    processes: tuple[int, ...]
    """Those that have it."""
    calls: int
    hits: int
    compilations: int
    recompilations: int
    """A function's first compilation in each process is no recompilation."""
    compile_seconds: float
    recompile_seconds: float
    slowest: int
    """The process in which compiling it took longest."""
    slowest_seconds: float
    """What it took there: what the others wait for, where they wait for each other."""


class Divergence(msgspec.Struct, frozen=True):
    """Something that some processes compiled, and others did not, or not as often."""

    framework: Framework
    name: str
    """Of the function."""
    file: str
    line: int
    program: str
    """What was compiled: ``jit(step)``."""
    under: str | None
    """Inside which transformation."""
    signature: str | None
    """What tells it from the function's other signatures; None where it was not read."""
    compilations: dict[int, int]
    """How often each of the processes that are compared compiled it; 0 for those that did not."""
    compiled_by: tuple[int, ...]
    missing_in: tuple[int, ...]
    """Processes that did not compile it."""
    never_met: tuple[int, ...]
    """Those of them that do not have the function at all."""
    seconds: float
    """What compiling it took, added up."""
    slowest_seconds: float
    """What it took in the process where it took longest."""
    causes: tuple[CauseKind, ...]
    """Why, in the words of the processes that compiled it."""
    sites: tuple[Site, ...]
    """The calls that compiled it."""


class Combined(msgspec.Struct, frozen=True):
    """The processes or ranks of a run, in one value."""

    schema: int
    program: str
    """Run id of the first process."""
    argv: tuple[str, ...]
    started: str
    """UTC, ISO 8601: when the first of them started."""
    wall_seconds: float | None
    """From the first start to the last end."""
    totals: Totals
    """Sums over the processes."""
    slowest: int | None
    """The process that compiled longest; None where nothing was compiled."""
    processes: tuple[ProcessSummary, ...]
    functions: tuple[CombinedFunction, ...]
    """The costliest first."""
    divergences: tuple[Divergence, ...]
    """The costliest first."""
    notes: tuple[Note, ...] = ()
