"""What tells two keys of JAX's dispatch apart: a question that a call's arguments answer.

The old call's arguments are gone, its key is not: what it would have answered is read from the key
(`JaxSignatureReader.key`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import MemberDescriptorType
from typing import Any

import jax
import numpy as np

from jitscope.capture.decisions import Ask, Question

Step = Callable[[Any], Any]


def differing(reader: Any, old: Any, new: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Question | None:
    """A question whose answers differ for the keys ``old`` and ``new``; ``args`` and ``kwargs`` are those of ``new``.

    None where there is none that is cheap and sure: they differ in a layout, in what a node of the user's own kind
    holds, in a configuration.
    """
    if type(old) is not tuple or type(new) is not tuple:
        return None
    (count, structure, statics, leaves, _), (new_count, new_structure, new_statics, new_leaves, _) = old, new
    if count != new_count:
        return Question(lambda args, kwargs: len(args), count, new_count)
    question = _static(statics, new_statics)
    if question is not None:
        return question
    if structure != new_structure:
        return _structure(reader, structure, new_structure, args, kwargs)
    return _leaf(reader, new_structure, leaves, new_leaves, args, kwargs)


def fixed(new: Any, question: Question, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether what a question asks of the call is part of its key: the shape of an array is, that of a node is not."""
    if question.about is None:
        return True
    get, holds = question.about
    try:
        return bool(holds(get(args, kwargs)))
    except LookupError:
        return True  # there is no such argument, which is part of the key


def _is_array(value: Any) -> bool:
    return kind_of_leaf(value) in ("array", "numpy")


def _is_jax_array(value: Any) -> bool:
    return isinstance(value, jax.Array)


def _is_dict(value: Any) -> bool:
    return type(value) is dict


def _is_sequence(value: Any) -> bool:
    return type(value) in (list, tuple)


def _static(old: Any, new: Any) -> Question | None:
    if old == new or not old:
        return None
    (by_index, by_name), (new_by_index, new_by_name) = old, new
    for (index, kind, value), (_, new_kind, new_value) in zip(by_index, new_by_index, strict=True):
        if (kind, value) != (new_kind, new_value):
            return Question(_typed(_argument(index)), (kind, value), (new_kind, new_value))
    before = {name: (kind, value) for name, kind, value in by_name}
    now = {name: (kind, value) for name, kind, value in new_by_name}
    for name in before.keys() ^ now.keys():
        return Question(_has(name), name in before, name in now)
    for name, was in before.items():
        if was != now[name]:
            return Question(_typed(_keyword(name)), was, now[name])
    return None


def _typed(get: Ask) -> Ask:
    def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = get(args, kwargs)
        return type(value), value

    return ask


def _argument(index: int) -> Ask:
    return lambda args, kwargs: args[index]


def _keyword(name: str) -> Ask:
    return lambda args, kwargs: kwargs[name]


def _has(name: str) -> Ask:
    return lambda args, kwargs: name in kwargs


def _roots(
    reader: Any, structure: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[tuple[Any, Ask, int | None]], list[str]]:
    """Each dynamic argument's structure, what gets it, and its position; and the names of the keywords."""
    positional, keywords = structure.children()
    static = reader.static_positions(len(args))
    positions = [index for index in range(len(args)) if index not in static]
    names = list(keywords.node_data()[1])
    found: list[tuple[Any, Ask, int | None]] = [
        (child, _argument(index), index) for child, index in zip(positional.children(), positions, strict=True)
    ]
    found += [(child, _keyword(name), None) for child, name in zip(keywords.children(), names, strict=True)]
    return found, names


