"""Errors that jitscope reports to its user, and the exit codes of its commands."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jitscope.model.cause import Cause

OK: Final = 0
"""Everything went well."""
FAILED: Final = 1
"""The program, or jitscope itself, failed."""
BAD_INPUT: Final = 2
"""Bad usage, or a file that could not be used."""
OVER_BUDGET: Final = 3
"""A budget was exceeded."""


class JitscopeError(Exception):
    """Something the user can act on: one line that says what, where, and what to do.

    ``slug`` is a stable name for the kind of error, to look it up in the documentation.
    """

    def __init__(self, message: str, *, slug: str) -> None:
        super().__init__(message)
        self.slug = slug

    def __reduce__(self) -> tuple[Any, ...]:
        # Commands get it from other processes.
        return functools.partial(type(self), slug=self.slug), self.args


class RecompileError(RuntimeError):
    """A compilation that a gate forbids: `jitscope.freeze`, `jitscope.frozen`, or a limit of `jitscope.expect`.

    Raised before the compiler runs where the framework allows that, at the call that needs the compilation. The
    function can be called again: nothing of it is lost.
    """

    def __init__(self, message: str, *, function: str = "", causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message)
        self.function = function
        """Qualified name; empty where several functions are meant."""
        self.causes = causes
        """Why the compilation is needed; empty where that is not known."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _recompile_error, (str(self), self.function, self.causes)


def _recompile_error(message: str, function: str, causes: tuple[Cause, ...]) -> RecompileError:
    return RecompileError(message, function=function, causes=causes)


class RecompileWarning(UserWarning):
    """A compilation while `jitscope.frozen(action="warn")` or `jitscope.freeze(action="warn")` is in force."""


# Under the names by which users import them.
for _public in (JitscopeError, RecompileError, RecompileWarning):
    _public.__module__ = "jitscope"
