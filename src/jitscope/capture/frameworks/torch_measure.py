"""torch: what measuring a function needs: its result waited for, the same without ``torch.compile``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from jitscope.capture.frameworks import torch_privates as privates

EAGER = "the function without torch.compile"
"""How `eager_of` runs."""


def wait(result: Any) -> None:
    """Wait until the device has done all that it was given; on a CPU nothing is under way."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def eager_of(function: Any) -> Callable[..., Any] | None:
    """The function or module that was compiled, or None where it can't be told.

    A module that was compiled in place (``module.compile()``) runs eager through ``_call_impl``, which is what calling
    it does where it was not compiled (2.11, 2.13).
    """
    if isinstance(function, torch.nn.Module):
        original = getattr(function, "_orig_mod", None)
        eager = original if original is not None else getattr(function, "_call_impl", None)
        return eager if callable(eager) else None
    original = privates.innermost(function)
    return original if callable(original) and original is not function else None


def fresh(args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, str]) -> tuple[Any, Any]:
    """The arguments for one call: what they are."""
    return args, kwargs
