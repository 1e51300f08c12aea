"""Errors that jitscope reports to its user, and the exit codes of its commands."""

from __future__ import annotations

from typing import Final

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
