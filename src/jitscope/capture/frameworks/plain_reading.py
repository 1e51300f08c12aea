"""Reading the user's objects without running the user's code: no property, no ``__getattr__``, no ``__getitem__``.

Guards name what they look at by Python expressions (``L['cfg'].layers[0].width``). Evaluated as they stand they could
insert a key into a ``defaultdict`` or run a property; read step by step from what the interpreter itself keeps, they
can't.
"""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections import deque
from typing import Any, NamedTuple

_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<key>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+|True|False|None)\]")


class MissingError(Exception):
    """What a path leads to is not there."""


class UnreadableError(Exception):
    """Only the user's own code could say what a path leads to."""


def follow(value: Any, path: str) -> Any:
    """The object that ``path`` (``.layers[0]['w']``) leads to from ``value``.

    Raises:
        MissingError: there is no such item or attribute.
        UnreadableError: the path has another form, or a step of it would run code of the user's.
    """
    position = 0
    for step in _STEP.finditer(path):
        if step.start() != position:
            break
        position = step.end()
        value = (
            attribute(value, step["name"]) if step["name"] is not None else item(value, ast.literal_eval(step["key"]))
        )
    if position != len(path):
        raise UnreadableError(path)
    return value


def item(container: Any, key: Any) -> Any:
    """An item of a built-in container, or of a subclass, past the subclass's own methods."""
    if isinstance(container, dict):
        if not dict.__contains__(container, key):
            raise MissingError
        return dict.__getitem__(container, key)
    if isinstance(container, types.MappingProxyType):
        if key not in container:
            raise MissingError
        return container[key]
    kinds: tuple[Any, ...] = (list, tuple, deque)
    for kind in kinds:
        if isinstance(container, kind) and isinstance(key, int):
            if not -kind.__len__(container) <= key < kind.__len__(container):
                raise MissingError
            return kind.__getitem__(container, key)
    raise UnreadableError


def attribute(value: Any, name: str) -> Any:
    """An attribute as the interpreter keeps it: of the instance, of a slot, of the class; never computed."""
    if isinstance(value, (type, types.ModuleType)):
        found = inspect.getattr_static(value, name, _NOTHING)
    else:
        kept = _instance_dict(value)
        if name == "__dict__":
            if kept is None:
                raise MissingError
            return kept
        if kept is not None and dict.__contains__(kept, name):
            return dict.__getitem__(kept, name)
        # Not `getattr_static` of the type: that looks into the metaclass as well.
        found = next((vars(base)[name] for base in type(value).__mro__ if name in vars(base)), _NOTHING)
    if found is _NOTHING:
        return _by_getattr(value, name)
    if isinstance(found, (types.MemberDescriptorType, types.GetSetDescriptorType, _FIELD_OF_NAMEDTUPLE)):
        try:
            return found.__get__(value, type(value))
        except AttributeError:
            raise MissingError from None
    if hasattr(type(found), "__get__") and not isinstance(value, (type, types.ModuleType)):
        raise UnreadableError
    return found


_NOTHING = object()


class _Named(NamedTuple):
    field: None


_FIELD_OF_NAMEDTUPLE: Any = type(inspect.getattr_static(_Named, "field"))


def _by_getattr(value: Any, name: str) -> Any:
    """What ``__getattr__`` would give, where it is known what that does: a module looks into its registries."""
    if isinstance(value, types.ModuleType):
        raise UnreadableError if "__getattr__" in vars(value) else MissingError
    asked = inspect.getattr_static(type(value), "__getattr__", None)
    if asked is None:
        raise MissingError
    if getattr(asked, "__module__", None) != "torch.nn.modules.module":
        raise UnreadableError
    kept = _instance_dict(value) or {}
    for registry in ("_parameters", "_buffers", "_modules"):
        found = dict.get(kept, registry)
        if isinstance(found, dict) and dict.__contains__(found, name):
            return dict.__getitem__(found, name)
    raise MissingError


def _instance_dict(value: Any) -> dict[str, Any] | None:
    try:
        kept = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return kept if isinstance(kept, dict) else None


def has_attribute(value: Any, name: str) -> bool:
    """Whether the interpreter keeps such an attribute of ``value``, without asking the user's code."""
    try:
        attribute(value, name)
    except MissingError:
        return False
    except UnreadableError:
        return True
    return True
