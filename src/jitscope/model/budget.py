"""A budget: how much a run may compile, and what became of each limit.

In ``pyproject.toml`` it is the table ``tool.jitscope.budget``; docs/gates.md shows one. Seconds are float.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from jitscope.model.cause import CauseKind
from jitscope.model.report import CompilationReport, Note

Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
LimitName = Literal[
    "max_recompiles", "max_compilations", "max_avoidable", "max_compile_seconds", "max_eager_fallbacks", "forbid"
]

COUNTED: Final[tuple[LimitName, ...]] = (
    "max_recompiles", "max_compilations", "max_avoidable", "max_compile_seconds", "max_eager_fallbacks",
)  # fmt: skip
"""The limits that are numbers."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits of a whole run, or of each function that a pattern fits; None: no limit."""

    max_recompiles: Count | None = None
    """Compilations after the first of the same source function."""
    max_compilations: Count | None = None
    """All compilations of watched functions, the first ones included."""
    max_avoidable: Count | None = None
    """Recompilations whose causes are all avoidable."""
    max_compile_seconds: Seconds | None = None
    """Time spent compiling watched functions, summed over threads."""
    max_eager_fallbacks: Count | None = None
    """Calls of compiled functions that ran without compiled code."""
    forbid: tuple[CauseKind, ...] = ()
    """Kinds of causes that no compilation may have."""

    @property
    def given(self) -> bool:
        """Whether there is any limit."""
        return bool(self.forbid) or any(getattr(self, name) is not None for name in COUNTED)


class Budget(Limits, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The limits of a whole run, and those of single functions."""

    functions: dict[str, Limits] = {}
    """By pattern: they hold for each function that it fits, one by one."""
    strict: bool = False
    """What is not known (a recording that was cut off, a pattern that fits nothing) fails too."""

    @property
    def given(self) -> bool:
        """Whether there is any limit."""
        return super().given or any(limits.given for limits in self.functions.values())


Status = Literal["within", "over", "unmatched"]
"""``unmatched``: the pattern fits no function of the recording."""


class Offence(msgspec.Struct, frozen=True):
    """What counted against a limit that was exceeded."""

    function: int
    """Its id in the report."""
    name: str
    file: str
    line: int
    """Where it is defined."""
    compilation: CompilationReport | None
    """None where calls without compiled code are what counted."""
    calls: int = 0
    """Such calls."""


class Rule(msgspec.Struct, frozen=True):
    """One limit, and how it was kept."""

    limit: LimitName
    kind: CauseKind | None
    """What ``forbid`` forbids."""
    pattern: str | None
    """Of ``functions``; None: the limit is of the whole run."""
    name: str | None
    """The function that the pattern fits; None where the limit is of the whole run, or fits none."""
    file: str
    line: int
    allowed: float
    actual: float
    status: Status
    offences: tuple[Offence, ...]
    """Where it was exceeded: in the order of the recording, for seconds the longest first."""

    @property
    def over_by(self) -> float:
        """By how much it was exceeded; 0 where it was not."""
        return max(self.actual - self.allowed, 0)

    @property
    def text(self) -> str:
        """As it is written in the budget: ``max_recompiles``, ``forbid weak_type``."""
        return f"{self.limit} {self.kind}" if self.kind is not None else self.limit


class BudgetResult(msgspec.Struct, frozen=True):
    """What became of a budget."""

    schema: int
    run: str
    """Id of the run."""
    within: bool
    """No limit was exceeded; with ``strict``, nothing is in doubt either."""
    strict: bool
    rules: tuple[Rule, ...]
    """Those of the whole run first, then pattern by pattern."""
    doubts: tuple[Note, ...]
    """What is not known of the numbers that were held against the limits."""
    eager_op_compilations: int
    """Compilations that no limit counts: eager operations of the framework's, and functions that nobody watched."""
    select: str | None
    """Names the function that broke most limits, for ``jitscope why``; None where nothing was broken."""

    @property
    def broken(self) -> tuple[Rule, ...]:
        """The limits that were exceeded."""
        return tuple(rule for rule in self.rules if rule.status == "over")

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Patterns that fit no function of the recording."""
        return tuple(dict.fromkeys(rule.pattern or "" for rule in self.rules if rule.status == "unmatched"))
