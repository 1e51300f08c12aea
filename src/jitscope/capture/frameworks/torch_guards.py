"""Every guard of the older cache entries that a call does not pass, with what is there instead.

Dynamo itself names the first failing guard of each entry only. Its guards are a tree (``guard_manager.root``): each
node looks at one source (``L['x']``, ``G['S']``, ``L['self']._modules['lin']``) and has leaf guards that can be
called with a value (torch 2.6 to 2.13). Asking them one by one gives all that fail. Guards between several sources
(sizes, aliasing) are texts that torch evaluates itself when it explains a failure; so does this module.

Nothing here is on the path of a hit: it runs when Dynamo has begun a compile, in the thread of the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from time import perf_counter
from types import CodeType
from typing import Any

import torch

from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.signature_text import value_text
from jitscope.model.events import GuardFailure
from jitscope.model.notation import cut

ENTRIES = 8
"""Most older entries that are asked, the one used last first: the default recompile limit."""
SECONDS = 0.25
"""When to stop asking: a frame of a large model has tens of thousands of guards."""
_TEXT_LIMIT = 1000

_BETWEEN = frozenset({"NO_TENSOR_ALIASING", "OBJECT_ALIASING", "SYMBOLIC_SHAPE_GUARD", "STORAGE_OVERLAPPING"})
"""Guards that hold a state between the sources they compare: to call one of them would disturb the next check."""
_CLOSURE = re.compile(r"^(?P<function>.+)\.__closure__\[(?P<index>\d+)\]\.cell_contents$")
_DEFAULT = re.compile(r"^(?P<function>.+)\.__defaults__\[(?P<index>\d+)\]$")
_SIZE = re.compile(r"[\w.\[\]'\"]+\.(?:size|stride)\(\)\[\d+\]|[\w.\[\]'\"]+\.storage_offset\(\)")
_SOURCE = re.compile(r"[LG]\['\w+'\](?:[.\w]|\[[^\]]*\])*")
_NO_ALIAS = re.compile(r"^check_no_aliasing\((?P<sources>.+)\)$")


def failing_guards(frame: Any, code: CodeType, region: int | None) -> tuple[tuple[GuardFailure, ...], bool]:
    """The guards of ``code``'s cache entries that the call in Dynamo's ``frame`` does not pass, entry by entry.

    Returns them, and whether all live entries were asked.
    """
    started = perf_counter()
    found: list[GuardFailure] = []
    live = privates.entries(code, region)
    for entry in live[:ENTRIES]:
        if perf_counter() - started > SECONDS or getattr(entry.guard_manager, "root", None) is None:
            return tuple(found), False
        found.extend(_Walk(entry, frame, code).failures())
    return tuple(found), len(live) <= ENTRIES and privates.can_list_entries()


class _Walk:
    """One entry's guards, asked about one call."""

    def __init__(self, entry: Any, frame: Any, code: CodeType) -> None:
        self._id = str(entry.compile_id)
        self._manager = entry.guard_manager
        self._code = code
        self._frame = frame
        self._scope: dict[str, Any] = dict(getattr(self._manager, "closure_vars", None) or {})
        self._scope |= {"L": dict(frame.f_locals), "G": frame.f_globals}
        self._asked: set[str] = set()

    def failures(self) -> Iterator[GuardFailure]:
        """All that fail; of several at one source the first, which is the one that torch stops at."""
        root = self._manager.root
        yield from self._node(root, None)
        for guard in root.get_epilogue_lambda_guards():
            yield from self._between(guard)

    def _node(self, node: Any, value: Any) -> Iterator[GuardFailure]:
        failed = False
        for guard in node.get_leaf_guards():
            kind = type(guard).__name__
            if kind in _BETWEEN or kind == "LAMBDA_GUARD":
                yield from self._between(guard)
            elif not failed and not _passes(guard, value):
                failed = True
                yield self._failure(guard.verbose_code_parts()[0], kind, node.get_source(), value)
        for child in _children(node):
            source = child.get_source()
            try:
                inner = self._evaluate(source)
            except Exception:  # what it looks at is not there (a guard above it says so), or it is no expression
                continue
            if failed and not _is_state(source):
                continue
            yield from self._node(child, inner)

    def _failure(self, text: str, kind: str, source: str, value: Any) -> GuardFailure:
        if kind == "GLOBAL_STATE":
            return self._made(text, None, privates.global_state())
        if kind == "TORCH_FUNCTION_MODE_STACK":
            return self._made(text, None, ", ".join(privates.function_modes()))
        if kind == "DEFAULT_DEVICE":
            return self._made(text, None, str(torch.get_default_device()))
        return self._made(text, source, _value(value, kind))

    def _between(self, guard: Any) -> Iterator[GuardFailure]:
        for text in guard.verbose_code_parts():
            condition = re.split(r"\n|  +#", text, maxsplit=1)[0].rstrip()
            if condition in self._asked:
                continue
            self._asked.add(condition)
            aliased = _NO_ALIAS.match(condition)
            if aliased is not None:
                yield from self._aliased(text, aliased["sources"])
                continue
            try:
                holds = self._evaluate(condition)
            except Exception:  # not an expression, or about something that is not there: another guard says so
                continue
            if holds is False:
                yield self._made(text, None, self._sizes(condition))

    def _aliased(self, text: str, sources: str) -> Iterator[GuardFailure]:
        """Two sources that were different tensors, and are the same one now."""
        seen: dict[int, str] = {}
        for source in sources.split(", "):
            try:
                identity = id(self._evaluate(source))
            except Exception:
                return
            if identity in seen:
                yield self._made(text, source, seen[identity])
            seen.setdefault(identity, source)

    def _sizes(self, condition: str) -> str | None:
        """What is there that a condition speaks of: ``L['x'].size()[0] = 1``."""
        found: list[str] = []
        for text in dict.fromkeys(_SIZE.findall(condition) or _SOURCE.findall(condition)):
            try:
                found.append(f"{text} = {self._evaluate(text)}")
            except Exception:
                continue
        return ", ".join(found) or None

    def _made(self, text: str, source: str | None, value: str | None) -> GuardFailure:
        return GuardFailure(
            entry=self._id,
            text=cut(text, _TEXT_LIMIT),
            source=source,
            value=value,
            name=self._name(source) if source is not None else None,
            origin=self._origin(source) if source is not None else None,
        )

    def _name(self, source: str) -> str | None:
        """The variable behind a closure's cell or a default, in the user's words."""
        for pattern in (_CLOSURE, _DEFAULT):
            found = pattern.match(source)
            if found is None:
                continue
            code = getattr(self._evaluate(found["function"]), "__code__", None)
            if code is None:
                return None
            index = int(found["index"])
            if pattern is _CLOSURE:
                return str(code.co_freevars[index]) if index < len(code.co_freevars) else None
            defaults = self._evaluate(f"{found['function']}.__defaults__")
            names = code.co_varnames[: code.co_argcount]
            return str(names[index - len(defaults)])
        return None

    def _origin(self, source: str) -> str:
        """Where a source begins: an argument, a variable that the function captures, or a module on the way."""
        path = ""
        for step in re.findall(r"[LG]\['[^']*'\]|\[[^\]]*\]|\.\w+", source):
            path += step
            try:
                if isinstance(self._evaluate(path), torch.nn.Module) and path != source:
                    return "module"
            except Exception:
                break
        local = re.search(r"[LG]\['(\w+)'\]", source)
        if local is not None and local[0][0] == "G":
            return "captured"
        if local is not None and local[1] not in self._code.co_freevars and "__closure__" not in source:
            return "argument"
        return "captured"

    def _evaluate(self, source: str) -> Any:
        """The value of one of torch's own expressions, as torch evaluates it to explain a failure."""
        with privates.without_torch_function():
            return eval(_compiled(source), {}, self._scope)  # noqa: S307 - torch's text, from the program's own process


