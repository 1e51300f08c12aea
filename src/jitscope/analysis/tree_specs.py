"""torch's pytree structures, read from their text: ``TreeSpec(dict, ['a'], [TreeSpec(list, None, [*, *])])``.

The text is that of ``str(torch.utils._pytree.TreeSpec)``, torch 2.11 to 2.13.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jitscope.model.steps import literal

_DEPTH = 50
"""Deeper structures are not read."""
_HEAD = re.compile(r"TreeSpec\((?P<kind>\w+),\s*", re.ASCII)
_CLASS = re.compile(r"<class '(?P<name>\w+(?:\.\w+)*)'>")


@dataclass(frozen=True, slots=True)
class Container:
    """A container; a child that is None is a leaf."""

    kind: str
    """``list``, ``dict``, ``namedtuple``, …"""
    keys: tuple[Any, ...] | None
    """Of a dict; None of others, and where they are no literals."""
    type: str
    """Of a named tuple: its class with its module, as written."""
    children: tuple[Container | None, ...]


class _UnreadableError(Exception):
    pass


def containers_in(structure: str, names: Sequence[str]) -> dict[str, Container] | None:
    """The container of each argument that is one, by its name; None where the text was cut off, or is another's."""
    found: dict[str, Container] = {}
    position = 0
    waiting = list(names)
    while position < len(structure):
        name = next((each for each in waiting if structure.startswith(f"{each}=TreeSpec(", position)), None)
        if name is None:
            return None
        waiting.remove(name)
        try:
            container, position = _container(structure, position + len(name) + 1, 0)
        except _UnreadableError:
            return None
        assert container is not None
        found[name] = container
        if structure.startswith(", ", position):
            position += 2
    return found


def _container(text: str, position: int, depth: int) -> tuple[Container | None, int]:
    if text.startswith("*", position):
        return None, position + 1
    head = _HEAD.match(text, position)
    if head is None or depth > _DEPTH:
        raise _UnreadableError
    end = _end_of(text, head.end())
    context = text[head.end() : end]
    position = _skip(text, end + 1)
    if not text.startswith("[", position):
        raise _UnreadableError
    position = _skip(text, position + 1)
    children: list[Container | None] = []
    while not text.startswith("]", position):
        child, position = _container(text, position, depth + 1)
        children.append(child)
        position = _skip(text, position)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
        elif not text.startswith("]", position):
            raise _UnreadableError
    if not text.startswith(")", position + 1):
        raise _UnreadableError
    kind = head["kind"]
    keys = _keys(context) if kind in ("dict", "OrderedDict") else None
    if keys is not None and len(keys) != len(children):
        raise _UnreadableError
    return Container(kind, keys, _class(context) if kind == "namedtuple" else "", tuple(children)), position + 2


def _end_of(text: str, position: int) -> int:
    """Where the part that starts here ends: at the next comma that is in no bracket and no string."""
    depth, quote = 0, ""
    while position < len(text):
        char = text[position]
        if quote:
            position += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{<":
            depth += 1
        elif char in ")]}>":
            depth -= 1
        elif char == "," and depth == 0:
            return position
        position += 1
    raise _UnreadableError


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _class(context: str) -> str:
    found = _CLASS.fullmatch(context)
    return found["name"] if found is not None else context


def _keys(context: str) -> tuple[Any, ...] | None:
    try:
        found = literal(context)
    except ValueError:
        return None
    return tuple(found) if isinstance(found, list) else None
