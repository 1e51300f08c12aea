"""Paths as steps: ``['layers'][0].w`` is an item, an item and an attribute. Keys are literals, and never evaluated."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any, NamedTuple

_MOST_ENDS = 64
"""Most closing brackets that are tried for the end of one key."""
_NAME = re.compile(r"\.(?P<name>[^\W\d]\w*)")


class Step(NamedTuple):
    """One step from a container into it."""

    attribute: bool
    key: Any
    """The attribute's name, or the item's key."""


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of ``path``, which starts behind an argument's name.

    Raises:
        ValueError: it is written in another way, or has a key that is no literal.
    """
    found: list[Step] = []
    position = 0
    while position < len(path):
        attribute = _NAME.match(path, position)
        if attribute is not None:
            found.append(Step(attribute=True, key=attribute["name"]))
            position = attribute.end()
            continue
        if path[position] != "[":
            raise ValueError(path)
        end = position
        for _ in range(_MOST_ENDS):
            end = path.find("]", end + 1)
            if end < 0:
                raise ValueError(path)
            try:
                key = literal(path[position + 1 : end])
            except ValueError:
                continue
            break
        else:
            raise ValueError(path)
        found.append(Step(attribute=False, key=key))
        position = end + 1
    return tuple(found)


def literal(text: str) -> Any:
    """The value of a Python literal; nothing is evaluated.

    Raises:
        ValueError: it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape
            value = ast.literal_eval(text)
            hash(value) if isinstance(value, tuple) else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(text) from error
    return value