_expressions: dict[str, CodeType] = {}


def _compiled(source: str) -> CodeType:
    known = _expressions.get(source)
    if known is None:
        if len(_expressions) > 20_000:
            _expressions.clear()
        known = _expressions[source] = compile(source, "<guard>", "eval")
    return known


def _children(node: Any) -> list[Any]:
    children = list(node.get_child_managers())
    pairs: Mapping[int, tuple[Any, Any]] = getattr(node, "get_key_value_managers", dict)()
    for managers in pairs.values():
        children.extend(manager for manager in managers if manager is not None)
    return children


def _is_state(source: str) -> bool:
    """Whether a source is looked at though the node above it failed: the root's leaf guards are about global state."""
    return re.fullmatch(r"[LG](?:\['[^']*'\])?", source) is not None


def _passes(guard: Any, value: Any) -> bool:
    try:
        return bool(guard(value))
    except Exception:  # not callable by itself on this version: torch's own words remain
        return True


def _value(value: Any, kind: str) -> str:
    """What is there, in the form in which the guard's text says what was expected."""
    if kind == "TENSOR_MATCH" and isinstance(value, torch.Tensor):
        with privates.without_torch_function():
            return tensor_match_text(value)
    if kind in ("LENGTH_CHECK", "DICT_LENGTH", "TUPLE_ITERATOR_LEN", "RANGE_ITERATOR_MATCH") and hasattr(
        value, "__len__"
    ):
        return str(len(value))
    if kind == "TYPE_MATCH" or isinstance(value, (torch.Tensor, torch.nn.Module)):
        return f"<class '{type(value).__qualname__}'>"
    try:
        return cut(value_text(value))
    except Exception:  # a user's __repr__ may raise anything
        return f"<{type(value).__qualname__}>"


def tensor_match_text(tensor: torch.Tensor) -> str:
    """A tensor as ``check_tensor(...)`` of torch's guards writes what it expects."""
    layout = tensor.layout
    sizes, strides = list(tensor.shape), (list(tensor.stride()) if layout is torch.strided else [])
    keys = privates.dispatch_keys(tensor)
    index = tensor.device.index
    mode = ", inference_mode=True" if torch.is_inference_mode_enabled() else ""
    return (
        f"{type(tensor).__name__}, {keys}, {tensor.dtype}, device={index}, requires_grad={tensor.requires_grad}, "
        f"size={sizes}, stride={strides}{mode}"
    )
