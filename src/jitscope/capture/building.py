"""Building arguments: what is not a framework's."""

from __future__ import annotations

import collections
import dataclasses
import enum
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jitscope.model.notation import printable
from jitscope.model.specs import (
    Array,
    CallSpec,
    CannotRebuildError,
    Foreign,
    Given,
    Member,
    Record,
    Spec,
    Tree,
    Value,
)


class Classes:
    """The user's classes, looked up by name in the modules of the function; nothing is imported or called."""

    def __init__(self, function: Any) -> None:
        self._spaces = list(_namespaces(function))

    def record(self, spec: Record) -> type[Any]:
        """The named tuple or dataclass of a spec.

        Raises:
            CannotRebuildError: there is none of that name, or it has other fields.
        """
        found = self._find(spec.type, spec.path)
        names = _field_names(found)
        if names is None:
            raise CannotRebuildError(spec.path, f"{printable(spec.type)} is neither a named tuple nor a dataclass")
        recorded = [name for name, _ in spec.fields]
        if sorted(recorded) != sorted(names) and (any(recorded) or len(recorded) != len(names)):
            raise CannotRebuildError(spec.path, f"{printable(spec.type)} has other fields than in the recording")
        return found

    def has_own_constructor(self, name: str) -> bool:
        """Whether a class of `record` can't be called with its fields; errors as there."""
        found = self._find(name, name)
        if issubclass(found, (enum.Enum, tuple)):
            return False  # frameworks call a named tuple with its fields as well
        generated = getattr(found.__init__, "__code__", None)
        return (
            type(found) is not type  # Equinox's
            or generated is None
            or generated.co_filename != "<string>"
            or hasattr(found, "__post_init__")
            or not all(field.init for field in dataclasses.fields(found))
        )

    def member(self, spec: Member) -> enum.Enum:
        """The member of an enumeration; errors as for `record`."""
        found = self._find(spec.type, spec.type)
        if not issubclass(found, enum.Enum) or spec.name not in found.__members__:
            raise CannotRebuildError(spec.type, f"{printable(spec.type)} has no member {printable(spec.name)}")
        return found.__members__[spec.name]

    def _find(self, name: str, path: str) -> type[Any]:
        parts = name.split(".")
        for start in range(len(parts)):
            for space in self._spaces:
                value: Any = space.get(parts[start])
                for part in parts[start + 1 :]:
                    value = vars(value).get(part) if isinstance(value, type) else None
                if isinstance(value, type) and value.__qualname__ == ".".join(parts[start:]):
                    return value
        raise CannotRebuildError(path, f"the class {printable(name)} is not in the function's module")


def _namespaces(function: Any) -> list[Mapping[str, Any]]:
    inner = inspect.unwrap(function) if hasattr(function, "__wrapped__") else function
    while isinstance(inner, partial):
        inner = inner.func
    inner = getattr(inner, "__func__", inner)
    found = getattr(inner, "__globals__", None)
    return [found] if isinstance(found, dict) else []


def _field_names(kind: type[Any]) -> list[str] | None:
    if issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        return list(getattr(kind, "_fields", ()))
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None


class Builder:
    """Makes arguments from specs. Classes are filled field by field: none of the user's code runs."""

    def __init__(
        self,
        classes: Classes,
        given: Callable[[str], Any],
        array: Callable[[Any], Any],
        foreign: Callable[[Foreign], Any],
    ) -> None:
        self._classes = classes
        self._given = given
        self._array = array
        self._foreign = foreign

    def call(self, spec: CallSpec) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call.

        Raises:
            CannotRebuildError: one of them can't be made.
        """
        args = tuple(self.build(each) for _, each in spec.positional)
        return args, {name: self.build(each) for name, each in spec.keywords}

    def build(self, spec: Spec) -> Any:
        """One argument, or a part of it."""
        match spec:
            case Array():
                return self._array(spec.leaf)
            case Value():
                return spec.value
            case Foreign():
                return self._foreign(spec)
            case Member():
                return self._classes.member(spec)
            case Given():
                return self._given(spec.name)
            case Tree():
                items = [self.build(each) for each in spec.items]
                if spec.kind in ("list", "tuple"):
                    return items if spec.kind == "list" else tuple(items)
                pairs = zip(spec.keys, items, strict=True)
                return collections.OrderedDict(pairs) if spec.kind == "OrderedDict" else dict(pairs)
            case Record():
                return self._record(spec)

    def _record(self, spec: Record) -> Any:
        kind = self._classes.record(spec)
        names = _field_names(kind) or []
        values = [self.build(each) for _, each in spec.fields]
        by_name = dict(zip([name or names[n] for n, (name, _) in enumerate(spec.fields)], values, strict=True))
        if issubclass(kind, tuple):
            return tuple.__new__(kind, [by_name[name] for name in names])
        made = object.__new__(kind)
        for name in names:
            object.__setattr__(made, name, by_name[name])
        return made
