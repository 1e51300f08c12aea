"""What an argument is to be built from: said in values, so that the same makes the argument and writes its code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from jitscope.model.signature import ArrayLeaf


class CannotRebuildError(Exception):
    """A recorded argument can't be made again; ``path`` names it, ``why`` says it in words."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}" if path else why)
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class Array:
    """An array or a tensor."""

    leaf: ArrayLeaf


@dataclass(frozen=True, slots=True)
class Value:
    """A Python value: numbers, texts, None, and tuples, lists, dicts, sets, ranges and slices of these."""

    value: Any


@dataclass(frozen=True, slots=True)
class Foreign:
    """A value of a framework's or of NumPy's."""

    kind: Literal["torch.dtype", "torch.device", "numpy.dtype", "numpy.scalar", "jax.dtype"]
    name: str
    """``float32``, ``cuda:0``."""
    value: Any = None
    """Of a scalar."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enumeration of the user's."""

    type: str
    """Qualified name of the class."""
    name: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A container of Python's."""

    kind: Literal["list", "tuple", "dict", "OrderedDict"]
    keys: tuple[Any, ...]
    """Of a dict, as many as `items`."""
    items: tuple[Spec, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A named tuple or dataclass of the user's."""

    type: str
    """Qualified name of the class, perhaps behind its module's."""
    path: str
    fields: tuple[tuple[str, Spec], ...]
    """By name; of torch's named tuples without names, in order."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the user passes in."""

    name: str


Spec = Array | Value | Foreign | Member | Tree | Record | Given


@dataclass(frozen=True, slots=True)
class CallSpec:
    """The arguments of one call."""

    positional: tuple[tuple[str, Spec], ...]
    """With the names that the signature has for them."""
    keywords: tuple[tuple[str, Spec], ...]
    """By the name that they are passed by."""

    def parts(self) -> Iterator[Spec]:
        """Every spec in it, the outer first."""
        waiting = [spec for _, spec in (*self.positional, *self.keywords)][::-1]
        while waiting:
            spec = waiting.pop()
            yield spec
            if isinstance(spec, Tree):
                waiting += spec.items[::-1]
            elif isinstance(spec, Record):
                waiting += [each for _, each in spec.fields][::-1]
