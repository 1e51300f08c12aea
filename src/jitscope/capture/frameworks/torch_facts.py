"""torch for ``jitscope doctor``: versions, hooks, devices, Inductor's caches."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch

from jitscope.capture.frameworks.capability import as_values


def _version() -> dict[str, Any]:
    return {"versions": {"torch": str(torch.__version__)}, "location": torch.__file__}


def _hooks() -> list[dict[str, Any]]:
    # Imports Dynamo, and Inductor's caches.
    from jitscope.capture.frameworks import torch_cache_privates
    from jitscope.capture.frameworks import torch_privates as privates

    return as_values((*privates.CAPABILITIES, *torch_cache_privates.CAPABILITIES))


def _caches() -> list[dict[str, Any]]:
    """Inductor's folder with the graphs in it, AOTAutograd's cache in the same, and Triton's.

    The names of the switches, and where the folders are, are those of torch 2.11 and 2.13.
    """
    from torch._functorch import config as functorch
    from torch._inductor import config as inductor
    from torch._inductor.runtime import cache_dir_utils as folders

    off = bool(getattr(inductor, "force_disable_caches", False))
    before = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    # Not `cache_dir`: it makes the folder.
    folder = os.path.abspath(before if before is not None else folders.default_cache_dir())
    triton = os.environ.get("TRITON_CACHE_DIR") or os.path.join(folder, "triton")
    graphs, autograd = getattr(inductor, "fx_graph_cache", None), getattr(functorch, "enable_autograd_cache", None)
    return [
        {"name": "inductor (FX graphs)", "on": _on(graphs, off), "path": folder, "detail": ""},
        {"name": "AOTAutograd", "on": _on(autograd, off), "path": os.path.join(folder, "aotautograd"), "detail": ""},
        {"name": "triton", "on": _on(True, off), "path": triton, "detail": ""},
    ]


def _on(value: Any, all_off: bool) -> bool | None:
    return None if value is None else bool(value) and not all_off


def _devices() -> list[str]:
    names = ["cpu"]
    if torch.cuda.is_available():
        found = [f"cuda {torch.cuda.get_device_name(n)}" for n in range(torch.cuda.device_count())]
        names += [f"{name} x{found.count(name)}" for name in dict.fromkeys(found)]
    return names


PARTS: dict[str, Callable[[], Any]] = {
    "version": _version,
    "hooks": _hooks,
    "caches": _caches,
    "devices": _devices,
}
"""What can be asked, the surest first."""
