"""Every guard of the older cache entries that a call does not pass, with what is there instead.

Dynamo itself names the first failing guard of each entry only. Its guards are a tree (``guard_manager.root``): each
node looks at one source (``L['x']``, ``G['S']``, ``L['self']._modules['lin']``) and has leaf guards that can be
called with a value (torch 2.6 to 2.13). Asking them one by one gives all that fail. Guards between several sources
(sizes, aliasing) are expressions (`torch_expressions`).

Nothing here is on the path of a hit: it runs when Dynamo has begun a compile, in the thread of the call. Nothing of the
user's is run: what only a property or a ``__getitem__`` could tell is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from time import perf_counter
from types import CodeType
from typing import Any

import torch

from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.plain_reading import MissingError, UnreadableError, follow
from jitscope.capture.frameworks.signature_text import value_text
from jitscope.capture.frameworks.torch_expressions import Expressions
from jitscope.model.events import GuardFailure
from jitscope.model.notation import cut

ENTRIES = 8
"""Most older entries that are asked, the one used last first: the default recompile limit."""
FAILURES = 256
"""Most failing guards of one entry that are kept: a large model that was cast has thousands."""
SECONDS = 0.25
"""When to stop asking: a frame of a large model has tens of thousands of guards."""
_TEXT_LIMIT = 1000

_BETWEEN = frozenset({"NO_TENSOR_ALIASING", "OBJECT_ALIASING", "SYMBOLIC_SHAPE_GUARD", "STORAGE_OVERLAPPING"})
"""Guards that hold a state between the sources they compare: to call one of them would disturb the next check."""
_LENGTHS = frozenset({"LENGTH_CHECK", "DICT_LENGTH", "TUPLE_ITERATOR_LEN", "RANGE_ITERATOR_MATCH"})
_OF_CONTAINERS = _LENGTHS | {"DICT_CONTAINS", "DICT_NOT_CONTAINS", "SET_CONTAINS"}
"""Where one of these fails, the container is still of the kind that it was, and its items can be asked."""
_CLOSURE = re.compile(r"^(?P<function>.+)\.__closure__\[(?P<index>\d+)\]\.cell_contents$")
_DEFAULT = re.compile(r"^(?P<function>.+)\.__defaults__\[(?P<index>\d+)\]$")
_SIZE = re.compile(r"[\w.\[\]'\"]+\.(?:size|stride)\(\)\[\d+\]|[\w.\[\]'\"]+\.storage_offset\(\)")
_SOURCE = re.compile(r"[LG]\['\w+'\](?:[.\w]|\[[^\]]*\])*")
_NO_ALIAS = re.compile(r"^check_no_aliasing\((?P<sources>.+)\)$")
_KEY_OF = re.compile(r"^list\((?:dict\.keys\()?.+\)\)?\[(?P<index>\d+)\]$")


def failing_guards(frame: Any, code: CodeType, region: int | None) -> tuple[tuple[GuardFailure, ...], bool]:
    """The guards of ``code``'s cache entries that the call in Dynamo's ``frame`` does not pass, entry by entry.

    Returns them, and whether all live entries were asked.
    """
    deadline = perf_counter() + SECONDS
    found: list[GuardFailure] = []
    live = privates.entries(code, region)
    for entry in live[:ENTRIES]:
        if getattr(entry.guard_manager, "root", None) is None:
            return tuple(found), False
        walk = _Walk(entry, frame, code, deadline)
        found.extend(walk.failures())
        if walk.stopped:
            return tuple(found), False
    return tuple(found), len(live) <= ENTRIES and privates.can_list_entries()


class _Walk:
    """One entry's guards, asked about one call."""

    def __init__(self, entry: Any, frame: Any, code: CodeType, deadline: float) -> None:
        self.stopped = False
        """Whether there was no time to ask all."""
        self._id = str(entry.compile_id)
        self._manager = entry.guard_manager
        self._code = code
        self._deadline = deadline
        self._variables = dict(frame.f_locals)
        self._globals = frame.f_globals
        self._expressions = Expressions(self._variables, self._globals)
        self._asked: set[str] = set()

    def failures(self) -> list[GuardFailure]:
        """All that fail; of several at one source the first, which is the one that torch stops at."""
        root = self._manager.root
        found: list[GuardFailure] = []
        for failure in self._all(root):
            if len(found) >= FAILURES or perf_counter() > self._deadline:
                self.stopped = True
                break
            found.append(failure)
        return found

    def _all(self, root: Any) -> Iterator[GuardFailure]:
        yield from self._node(root, None, "", module=False)
        for guard in root.get_epilogue_lambda_guards():
            yield from self._between(guard)

    def _node(self, node: Any, value: Any, source: str, *, module: bool) -> Iterator[GuardFailure]:
        """Ask a node's guards about ``value``, then those below it; ``module``: a module lies on the way to it."""
        failed = other = False
        for guard in node.get_leaf_guards():
            kind = type(guard).__name__
            if kind in _BETWEEN or kind == "LAMBDA_GUARD":
                yield from self._between(guard)
            elif not failed and not _passes(guard, value):
                failed = True
                other = kind not in _OF_CONTAINERS
                yield self._failure(guard.verbose_code_parts()[0], kind, source, value, module=module)
        if other and source:
            # What lies below belongs to another object than the one that the guards were made for.
            return
        inside = module or isinstance(value, torch.nn.Module)
        for child in _children(node):
            below = child.get_source()
            try:
                inner = self._child(value, source, below)
            except MissingError:
                # That a dictionary has fewer keys, a guard on its length says.
                if source and not failed and not _KEY_OF.match(below):
                    # No guard above it says that it is gone.
                    yield self._made(f"{below} exists", below, None, None, module=inside)
                    failed = True
                continue
            except UnreadableError:
                continue
            yield from self._node(child, inner, below, module=inside)
            if perf_counter() > self._deadline:
                self.stopped = True
                return

    def _child(self, value: Any, source: str, below: str) -> Any:
        """What a child looks at, one step from its parent's value."""
        if not source:
            if below in ("L", "G"):
                return self._variables if below == "L" else self._globals
            return self._expressions.value(below)
        if below.startswith(source):
            return follow(value, below[len(source) :])
        key = _KEY_OF.match(below)
        if key is not None and isinstance(value, dict):
            keys = list(dict.keys(value))
            if int(key["index"]) >= len(keys):
                raise MissingError
            return keys[int(key["index"])]
        if below == f"type({source})":
            return type(value)
        if below == f"___from_numpy({source})":
            return privates.from_numpy(value)
        return self._expressions.value(below)

    def _failure(self, text: str, kind: str, source: str, value: Any, *, module: bool) -> GuardFailure:
        if kind == "GLOBAL_STATE":
            return self._made(text, None, privates.global_state(), None)
        if kind == "TORCH_FUNCTION_MODE_STACK":
            return self._made(text, None, ", ".join(privates.function_modes()), None)
        if kind == "DEFAULT_DEVICE":
            return self._made(text, None, str(torch.get_default_device()), None)
        # Whether a module has an attribute is about the module, though none lies on the way to it.
        module = module or ("hasattr(" in text and isinstance(value, torch.nn.Module))
        return self._made(text, source, _value(value, kind), type(value).__qualname__, module=module)

    def _between(self, guard: Any) -> Iterator[GuardFailure]:
        for text in guard.verbose_code_parts():
            condition = re.split(r"\n|  +#", text, maxsplit=1)[0].rstrip()
            if condition in self._asked:
                continue
            self._asked.add(condition)
            aliased = _NO_ALIAS.match(condition)
            if aliased is not None:
                yield from self._aliased(text, aliased["sources"])
            elif self._evaluate(condition) is False:
                yield self._made(text, None, self._sizes(condition), None)

    def _aliased(self, text: str, sources: str) -> Iterator[GuardFailure]:
        """Two sources that were different tensors, and are the same one now."""
        seen: dict[int, str] = {}
        for source in sources.split(", "):
            tensor = self._evaluate(source)
            if tensor is None:
                return
            if id(tensor) in seen:
                yield self._made(text, source, seen[id(tensor)], None)
            seen.setdefault(id(tensor), source)

    def _sizes(self, condition: str) -> str | None:
        """What is there that a condition speaks of: ``L['x'].size()[0] = 1``."""
        found: list[str] = []
        for text in dict.fromkeys(_SIZE.findall(condition) or _SOURCE.findall(condition)):
            value = self._evaluate(text)
            if isinstance(value, (int, float)):
                found.append(f"{text} = {value}")
        return ", ".join(found) or None

    def _evaluate(self, text: str) -> Any:
        """The value of an expression; None where it is no such expression, or about something that is not there."""
        try:
            with privates.without_torch_function():
                return self._expressions.value(text)
        except (MissingError, UnreadableError, ArithmeticError):
            return None

    def _made(
        self, text: str, source: str | None, value: str | None, kind: str | None, *, module: bool = False
    ) -> GuardFailure:
        return GuardFailure(
            entry=self._id,
            text=cut(text, _TEXT_LIMIT),
            source=source,
            value=value,
            type=kind,
            name=self._name(source) if source is not None else None,
            origin=("module" if module else self._origin(source)) if source is not None else None,
        )

    def _name(self, source: str) -> str | None:
        """The variable behind a closure's cell or a default, in the user's words."""
        for pattern in (_CLOSURE, _DEFAULT):
            found = pattern.match(source)
            if found is None:
                continue
            function = self._evaluate(found["function"])
            code = getattr(function, "__code__", None)
            if not isinstance(code, CodeType):
                return None
            index = int(found["index"])
            if pattern is _CLOSURE:
                return str(code.co_freevars[index]) if index < len(code.co_freevars) else None
            names = code.co_varnames[: code.co_argcount]
            return str(names[index - len(function.__defaults__)])
        return None

    def _origin(self, source: str) -> str:
        """Where a source begins: at an argument, or at something that a function captures."""
        root = re.search(r"([LG])\['(\w+)'\]", source)
        argument = root is not None and root[1] == "L" and root[2] not in self._code.co_freevars
        captured = re.search(r"__(?:closure|defaults|kwdefaults)__", source) is not None
        return "argument" if argument and not captured else "captured"


def _children(node: Any) -> list[Any]:
    children = list(node.get_child_managers())
    pairs: Mapping[int, tuple[Any, Any]] = getattr(node, "get_key_value_managers", dict)()
    for managers in pairs.values():
        children.extend(manager for manager in managers if manager is not None)
    return children


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
    if kind in _LENGTHS:
        return str(_length(value))
    if kind == "TYPE_MATCH" or isinstance(value, (torch.Tensor, torch.nn.Module)):
        return f"<class '{type(value).__qualname__}'>"
    try:
        return cut(value_text(value))
    except Exception:  # an object in a state that even its fields can't be read
        return f"<{type(value).__qualname__}>"


def _length(value: Any) -> int | str:
    for kind in (dict, list, tuple, set, frozenset, str, range):
        if isinstance(value, kind):
            return kind.__len__(value)  # type: ignore[arg-type]
    return "unknown"


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
