"""Helpers that both frameworks' signature readers share: names of arguments, static values."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import inspect
from collections.abc import Callable
from functools import partial
from itertools import islice
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

from jitscope.capture.frameworks.plain_reading import MissingError, UnreadableError, attribute, has_attribute
from jitscope.model.notation import TEXT_LIMIT, array_text, cut, short_dtype
from jitscope.model.signature import StaticLeaf

_BRACKETS: dict[Any, str] = {tuple: "()", list: "[]", set: "{}", frozenset: "{}"}
_DEPTH = 4
_ITEMS = 32
"""Most items of a container that are written."""
_FIELDS = 64
"""Most fields of an object that are written."""
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
    """A value as the user would write it.

    Arrays are written as types: their contents are never read. No code of the user's runs: an object is told by what
    its instance keeps, never by its own ``__repr__``.
    """
    kind = type(value)
    if isinstance(value, enum.Enum):
        return f"{kind.__qualname__}.{value._name_ or value._value_}"
    if kind in _PLAIN:
        return repr(value)
    if isinstance(value, type):
        return f"<class {value.__qualname__}>"
    if is_array(kind):
        return array_text(short_dtype(str(value.dtype)), tuple(value.shape))
    if isinstance(value, (FunctionType, CodeType)):
        code = value if isinstance(value, CodeType) else value.__code__
        name = code.co_qualname if isinstance(value, CodeType) else value.__qualname__
        return f"<function {name} at {code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}>"
    if isinstance(value, MethodType):
        return f"<method {getattr(value.__func__, '__qualname__', '?')} of {type(value.__self__).__qualname__}>"
    if isinstance(value, BuiltinFunctionType):
        return f"<built-in {value.__name__}>"
    if depth == 0:
        return "…"
    if kind is partial:
        return f"partial({value_text(value.func, depth - 1)})"
    return _container_text(value, depth) or _object_text(value, depth)


def is_array(kind: type[Any]) -> bool:
    """Whether values of a type are arrays of one of the frameworks (or of NumPy), numbers of NumPy included."""
    return any(
        base.__name__ in _ARRAYS and base.__module__.partition(".")[0] in ("jax", "jaxlib", "numpy", "torch")
        for base in kind.__mro__
    )


_ARRAYS = frozenset({"Tensor", "ndarray", "Array", "ArrayImpl", "Tracer", "ShapedArray", "ShapeDtypeStruct"})
_REPR_IS_PLAIN = frozenset(
    {"builtins", "datetime", "decimal", "fractions", "jax", "jaxlib", "numpy", "pathlib", "torch"}
)
"""Packages whose objects print briefly, and without the contents of arrays (those are told before)."""


def _container_text(value: Any, depth: int) -> str | None:
    """A built-in container, or a subclass, read past the subclass's own methods; None for what is none."""
    kind = type(value)
    for base, brackets in _BRACKETS.items():
        if isinstance(value, base):
            shown = [value_text(item, depth - 1) for item in islice(base.__iter__(value), _ITEMS)]
            more = ["…"] if base.__len__(value) > _ITEMS else []
            trailing = "," if base is tuple and kind is tuple and len(shown) == 1 and not more else ""
            text = f"{brackets[0]}{', '.join(shown + more)}{trailing}{brackets[1]}"
            return text if kind is base else f"{kind.__qualname__}{text}"
    if isinstance(value, dict):
        pairs = [
            f"{value_text(k, depth - 1)}: {value_text(v, depth - 1)}" for k, v in islice(dict.items(value), _ITEMS)
        ]
        more = ["…"] if dict.__len__(value) > _ITEMS else []
        text = "{" + ", ".join(pairs + more) + "}"
        return text if kind is dict else f"{kind.__qualname__}({text})"
    return None


def _object_text(value: Any, depth: int) -> str:
    kind = type(value)
    if kind.__module__.partition(".")[0] in _REPR_IS_PLAIN:
        return repr(value)
    if compared_by_identity(kind):
        # What it holds would tell nothing of the key.
        return f"<{kind.__qualname__}>"
    names = [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None
    if names is None:
        names = list(attribute(value, "__dict__")) if has_attribute(value, "__dict__") else []
        slots = (vars(base).get("__slots__", ()) for base in kind.__mro__)
        names += [name for found in slots for name in ([found] if isinstance(found, str) else found)]
    fields: list[str] = []
    for name in names[:_FIELDS]:
        try:
            fields.append(f"{name}={value_text(attribute(value, name), depth - 1)}")
        except (MissingError, UnreadableError):
            continue
    more = ["…"] if len(names) > _FIELDS else []
    return f"{kind.__qualname__}({', '.join(fields + more)})" if fields else f"<{kind.__qualname__}>"


def parameters_of(fn: Any) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Names of the parameters of ``fn`` (without a leading ``self`` and the starred ones), and of those with a default.

    Both are None where that can't be told.
    """
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return None, None
    named = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    named = named[1:] if named[:1] == ["self"] else named
    return tuple(named), tuple(p.name for p in parameters if p.default is not p.empty)


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
