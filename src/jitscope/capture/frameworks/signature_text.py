"""Helpers that both frameworks' signature readers share: names of arguments, static values."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

from jitscope.model.notation import TEXT_LIMIT, array_text, cut, short_dtype
from jitscope.model.signature import StaticLeaf

_BRACKETS: dict[type, str] = {tuple: "()", list: "[]", set: "{}", frozenset: "{}"}
_DEPTH = 4
_PLAIN = (bool, int, float, complex, str, bytes, type(None), range, slice)


def digest(text: str) -> str:
    """A short digest of ``text``, for comparing texts too long to keep."""
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def static_leaf(path: str, value: Any) -> StaticLeaf:
    """Describe a value that enters the cache key by value. Its text is kept, cut; nothing is evaluated."""
    kind = type(value)
    by_identity = compared_by_identity(kind) and not isinstance(value, enum.Enum)
    try:
        text = value_text(value)
    except Exception as error:  # a user's __repr__ may raise anything; the type is told all the same
        text = f"<{kind.__qualname__}: repr raised {type(error).__name__}>"
    return StaticLeaf(
        path=path,
        type=kind.__qualname__,
        value=cut(text),
        identity=id(value) if by_identity else None,
        digest=digest(text) if len(text) > TEXT_LIMIT else None,
    )


def compared_by_identity(kind: type[Any]) -> bool:
    """Whether values of a type are equal only to themselves."""
    equality: object = kind.__eq__
    return equality is object.__eq__


def value_text(value: Any, depth: int = _DEPTH) -> str:
    """A value as the user would write it. Arrays are written as types: their contents are never read."""
    kind = type(value)
    if isinstance(value, enum.Enum):
        return str(value)
    if kind in _PLAIN:
        return repr(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return array_text(short_dtype(str(value.dtype)), tuple(value.shape))
    code: CodeType | None = value if kind is CodeType else getattr(value, "__code__", None)
    if code is not None:
        name = getattr(value, "__qualname__", code.co_qualname)
        return f"<function {name} at {code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}>"
    if inspect.isbuiltin(value):
        return f"<built-in {value.__name__}>"
    if inspect.isclass(value):
        return f"<class {value.__qualname__}>"
    if depth == 0:
        return "…"
    if kind in _BRACKETS:
        items = ", ".join(value_text(item, depth - 1) for item in value)
        return f"{_BRACKETS[kind][0]}{items}{_BRACKETS[kind][1]}"
    if kind is dict:
        return "{" + ", ".join(f"{k!r}: {value_text(item, depth - 1)}" for k, item in value.items()) + "}"
    if dataclasses.is_dataclass(value):
        fields = ", ".join(
            f"{field.name}={value_text(getattr(value, field.name, None), depth - 1)}"
            for field in dataclasses.fields(value)
            if field.repr
        )
        return f"{kind.__qualname__}({fields})"
    if compared_by_identity(kind):
        # Compared by identity: its repr may be long, or read arrays, and would tell nothing of the key.
        return f"<{kind.__qualname__}>"
    return repr(value)


def parameters_with_default(fn: Any) -> tuple[str, ...] | None:
    """Names of the parameters of ``fn`` that can be left out, or None where that can't be told."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return None
    return tuple(p.name for p in parameters if p.default is not p.empty)


class ArgumentNames:
    """Names for the arguments of a function, as its author wrote them."""

    def __init__(self, fn: Callable[..., Any] | None) -> None:
        self._positional: list[str] = []
        self._rest: str | None = "args"
        self._keywords: str | None = None
        self._known: frozenset[str] = frozenset()
        if fn is None:
            return
        try:
            parameters = list(inspect.signature(fn).parameters.values())
        except (TypeError, ValueError):
            return
        self._positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self._rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
        self._keywords = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self._known = frozenset(p.name for p in parameters)

    def positional(self, index: int) -> str:
        """The name of the argument at ``index``: ``q``, or ``args[2]`` where it has none."""
        if index < len(self._positional):
            return self._positional[index]
        return f"{self._rest}[{index - len(self._positional)}]"

    def keyword(self, name: str) -> str:
        """The name of a keyword argument: ``scale``, or ``options['scale']`` where it goes into ``**options``."""
        return name if self._keywords is None or name in self._known else f"{self._keywords}[{name!r}]"
