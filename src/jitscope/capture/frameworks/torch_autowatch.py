"""`torch.compile` and `torch.nn.Module.compile`, replaced for a program that knows nothing of jitscope.

Tried on torch 2.13.0 and 2.11.0. ``import torch`` does not import Dynamo, and neither does this: the adapter, which
does, is installed when something is compiled.
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType
from typing import Any

import torch

from jitscope.capture.autowatch import called_by, is_replaced, replacement, watching, when_imported
from jitscope.capture.frameworks.torch_cache_privates import ARTIFACTS, listen_to_artifacts
from jitscope.capture.frameworks.torch_start import time_cuda_start
from jitscope.capture.recorder import recorder
from jitscope.capture.watch import is_watched, place_of, torch_adapter, watch_if_compiled


def install() -> None:
    """Watch what the program compiles from now on."""
    time_cuda_start()
    when_imported(ARTIFACTS, listen_to_artifacts)
    for home in (torch, torch.compiler):
        if not is_replaced(home.compile):
            home.compile = _compile(home.compile)
    if not is_replaced(torch.nn.Module.compile):
        torch.nn.Module.compile = _module_compile(torch.nn.Module.compile)


def compiled_before() -> list[str]:
    """The program's compiled functions and modules that are not watched; none where Dynamo was never imported."""
    if "torch._dynamo" not in sys.modules:
        return []
    from jitscope.capture.frameworks.torch_privates import optimized_module
    from jitscope.capture.frameworks.torch_target_privates import is_compiled, original_of

    found: list[str | None] = []
    for one in gc.get_objects():
        if type(one) is FunctionType and is_compiled(one):
            original = original_of(one)
            # What a compiled module calls: the module is listed itself.
            of_module = isinstance(getattr(original, "__self__", original), torch.nn.Module)
            if not of_module and not is_watched(one):
                found.append(place_of(original, "torch"))
        elif optimized_module is not None and type(one) is optimized_module and not is_watched(one):
            found.append(place_of(type(one._orig_mod), "torch"))
    return [place for place in found if place is not None]


def _compile(original: Any) -> Any:
    def compile(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        model = args[0] if args else kwargs.get("model")
        if model is not None:
            _listen()
        if called_by(sys._getframe().f_back, "torch"):
            return made
        if model is None:
            return watching(made)
        # ``disable=True`` gives back what was passed in.
        return made if made is model else watch_if_compiled(made)

    return replacement(original, compile)


def _module_compile(original: Any) -> Any:
    def compile(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if not called_by(sys._getframe().f_back, "torch"):
            watch_if_compiled(self)

    return replacement(original, compile)


def _listen() -> None:
    """What torch compiles for itself is recorded too."""
    try:
        torch_adapter()
    except Exception as error:
        recorder.internal_error("watching torch", error)
