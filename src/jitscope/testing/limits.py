"""The marks: how often a test may compile, and what to say where it compiled more often."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import msgspec

from jitscope.model.notation import printable
from jitscope.render.compiled import compiled_text
from jitscope.render.numbers import count_text
from jitscope.testing.counts import Counts, Wanted, counts_of, unknown_function
from jitscope.testing.watching import TURN_ON, Part

MARKS = ("max_compilations", "max_recompilations")
UNWATCHED = f"jitted or compiled before jitscope watched, so why is not known; {TURN_ON}"


class LimitError(Exception):
    """A mark was used in a way that it does not know."""


class Mark(Protocol):
    """What `pytest.Mark` has."""

    @property
    def name(self) -> str:
        """Of the mark."""

    @property
    def args(self) -> tuple[object, ...]:
        """Positional arguments."""

    @property
    def kwargs(self) -> object:
        """Keyword arguments."""


class Limit(msgspec.Struct, frozen=True):
    """How often functions may be compiled."""

    what: Literal["compilations", "recompilations"]
    most: int
    function: Wanted = None
    eager_ops: bool = False
    """JAX's eager operations count too."""

    @property
    def text(self) -> str:
        """As the mark is written: ``max_compilations(2, function='step')``."""
        name = self.function if isinstance(self.function, str) else getattr(self.function, "__qualname__", None)
        of = f", function={name if not isinstance(self.function, str) else repr(name)}" if self.function else ""
        return f"max_{self.what}({self.most}{of}{', eager_ops=True' if self.eager_ops else ''})"

    def broken(self, part: Part) -> str | None:
        """What to say of a part that does not keep to the limit; None where it does."""
        numbers = part.numbers()
        missing = unknown_function(numbers, self.function)
        if missing is not None:
            return f"{self.text} can't be checked: {printable(missing)}"
        found = counts_of(numbers, self.function)
        what = self._too_many(found) if self.what == "compilations" else self._too_often(found)
        if what is None:
            return None
        # Only now all that went before is looked through, for what changed.
        full = counts_of(part.report(), self.function)
        eager = full.eager_ops if self.eager_ops else ()
        return f"{self.text}: {what}\n\n{compiled_text(full.functions, full.unwatched, eager, why_unwatched=UNWATCHED)}"

    def _too_many(self, found: Counts) -> str | None:
        eager = found.eager_op_compilations if self.eager_ops else 0
        total = found.compilations + eager
        if total <= self.most:
            return None
        ops = f", {eager} of them of eager operations" if eager else ""
        return f"{count_text(total, 'compilation')}{ops}"

    def _too_often(self, found: Counts) -> str | None:
        known, perhaps = found.recompilations, found.perhaps_again
        if known > self.most:
            return count_text(known, "recompilation")
        if known + perhaps > self.most:
            what = f"{count_text(perhaps, 'compilation')} of functions that are not watched may be compilations again"
            return what if not known else f"{count_text(known, 'recompilation')}, and {what}"
        return None


def limits_of(marks: Iterable[Mark]) -> list[Limit]:
    """The limits that marks set, the innermost mark first; of those on the same functions, the innermost holds.

    Raises:
        LimitError: if a mark has other arguments than it takes.
    """
    found: dict[tuple[object, ...], Limit] = {}
    for mark in marks:
        limit = _limit(mark)
        key = limit.function if isinstance(limit.function, str | None) else id(limit.function)
        found.setdefault((limit.what, key, limit.eager_ops), limit)
    return list(found.values())


def _limit(mark: Mark) -> Limit:
    what: Literal["compilations", "recompilations"]
    what = "compilations" if mark.name == "max_compilations" else "recompilations"
    options = mark.kwargs if isinstance(mark.kwargs, dict) else dict(mark.kwargs)  # type: ignore[call-overload]
    known = {"function", "eager_ops"} if what == "compilations" else {"function"}
    usage = f"{mark.name}(2), {mark.name}(0, function='step')"
    if set(options) - known:
        strange = ", ".join(sorted(map(str, set(options) - known)))
        raise LimitError(f"{mark.name} has no option {strange}; it takes {' and '.join(sorted(known))}: {usage}")
    if len(mark.args) != 1 or type(mark.args[0]) is not int or mark.args[0] < 0:
        raise LimitError(f"{mark.name} takes one whole number, 0 or more: {usage}")
    function = options.get("function")
    if function is not None and not isinstance(function, str) and not callable(function):
        raise LimitError(f"{mark.name}: function is a name or a function, not {type(function).__qualname__}")
    return Limit(what, mark.args[0], function, bool(options.get("eager_ops", False)))
