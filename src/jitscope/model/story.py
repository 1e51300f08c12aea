"""The story of one source function: what analysis makes of its part of a recording, for ``jitscope why``.

Compilations are numbered from 1 over all function objects of the source, in the order of the recording; signatures
too, in the order in which they were met. All times are in seconds.
"""

from __future__ import annotations

import msgspec

from jitscope.model.cause import Avoidable, Cause, CauseKind
from jitscope.model.events import Framework, GuardFailure, Outcome
from jitscope.model.report import CompilationReport, Note, State


class StoryCalls(msgspec.Struct, frozen=True):
    """Calls with one outcome, between two compilations of one function object."""

    outcome: Outcome
    count: int
    signatures: dict[int, int]
    """Calls by signature number, where it was read."""


class Reference(msgspec.Struct, frozen=True):
    """A compilation of another function."""

    function: str
    """Its name."""
    number: int
    """In its own story."""
    compilation: int
    """Its id in the report."""
    seconds: float


class StoryCompilation(msgspec.Struct, frozen=True):
    """One compilation, and the calls around it."""

    number: int
    function: int
    """The function object that was compiled: its id in the report."""
    detail: CompilationReport
    signature: int | None
    """Number of its signature."""
    compared_with: int | None
    """Number of the earlier compilation that the causes compare this one with."""
    because_of: Reference | None
    """The compilation of an enclosing function that made this one necessary."""
    inside: str | None
    """Name of the function whose call it ran inside of, where that is another one."""
    led_to: tuple[Reference, ...]
    """The compilations of other functions that this one made necessary."""
    before: tuple[StoryCalls, ...] = ()
    """Calls of this function object before its first compilation; empty for the later ones."""
    after: tuple[StoryCalls, ...] = ()
    """Calls of this function object up to its next compilation."""


class StorySignature(msgspec.Struct, frozen=True):
    """One signature of the source function."""

    number: int
    ids: tuple[int, ...]
    """In the report: one for each function object that met it."""
    text: str
    """What tells it from the others comes first; where much is the same in all, that is only counted."""
    calls: int
    hits: int
    compiled_by: tuple[int, ...]
    """Numbers of the compilations made for it."""
    served_by: dict[int, int]
    """torch: hits by the number of the compilation that served them."""


class StoryObject(msgspec.Struct, frozen=True):
    """One function object of the source."""

    id: int
    state: State
    options: dict[str, str]
    calls: int
    hits: int
    compilations: int
    compile_seconds: float
    process: str | None = None
    """Of a combined recording: what its process is called, ``rank 3``."""


class Difference(msgspec.Struct, frozen=True):
    """A leaf, or what else the cache sees of a call, in two signatures side by side."""

    path: str
    before: str | None
    """None where it was not there, or where there is no earlier signature."""
    now: str | None
    """None where it is not there any more."""
    differs: bool


class StoryKind(msgspec.Struct, frozen=True):
    """The causes of one kind."""

    kind: CauseKind
    explanation: str
    page: str
    """Where to read more, from the root of jitscope's sources."""
    causes: tuple[Cause, ...]


class StoryGuard(msgspec.Struct, frozen=True):
    """torch: a guard of an older entry that the call does not pass."""

    number: int | None
    """The compilation that made the entry; None where it is not in the recording, or not this source's."""
    failure: GuardFailure


class StoryDetail(msgspec.Struct, frozen=True):
    """One compilation in full."""

    number: int
    arguments: tuple[Difference, ...]
    """In the order of the leaves; what came or went last, then what is beside the leaves, where it differs."""
    settings: tuple[Difference, ...]
    """Those that differ."""
    settings_known: bool
    """Both sides' settings were recorded."""
    kinds: tuple[StoryKind, ...]
    avoidable: Avoidable
    """Of the compilation: ``yes`` where each cause is, ``no`` where one is not."""
    guards: tuple[StoryGuard, ...]
    guards_asked: bool
    """All guards of all live entries were asked."""


class Story(msgspec.Struct, frozen=True):
    """All that a recording tells of one source function."""

    schema: int
    run: str
    """Id of the run."""
    select: str
    """What names this function alone among those of the run: its name, its place or its id."""
    name: str
    framework: Framework
    kind: str
    file: str
    line: int
    maker: str | None
    state: State | None
    """None where there are several function objects: each has its own."""
    objects: tuple[StoryObject, ...]
    """In the order in which they were made."""
    calls: int
    outcomes: dict[Outcome, int]
    """Calls by outcome; ``nested`` ones are not part of `calls`."""
    compilations: int
    """Those that ended in code, as in the report."""
    recompilations: int
    compile_seconds: float
    recompile_seconds: float
    phases: dict[str, float]
    signatures: tuple[StorySignature, ...]
    timeline: tuple[StoryCompilation, ...]
    """All compilations, those that failed or ended early included."""
    notes: tuple[Note, ...]
    detail: StoryDetail | None = None
    """The compilation that was asked for."""

    @property
    def hits(self) -> int:
        """Calls that were hits."""
        return self.outcomes.get("hit", 0)
