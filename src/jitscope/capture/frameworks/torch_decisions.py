"""What tells two cache entries of torch apart: guards of both on one argument that no call passes alike.

A hit passed all guards of one entry. If one entry wants ``x`` of size 3 and the other of size 4, the size of ``x``
tells which of them it was, whatever else they check, and however many threads call.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import torch

from jitscope.capture.decisions import Ask, Question

_SOURCE = re.compile(r"^L\['(?P<name>\w+)'\](?:\[(?P<index>\d+|'[^']*')\])?$")
_TENSOR = re.compile(
    r"^check_tensor\(.+?, (?P<kind>\w+), DispatchKeySet\([^)]*\), torch\.(?P<dtype>\w+), device=\w+, "
    r"requires_grad=(?P<grad>True|False), size=\[(?P<size>[^\]]*)\]"
)
_EQUALS = re.compile(r"^L\[.+\] == (?P<value>[^#]+?)\s*(?:#|$)")
_PLAIN = ("Tensor", "Parameter")
"""Tensors whose attributes run nobody's code."""

Source = tuple[str, int | str | None]
"""An argument's name, and what is looked at in it, if not itself."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What the guards of one entry say of one argument."""

    kind: str
    """``none``, ``tensor``, ``value``."""
    dtype: str = ""
    grad: bool = False
    size: tuple[int | None, ...] = ()
    """None: of any size."""
    value: tuple[type, Any] | None = None


def facts_of(entry: Any) -> dict[Source, Fact]:
    """What an entry's guards say of arguments, and of what is directly in them; empty where that can't be read."""
    root = getattr(entry.guard_manager, "root", None)
    found: dict[Source, Fact] = {}
    for node in _nodes(root):
        source = _SOURCE.match(node.get_source())
        if source is None:
            continue
        index = source["index"]
        key = (source["name"], ast.literal_eval(index) if index is not None else None)
        for guard in node.get_leaf_guards():
            fact = _fact(type(guard).__name__, guard.verbose_code_parts()[0])
            if fact is not None:
                found[key] = fact
                break
    return found


def _nodes(root: Any) -> Iterator[Any]:
    if root is None:
        return
    for node in root.get_child_managers():
        yield node
        if _SOURCE.match(node.get_source()):
            yield from node.get_child_managers()


def _fact(kind: str, text: str) -> Fact | None:
    if kind == "TENSOR_MATCH":
        found = _TENSOR.match(text)
        if found is None or found["kind"] not in _PLAIN:
            return None
        size = tuple(None if one == "None" else int(one) for one in re.findall(r"None|\d+", found["size"]))
        return Fact("tensor", found["dtype"], found["grad"] == "True", size)
    if kind == "NONE_MATCH":
        return Fact("none")
    if kind in ("TRUE_MATCH", "FALSE_MATCH"):
        return Fact("value", value=(bool, kind == "TRUE_MATCH"))
    if kind == "EQUALS_MATCH":
        found = _EQUALS.match(text)
        try:
            value = ast.literal_eval(found["value"]) if found is not None else None
        except (ValueError, SyntaxError):
            return None
        return Fact("value", value=(type(value), value)) if type(value) in (int, str) else None
    return None


def differing(places: Places, old: Mapping[Source, Fact], new: Mapping[Source, Fact]) -> Question | None:
    """A question that a call which hits the one entry answers otherwise than one which hits the other."""
    for source in old.keys() & new.keys():
        get = places.getter(*source)
        question = _question(old[source], new[source], get, places.position(*source)) if get is not None else None
        if question is not None:
            return question._replace(about=(source, *question.about))
    return None


def fixed(facts: Mapping[Source, Fact], question: Question) -> bool:
    """Whether an entry's guards let only one answer to a question pass."""
    source, what, *axis = question.about
    fact = facts.get(source)
    if fact is None:
        return False
    match what:
        case "kind":
            return True
        case "value":
            return fact.kind == "value"
        case "shape":
            return fact.kind == "tensor" and None not in fact.size
        case "size":
            return fact.kind == "tensor" and len(fact.size) > axis[0] and fact.size[axis[0]] is not None
    return fact.kind == "tensor"


