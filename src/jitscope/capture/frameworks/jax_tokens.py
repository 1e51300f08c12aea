"""Tokens that are equal where JAX finds two values equal: static arguments and the metadata of containers."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

_MASK = 2**63 - 1
_MINUS_ONE = "the number -1, whose hash is that of -2"


def token_of(value: Any, *, typed: bool = False) -> int | None:
    """A number that equal values share, in this process only; None where that can't be told.

    It is a hash: JAX asks these values for theirs, and what is compared by identity hashes by identity. ``typed``
    is for static arguments, whose type JAX compares first.
    """
    try:
        known = _distinct(value)
        return hash((id(type(value)), known) if typed else known) & _MASK
    except Exception:  # not hashable; or a user's code raised
        return None


def _distinct(value: Any) -> Any:
    """What to hash for ``value``.

    -1 and -2 have one hash in CPython, and so have tuples and dataclasses of them; lists, dicts and dataclasses that
    have none are compared by what is in them.
    """
    kind = type(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (int, float, complex)):
        return _MINUS_ONE if value == -1 else value
    if kind is list:
        return (list, *map(_distinct, value))
    if kind is dict:
        return frozenset((key, _distinct(item)) for key, item in value.items())
    if isinstance(value, tuple):
        items = tuple(tuple.__iter__(value))
    elif isinstance(value, jax.tree_util.PyTreeDef):
        # Its own hash leaves out the metadata of its nodes.
        return (value.num_leaves, *map(_distinct, value.node_data() or ()), *map(_distinct, value.children()))
    elif getattr(getattr(kind, "__dataclass_params__", None), "eq", False):
        compared = (f.name for f in dataclasses.fields(kind) if (f.compare if f.hash is None else f.hash))
        items = tuple(getattr(value, name) for name in compared)
        if kind.__hash__ is None:
            return (kind, *map(_distinct, items))
    else:
        return value
    # Only where it is compared by these very items: a class may have an ``__eq__`` of its own.
    return tuple(map(_distinct, items)) if _hashes_as(value, items) else value


def _hashes_as(value: Any, items: tuple[Any, ...]) -> bool:
    try:
        return hash(value) == hash(items)
    except TypeError:  # it holds lists, say, and is compared by them
        return True
