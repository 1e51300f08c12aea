"""Wrappers that jitscope's is held against."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Fn = Callable[..., Any]


def empty_wrapper(fn: Fn) -> Fn:
    """The floor for any Python wrapper."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return wrapper


def naive_recorder(fn: Fn, flatten: Callable[[Any], list[Any]]) -> Fn:
    """Reads shape and dtype of every leaf on every call and looks them up."""
    seen: dict[Any, int] = {}

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        key = tuple([(leaf.shape, leaf.dtype) for leaf in flatten((args, kwargs)) if hasattr(leaf, "shape")])
        seen[key] = seen.get(key, 0) + 1
        return fn(*args, **kwargs)

    return wrapper


def cells_of(watched: Fn) -> dict[str, Any]:
    """The closure cells of jitscope's wrapper by name."""
    return dict(zip(watched.__code__.co_freevars, watched.__closure__ or (), strict=True))  # type: ignore[attr-defined]


def without_the_call(watched: Fn, stub: Fn) -> Fn:
    """A watched function, in the state it is in, that calls ``stub`` in place of the compiled function.

    What is left is jitscope's own part of a hit, which can be told to the nanosecond.
    """
    cells_of(watched)["fn"].cell_contents = stub
    return watched
