"""The start of CUDA, timed; apart from `torch_privates`, since this imports no Dynamo.

Tried on torch 2.13.0 (CPU build, where there is no such name).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

START = "_cuda_init"
"""``torch._C._cuda_init()`` is called once a process, by ``torch.cuda._lazy_init``; a CPU build has none (2.13)."""


def can_tell() -> bool:
    """Whether the start of CUDA can be timed."""
    return callable(getattr(torch._C, START, None))


def on_cuda_start(callback: Callable[[float], None]) -> bool:
    """Have ``callback`` told how long the start of CUDA took, if it is still to come; whether it will be.

    The original is put back as soon as it ran.
    """
    original: Any = getattr(torch._C, START, None)
    if original is None or torch.cuda.is_initialized() or hasattr(original, "__wrapped__"):
        return False

    @functools.wraps(original)
    def start() -> Any:
        began = perf_counter()
        try:
            return original()
        finally:
            setattr(torch._C, START, original)
            callback(perf_counter() - began)

    setattr(torch._C, START, start)
    return True
