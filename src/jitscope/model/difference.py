"""Two runs compared: ``jitscope diff``. Its JSON form is docs/difference.schema.json. All times are in seconds.

A (``before``) and B (``after``) can each be a run of several processes; numbers are sums over them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from jitscope.model.cause import CauseKind
from jitscope.model.events import Framework
from jitscope.model.report import Totals

Comparable = Literal["yes", "partly", "no"]
"""``partly``: something beside the program differs, or a recording is incomplete. ``no``: nothing in common."""

Outcome = Literal["fewer", "more", "other", "same"]
"""B compiles fewer or more times; as often, but something else or for other causes; or the same."""

Status = Literal["new", "gone", "changed", "same"]


class Side(msgspec.Struct, frozen=True):
    """One of the two runs."""

    run: str
    argv: tuple[str, ...]
    started: str
    """UTC, ISO 8601."""
    wall_seconds: float | None
    versions: dict[str, str]
    devices: tuple[str, ...]
    processes: int
    complete: bool
    """Every process's recording was closed, and none is torn."""
    totals: Totals


class Caveat(msgspec.Struct, frozen=True):
    """A reason why the numbers say less than they seem to."""

    slug: str
    """What differs: ``versions``, ``devices``, ``argv``, ``processes``, ``incomplete``, ``no-function-in-common``."""
    text: str


class ProgramChange(msgspec.Struct, frozen=True):
    """Something that a function was compiled for, more or less often than before."""

    program: str
    """What was compiled: ``jit(step)``."""
    under: str | None
    """Inside which transformation."""
    signature: str | None
    """What tells it from the function's other signatures; None where it was not read."""
    status: Status
    before: int
    """Compilations."""
    after: int
    seconds_before: float
    seconds_after: float
    causes: tuple[CauseKind, ...]
    """Why: in A where it is gone, else in B."""


class FunctionNumbers(msgspec.Struct, frozen=True):
    """A source function in one of the runs."""

    line: int
    objects: int
    """Function objects made from it, in all processes."""
    calls: int
    hits: int
    eager_fallbacks: int
    compilations: int
    recompilations: int
    avoidable_recompilations: int
    compile_seconds: float
    recompile_seconds: float


class FunctionChange(msgspec.Struct, frozen=True):
    """A source function in both runs; it may have moved within its file."""

    framework: Framework
    name: str
    file: str
    """In B; of what is gone, in A."""
    status: Status
    """Of what was compiled and why: seconds and calls alone are no change."""
    before: FunctionNumbers | None
    after: FunctionNumbers | None
    seconds: float
    """Compile seconds of B less those of A: negative is won."""
    compilations: tuple[ProgramChange, ...]
    """What was compiled not as often as before, that with most seconds first."""
    unchanged: int
    """How many other programs were compiled as often as before."""


class CauseChange(msgspec.Struct, frozen=True):
    """A cause of compilations that appeared, disappeared or is met not as often."""

    function: str
    """Name of the function."""
    kind: CauseKind
    path: str | None
    status: Status
    before: int
    """Compilations that have it."""
    after: int
    seconds_before: float
    """What these compilations took."""
    seconds_after: float


class RunDifference(msgspec.Struct, frozen=True):
    """Two runs compared."""

    schema: int
    comparable: Comparable
    verdict: Outcome
    compilations: int
    """Of watched functions, those of B less those of A."""
    compile_seconds: float
    recompilations: int
    recompile_seconds: float
    avoidable_recompilations: int
    before: Side
    after: Side
    caveats: tuple[Caveat, ...]
    functions: tuple[FunctionChange, ...]
    """Those that changed first, then by the seconds won or lost."""
    causes: tuple[CauseChange, ...]
    """Those that changed, by the seconds of their compilations. First compiles are not told."""
