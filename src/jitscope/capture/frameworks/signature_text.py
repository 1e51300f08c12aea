"""Helpers that both frameworks' signature readers share: names of arguments, static values."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

from jitscope.model.notation import TEXT_LIMIT, cut
from jitscope.model.signature import StaticLeaf


def digest(text: str) -> str:
    """A short digest of ``text``, for comparing texts too long to keep."""
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def static_leaf(path: str, value: Any) -> StaticLeaf:
    """Describe a value that enters the cache key by value. Its ``repr`` is kept, cut; nothing is evaluated."""
    kind = type(value)
    try:
        text = _value_text(value)
    except Exception as error:
        text = f"<{kind.__qualname__}: repr raised {type(error).__name__}>"
    by_identity = kind.__eq__ is object.__eq__
    return StaticLeaf(
        path=path,
        type=kind.__qualname__,
        value=cut(text),
        identity=id(value) if by_identity else None,
        digest=digest(text) if len(text) > TEXT_LIMIT else None,
    )


def _value_text(value: Any) -> str:
    if inspect.isfunction(value) or inspect.ismethod(value):
        code = value.__code__
        return f"<function {value.__qualname__} at {code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}>"
    if inspect.isclass(value):
        return f"<class {value.__module__}.{value.__qualname__}>"
    return repr(value)


class ArgumentNames:
    """Names for the arguments of a function, as its author wrote them."""

    def __init__(self, fn: Callable[..., Any] | None) -> None:
        self._positional: list[str] = []
        self._rest: str | None = "args"
        if fn is None:
            return
        try:
            parameters = list(inspect.signature(fn).parameters.values())
        except (TypeError, ValueError):
            return
        self._positional = [
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        self._rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")

    def positional(self, index: int) -> str:
        """The name of the argument at ``index``: ``q``, or ``args[2]`` where it has none."""
        if index < len(self._positional):
            return self._positional[index]
        return f"{self._rest}[{index - len(self._positional)}]"
