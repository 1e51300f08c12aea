"""Pickles looked at without loading them: a pickle can run any code when it is loaded, so none ever is."""

from __future__ import annotations

import pickletools
from typing import Any

_SKIPPED = ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT")


def numbers_in(data: bytes, names: tuple[str, ...]) -> dict[str, int]:
    """Whole numbers that come right after these strings: values of attributes in an object's state.

    Raises:
        ValueError: if ``data`` is no whole pickle.
    """
    found: dict[str, int] = {}
    name: str | None = None
    last: Any = None
    for operation, argument, position in _operations(data):
        last = (operation.name, position)
        if operation.name in _SKIPPED:
            continue
        if isinstance(argument, str) and argument in names:
            name = argument
        else:
            if name is not None and type(argument) is int and operation.name.startswith(("BININT", "LONG", "INT")):
                found.setdefault(name, argument)
            name = None
    if last is None or last[0] != "STOP" or last[1] != len(data) - 1:
        raise ValueError("no whole pickle")
    return found


def _operations(data: bytes) -> Any:
    try:
        yield from pickletools.genops(data)
    except ValueError:
        raise
    except Exception as error:  # pickletools raises what the damage leads to
        raise ValueError(str(error)) from error
