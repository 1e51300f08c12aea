"""Which functions a test asks about, and how often they were compiled."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from jitscope.analysis.verdict import compiled_functions
from jitscope.capture.callsite import shown_file
from jitscope.capture.recorder import recorder
from jitscope.capture.watch import book_of
from jitscope.model.report import EagerOp, FunctionReport, Report
from jitscope.testing.watching import before

Wanted = str | Callable[..., Any] | None
"""A name (``step``, ``Model.step``, a pattern with ``*``), a function, or None for all."""


class Counts(msgspec.Struct, frozen=True):
    """What was compiled, of the functions that were asked for."""

    functions: tuple[FunctionReport, ...]
    """Those that were used."""
    unwatched: tuple[EagerOp, ...]
    """Programs of functions that nobody watched: the framework tells that they were compiled, and no more."""
    eager_ops: tuple[EagerOp, ...]
    """The framework's own programs."""

    @property
    def compilations(self) -> int:
        """Without those of the framework's own programs."""
        return sum(one.compilations for one in self.functions) + self.unwatched_compilations

    @property
    def recompilations(self) -> int:
        """Those that are known to be compilations again."""
        return sum(one.recompilations for one in self.functions)

    @property
    def unwatched_compilations(self) -> int:
        """Of functions that nobody watched."""
        return sum(one.compilations for one in self.unwatched)

    @property
    def perhaps_again(self) -> int:
        """Those of them that may be recompilations: not the first of their name."""
        return sum(one.compilations - 1 for one in self.unwatched)

    @property
    def eager_op_compilations(self) -> int:
        """Of the framework's own programs."""
        return sum(one.compilations for one in self.eager_ops)


def counts_of(report: Report, wanted: Wanted = None) -> Counts:
    """What ``report`` says of the functions that are wanted."""
    ops = report.eager_ops
    if wanted is None:
        library = tuple(one for one in ops if one.library)
        return Counts(report.functions, tuple(one for one in ops if not one.library and one.compilations), library)
    fits = _fits(wanted)
    named = _named(wanted)
    return Counts(
        tuple(one for one in report.functions if fits(one)),
        tuple(one for one in ops if not one.library and one.compilations and named(_program(one.name))),
        (),
    )


def calls_of(counts: Counts) -> tuple[int, int]:
    """Calls of compiled functions, and how many of them were hits."""
    compiled = compiled_functions(counts.functions)
    return sum(one.calls for one in compiled), sum(one.hits for one in compiled)


def unknown_function(report: Report, wanted: Wanted) -> str | None:
    """Why nothing can be said of ``wanted``: no function is called that. None where there is one."""
    if wanted is None:
        return None
    found = counts_of(report, wanted)
    if found.functions or found.unwatched:
        return None
    books = [book.event for book in list(recorder.books.values())]
    names = {event.name for event in books} | {place.partition(" (")[0] for place in before()}
    if isinstance(wanted, str):
        if any(_called(name, wanted) for name in names):
            return None
        names |= {one.name for one in report.functions}
        close = difflib.get_close_matches(wanted, [*names, *(name.rpartition(".")[2] for name in names)], n=1)
        hint = f"did you mean {close[0]!r}?" if close else "jitscope has seen no function of this name compiled"
        return f"no function called {wanted!r}: {hint}"
    if book_of(wanted) is not None:
        return None
    place = _place(wanted)
    name = getattr(wanted, "__qualname__", type(wanted).__qualname__)
    if any((event.file, event.line) == place[:2] for event in books) or any(_called(one, name) for one in names):
        return None
    return f"{name} was not jitted or compiled, as far as jitscope has seen"


def _fits(wanted: str | Callable[..., Any]) -> Callable[[FunctionReport], bool]:
    if isinstance(wanted, str):
        return lambda one: _called(one.name, wanted)
    book = book_of(wanted)
    if book is not None:
        return lambda one: one.id == book.id
    file, line, name = _place(wanted)
    if not file:
        return lambda one: one.name == name
    return lambda one: (one.file, one.line) == (file, line)


def _named(wanted: str | Callable[..., Any]) -> Callable[[str], bool]:
    """Whether a program's name is that of what is wanted: all that is known of what is not watched."""
    if isinstance(wanted, str):
        return lambda name: _called(name, wanted) or name == wanted.rpartition(".")[2]
    if book_of(wanted) is not None:
        # It is watched: what is not cannot be this.
        return lambda name: False
    own = str(getattr(wanted, "__name__", type(wanted).__name__))
    return lambda name: name == own


def _program(name: str) -> str:
    """``step`` of JAX's ``jit(step)``."""
    inner = name.rpartition("(")[2].rstrip(")")
    return inner or name


def _called(name: str, wanted: str) -> bool:
    # Of a function inside of another, what the source calls it is enough.
    return (
        name == wanted
        or name.endswith(f".{wanted}")
        or fnmatchcase(name, wanted)
        or fnmatchcase(name.rpartition("<locals>.")[2], wanted)
    )


def _place(fn: Any) -> tuple[str, int, str]:
    """File, line and name of the user's function behind ``fn``."""
    inner = inspect.unwrap(fn) if callable(fn) else fn
    while hasattr(inner, "func"):  # functools.partial
        inner = inner.func
    inner = getattr(inner, "__func__", inner)
    code = getattr(inner, "__code__", None)
    name = str(getattr(inner, "__qualname__", type(inner).__qualname__))
    return (shown_file(code.co_filename), code.co_firstlineno, name) if code is not None else ("", 0, name)