def _question(old: Fact, new: Fact, get: Ask, position: int | None) -> Question | None:
    if old.kind != new.kind:
        return Question(lambda args, kwargs: kind_of(get(args, kwargs)), old.kind, new.kind, about=("kind",))
    if old.kind == "value":
        if old.value == new.value:
            return None
        return Question(lambda args, kwargs: _typed(get(args, kwargs)), old.value, new.value, about=("value",))
    if old.kind != "tensor":
        return None
    if len(old.size) != len(new.size):
        return Question(lambda args, kwargs: get(args, kwargs).dim(), len(old.size), len(new.size), about=("dim",))
    axes = [n for n, (one, other) in enumerate(zip(old.size, new.size, strict=True)) if None not in (one, other)]
    axis = next((n for n in axes if old.size[n] != new.size[n]), None)
    if axis is not None:
        if None not in old.size and None not in new.size:
            return Question(lambda args, kwargs: get(args, kwargs).shape, old.size, new.size, position, ("shape",))
        return Question(
            lambda args, kwargs: get(args, kwargs).shape[axis], old.size[axis], new.size[axis], about=("size", axis)
        )
    if old.dtype != new.dtype:
        dtypes = getattr(torch, old.dtype), getattr(torch, new.dtype)
        return Question(lambda args, kwargs: get(args, kwargs).dtype, *dtypes, about=("dtype",))
    if old.grad != new.grad:
        return Question(lambda args, kwargs: get(args, kwargs).requires_grad, old.grad, new.grad, about=("grad",))
    return None


def kind_of(value: Any) -> str:
    """The kind of a `Fact` that holds for ``value``."""
    if value is None:
        return "none"
    return "tensor" if type(value) in (torch.Tensor, torch.nn.Parameter) else "value"


def _typed(value: Any) -> tuple[type, Any]:
    return type(value), value


class Places:
    """Where a call has the variables that a frame's guards speak of."""

    def __init__(self, code: CodeType, *, bound: bool) -> None:
        """``bound``: the first parameter is not among the arguments of a call."""
        names = code.co_varnames
        taken = names[: code.co_argcount][1 if bound else 0 :]
        self._positions = {name: n for n, name in enumerate(taken) if n >= code.co_posonlyargcount - bound}
        self._only_by_position = {name: n for n, name in enumerate(taken) if name not in self._positions}
        keyword_only = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        self._by_name = set(keyword_only)
        after = code.co_argcount + code.co_kwonlyargcount
        self._rest = names[after] if code.co_flags & 0x04 else None  # CO_VARARGS
        self._count = len(taken)

    def position(self, name: str, index: int | str | None) -> int | None:
        """The position of an argument that is looked at itself."""
        if name == self._rest and isinstance(index, int):
            return self._count + index
        return {**self._positions, **self._only_by_position}.get(name) if index is None else None

    def getter(self, name: str, index: int | str | None) -> Ask | None:
        """What gets it out of a call; None where that is not known."""
        position = self.position(name, index)
        if position is not None and (name in self._only_by_position or name == self._rest):
            return lambda args, kwargs: args[position]
        whole: Ask
        if name in self._positions:
            whole = _by_position_or_name(self._positions[name], name)
        elif name in self._by_name:
            whole = _by_name(name)
        else:
            return None
        if index is None:
            return whole
        return _inside(whole, index)


def _by_position_or_name(position: int, name: str) -> Ask:
    return lambda args, kwargs: args[position] if position < len(args) else kwargs[name]


def _inside(whole: Ask, index: int | str) -> Ask:
    """Out of a plain container alone: another one's ``__getitem__`` is the user's code."""

    def get(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = whole(args, kwargs)
        if type(found) not in (tuple, list, dict):
            raise LookupError(index)
        return found[index]

    return get


def _by_name(name: str) -> Ask:
    return lambda args, kwargs: kwargs[name]
