"""JAX: what measuring a function needs: its arguments anew, its result waited for, the same without ``jax.jit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

EAGER = "the function without jax.jit: each operation is a program of its own, compiled when it is first met"
"""How `eager_of` runs. `jax.disable_jit` would also run the loops of ``jax.lax`` in Python: nobody's program does."""


def wait(result: Any) -> None:
    """Wait until all arrays of a result are there."""
    jax.block_until_ready(result)


def eager_of(function: Any) -> Callable[..., Any] | None:
    """The function that was jitted, or None where it can't be told."""
    original = getattr(function, "__wrapped__", None)
    return original if callable(original) else None


def fresh(args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, str]) -> tuple[Any, Any]:
    """The arguments for one call: copies of the arrays, where the function is given them for good (donation)."""
    if not options.keys() & {"donate_argnums", "donate_argnames"}:
        return args, kwargs
    copies = jax.tree_util.tree_map(lambda leaf: leaf.copy() if isinstance(leaf, jax.Array) else leaf, (args, kwargs))
    wait(copies)
    found: tuple[Any, Any] = copies
    return found