def _structure(reader: Any, old: Any, new: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Question | None:
    before, names = _roots(reader, old, args, kwargs)
    now, new_names = _roots(reader, new, args, kwargs)
    for name in set(names) ^ set(new_names):
        return Question(_has(name), name in names, name in new_names)
    for (was, _, _), (one, get, _) in zip(before, now, strict=True):
        if was != one:
            return _node(was, one, get, get(args, kwargs))
    return None


def _node(old: Any, new: Any, get: Ask, value: Any) -> Question | None:
    """A question about two structures that differ; ``get`` gets ``value``, which has the new one."""
    was, now = old.node_data(), new.node_data()
    none = (was is not None and was[0] is type(None), now is not None and now[0] is type(None))
    if none[0] != none[1]:
        return Question(lambda args, kwargs: get(args, kwargs) is None, *none)
    if was is None or now is None or was[0] is not now[0]:
        return Question(_kind_of(get), was[0] if was else "leaf", now[0] if now else "leaf") if was or now else None
    kind = now[0]
    if kind is dict and was[1] != now[1]:
        keys = frozenset(was[1]), frozenset(now[1])
        return Question(lambda args, kwargs: frozenset(get(args, kwargs)), *keys, about=(get, _is_dict))
    if kind in (list, tuple) and len(old.children()) != len(new.children()):
        lengths = len(old.children()), len(new.children())
        return Question(lambda args, kwargs: len(get(args, kwargs)), *lengths, about=(get, _is_sequence))
    if was[1] != now[1]:
        return None
    for (step, child), one, other in zip(_steps(value), old.children(), new.children(), strict=False):
        if one != other:
            return _node(one, other, _then(get, step), child) if step is not None else None
    return None


def _kind_of(get: Ask) -> Ask:
    """The type of a container, ``leaf`` for everything that is none to JAX."""

    def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        data = jax.tree_util.tree_structure(get(args, kwargs)).node_data()
        return data[0] if data is not None else "leaf"

    return ask


def _then(get: Ask, step: Step) -> Ask:
    return lambda args, kwargs: step(get(args, kwargs))


def _steps(value: Any) -> list[tuple[Step | None, Any]]:
    """The children of a container in JAX's order, each with what gets it; None where that is not known."""
    children, _ = jax.tree_util.tree_flatten_with_path(value, is_leaf=lambda one: one is not value)
    return [(_step(path, value, child), child) for path, child in children]


def _step(path: Any, value: Any, child: Any) -> Step | None:
    """What gets ``child`` out of ``value`` without running code of the user's, or None."""
    if len(path) != 1:
        return None
    entry = path[0]
    step: Step | None = None
    name, key = getattr(entry, "name", None), getattr(entry, "idx", getattr(entry, "key", None))
    if isinstance(value, tuple) and name is not None:
        fields = list(getattr(value, "_fields", ()))
        step = _item(tuple, fields.index(name)) if name in fields else None
    elif name is not None:
        step = _attribute(value, name)
    else:
        kind = next((kind for kind in (tuple, list, dict) if isinstance(value, kind)), None)
        step = _item(kind, key) if kind is not None else None
    try:
        return step if step is not None and step(value) is child else None
    except LookupError:
        return None


def _item(kind: Any, key: Any) -> Step:
    get = kind.__getitem__
    return lambda value: get(value, key)


def _attribute(value: Any, name: str) -> Step | None:
    """Of an attribute that an object keeps itself: what a property would say is the user's code."""
    own = inspect.getattr_static(type(value), name, None)
    kept = isinstance(own, MemberDescriptorType) or (
        name in object.__getattribute__(value, "__dict__") and not hasattr(type(own), "__set__")
        if hasattr(type(value), "__dict__") and "__slots__" not in vars(type(value))
        else False
    )
    return (lambda one: object.__getattribute__(one, name)) if kept else None


def _leaf(
    reader: Any, structure: Any, old: Any, new: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Question | None:
    """A question about the first leaf that differs and can be reached."""
    start = 0
    roots, _ = _roots(reader, structure, args, kwargs)
    for child, get, position in roots:
        stop = start + child.num_leaves
        for index in range(start, stop):
            if old[index] != new[index]:
                reached = _reach(child, get, get(args, kwargs), index - start)
                plain = position if child.node_data() is None else None
                question = _about(old[index], new[index], reached, plain) if reached is not None else None
                if question is not None:
                    return question
        start = stop
    return None


def _reach(structure: Any, get: Ask, value: Any, index: int) -> Ask | None:
    """What gets leaf ``index`` of ``value``."""
    while structure.node_data() is not None:
        for (step, child), inner in zip(_steps(value), structure.children(), strict=True):
            if index < inner.num_leaves:
                if step is None:
                    return None
                get, value, structure = _then(get, step), child, inner
                break
            index -= inner.num_leaves
        else:
            return None
    return get


def _about(old: Any, new: Any, get: Ask, position: int | None) -> Question | None:
    """A question about two leaf keys that differ; ``position`` where the leaf is an argument itself."""
    was, now = _kind(old), _kind(new)
    if was is None or now is None:
        return None
    if was != now:
        return Question(lambda args, kwargs: kind_of_leaf(get(args, kwargs)), was, now)
    if was not in ("array", "numpy"):
        return None
    if _shape(old) != _shape(new):
        shapes = _shape(old), _shape(new)
        return Question(lambda args, kwargs: get(args, kwargs).shape, *shapes, position, (get, _is_array))
    if was == "numpy":
        canonical = jax.dtypes.canonicalize_dtype
        return Question(lambda args, kwargs: canonical(get(args, kwargs).dtype), old[2], new[2], about=(get, _is_array))
    (aval, sharding, committed), (new_aval, new_sharding, new_committed) = old, new
    about = (get, _is_jax_array)
    weak = getattr(aval, "weak_type", False), getattr(new_aval, "weak_type", False)
    for ask, one, other in (
        (lambda args, kwargs: get(args, kwargs).dtype, aval.dtype, new_aval.dtype),
        (lambda args, kwargs: get(args, kwargs).aval.weak_type, *weak),
        (lambda args, kwargs: get(args, kwargs).committed, committed, new_committed),
        (lambda args, kwargs: get(args, kwargs).sharding, sharding, new_sharding),
    ):
        if one != other:
            return Question(ask, one, other, about=about)
    return None


def _kind(key: Any) -> Any:
    """Of a leaf's key, what `kind_of_leaf` says of the leaf; None where there is a layout in it."""
    if not isinstance(key, tuple):
        return key  # the type of a Python number
    if len(key) == 3:
        return "numpy" if key[0] == "numpy" else "array"
    return key[0] if isinstance(key[0], type) else None


def kind_of_leaf(leaf: Any) -> Any:
    """``array``, ``numpy``, or a type."""
    if isinstance(leaf, jax.Array):
        return "array"
    return "numpy" if isinstance(leaf, (np.ndarray, np.generic)) else type(leaf)


def _shape(key: Any) -> tuple[int, ...]:
    return tuple(key[1]) if key[0] == "numpy" else tuple(key[0].shape)
