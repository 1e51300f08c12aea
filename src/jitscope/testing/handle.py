"""What the fixture ``jitscope`` gives a test."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from jitscope.capture.watch import watch
from jitscope.errors import JitscopeError
from jitscope.front import LiveReport, label
from jitscope.model.report import FunctionReport
from jitscope.render.compiled import compiled_text
from jitscope.render.numbers import count_text
from jitscope.testing.counts import Counts, Wanted, calls_of, counts_of, unknown_function
from jitscope.testing.limits import UNWATCHED, Limit
from jitscope.testing.watching import TURN_ON, JitscopeWarning, Part, before

F = TypeVar("F", bound=Callable[..., Any])


class Handle:
    """What was compiled in this process since the fixture was set up, or since `reset`.

    Everything that is jitted or compiled by the test is watched as it is. JAX's eager operations (``jnp.ones``) do not
    count; they are in `report`.
    """

    def __init__(self) -> None:
        self._part = Part()
        self._warned = False
        self.told = False
        """Whether an assertion has said what was compiled."""

    @property
    def compilations(self) -> int:
        """Compilations of the program's functions, of those not watched too."""
        return self._counts().compilations

    @property
    def recompilations(self) -> int:
        """Compilations of what had been compiled before since the fixture was set up (also before a `reset`).

        What earlier tests compiled does not count: a test has the same numbers alone, or fewer after others.
        """
        found = self._counts()
        if found.perhaps_again:
            names = ", ".join(one.name for one in found.unwatched[:3])
            self._warn(f"whether the compilations of {names} are recompilations is not known: {UNWATCHED}")
        return found.recompilations

    @property
    def calls(self) -> int:
        """Calls of watched functions."""
        self._warn_of_unwatched("calls")
        return calls_of(self._counts())[0]

    @property
    def hits(self) -> int:
        """Calls of watched functions that needed no compilation."""
        self._warn_of_unwatched("hits")
        return calls_of(self._counts())[1]

    @property
    def functions(self) -> tuple[FunctionReport, ...]:
        """The watched functions that were called or compiled since, with their numbers since."""
        return self._part.report().functions

    @property
    def unwatched(self) -> tuple[str, ...]:
        """Functions that were jitted or compiled before jitscope watched: ``step (train.py:12)``."""
        return before()

    def function(self, wanted: str | Callable[..., Any]) -> FunctionReport:
        """The numbers of one function since: ``jitscope.function("step").hits``.

        Raises:
            JitscopeError: if none, or more than one, is called that.
        """
        report = self._part.numbers()
        found = counts_of(self._part.report(), wanted).functions
        if len(found) == 1:
            return found[0]
        name = wanted if isinstance(wanted, str) else getattr(wanted, "__qualname__", repr(wanted))
        if not found:
            why = unknown_function(report, wanted) or f"{name} was neither called nor compiled since"
            raise JitscopeError(why, slug="unknown-function")
        raise JitscopeError(
            f"{name} fits {len(found)} functions: {', '.join(one.name for one in found)}", slug="ambiguous-function"
        )

    def report(self) -> LiveReport:
        """The report of what happened since. Print it."""
        return LiveReport(self._part.report())

    def watch(self, fn: F) -> F:
        """`jitscope.watch`: a plain function's calls become a region, every compile inside of them is its."""
        return watch(fn)

    def label(self, text: str) -> AbstractContextManager[None]:
        """`jitscope.label`: in the recording of ``pytest --jitscope``, a label inside of the test's."""
        return label(text)

    def reset(self) -> None:
        """Count from here on: after a warm-up, say."""
        self._part.restart()

    def assert_max_compilations(self, most: int, function: Wanted = None, *, eager_ops: bool = False) -> None:
        """Fail, and say what was compiled why, where there were more than ``most`` compilations.

        Args:
            most: how many there may be.
            function: count only those of this function (a name, a pattern with ``*``, or the function itself).
            eager_ops: count JAX's eager operations too.
        """
        __tracebackhide__ = True
        self._assert(Limit("compilations", most, function, eager_ops))

    def assert_max_recompilations(self, most: int, function: Wanted = None) -> None:
        """Fail where more than ``most`` compilations were of what had been compiled before."""
        __tracebackhide__ = True
        self._assert(Limit("recompilations", most, function))

    def assert_no_recompilation(self, function: Wanted = None) -> None:
        """Fail where anything was compiled again."""
        __tracebackhide__ = True
        self._assert(Limit("recompilations", 0, function))

    def assert_no_compilation(self, function: Wanted = None) -> None:
        """Fail where anything was compiled: all was warm."""
        __tracebackhide__ = True
        self._assert(Limit("compilations", 0, function))

    def __repr__(self) -> str:
        found = self._counts()
        calls, hits = calls_of(found)
        compiled = count_text(found.compilations, "compilation")
        return f"<jitscope: {compiled}, {found.recompilations} again, hits {hits} / {calls}>"

    def text(self) -> str:
        """What was compiled since, function by function; empty where nothing was."""
        found = counts_of(self._part.report())
        return compiled_text(found.functions, found.unwatched, why_unwatched=UNWATCHED)

    def close(self) -> None:
        """Count no more."""
        self._part.close()

    def _counts(self) -> Counts:
        return counts_of(self._part.numbers())

    def _assert(self, limit: Limit) -> None:
        __tracebackhide__ = True
        broken = limit.broken(self._part)
        if broken is not None:
            self.told = True
            raise AssertionError(broken)

    def _warn_of_unwatched(self, what: str) -> None:
        if before():
            more = f", … {len(before()) - 3} more" if len(before()) > 3 else ""
            self._warn(
                f"{what} of functions that were jitted or compiled before jitscope watched are not counted: "
                f"{', '.join(before()[:3])}{more}; {TURN_ON}",
                stacklevel=4,
            )

    def _warn(self, text: str, stacklevel: int = 3) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(text, JitscopeWarning, stacklevel=stacklevel)
