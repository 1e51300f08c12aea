"""Plain values that a function takes from around it: they become constants of what is compiled."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

PLAIN = (bool, int, float, complex, str, type(None))
MOST = 40
"""Values that are kept of one function."""
LENGTH = 60
"""Characters that are kept of one value."""


def captured_values(fun: Any) -> dict[str, str]:
    """Numbers, short strings and the like in a function's globals, closure and defaults, by name, as texts.

    Nothing of the user's is run: only values of Python's own types are looked at. Arrays are not.
    """
    function = _innermost(fun)
    return _plain(_around(function)) if function is not None else {}


def captured_in(code: CodeType, variables: Mapping[str, Any], module: Mapping[str, Any]) -> dict[str, str]:
    """The same of a frame that is about to run: its closure's variables are among ``variables``."""
    return _plain(_of_frame(code, variables, module))


def _of_frame(code: CodeType, variables: Mapping[str, Any], module: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in code.co_freevars:
        value = variables.get(name)
        if isinstance(value, CellType):
            try:
                value = value.cell_contents
            except ValueError:  # not assigned yet
                continue
        yield name, value
    for name in _global_names(code):
        if name in module:
            yield name, module[name]


def _plain(named: Iterable[tuple[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in named:
        if type(value) in PLAIN and len(found) < MOST:
            text = repr(value)
            found.setdefault(name, text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…")
    return found


def _innermost(fun: Any) -> FunctionType | None:
    for _ in range(32):
        if isinstance(fun, functools.partial):
            fun = fun.func
        elif isinstance(fun, MethodType):
            fun = fun.__func__
        elif isinstance(fun, FunctionType):
            inner = fun.__dict__.get("__wrapped__")
            if inner is None:
                return fun
            fun = inner
        else:
            return None
    return None


def _around(function: FunctionType) -> Iterator[tuple[str, Any]]:
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        if isinstance(cell, CellType):
            try:
                yield name, cell.cell_contents
            except ValueError:  # not assigned yet
                continue
    positional = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    yield from zip(positional[len(positional) - len(defaults) :], defaults, strict=False)
    yield from (function.__kwdefaults__ or {}).items()
    for name in _global_names(code):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _global_names(code: CodeType) -> Iterator[str]:
    """Names that the code, and code inside of it, may read from the module."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)
