"""What is in force when a frame is compiled and no argument shows: modes of torch, of the module, marks on tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch

from jitscope.capture.frameworks import torch_privates as privates
from jitscope.model.notation import cut, printable
from jitscope.model.specs import CannotRebuildError

if TYPE_CHECKING:
    from jitscope.capture.frameworks.torch_probe import TorchProbe

_AUTOCAST_DEVICES = ("cpu", "cuda", "xpu", "mps")
MARKS = {
    "mark_dynamic": "_dynamo_dynamic_indices",
    "mark_unbacked": "_dynamo_unbacked_indices",
    "maybe_mark_dynamic": "_dynamo_weak_dynamic_indices",
    "mark_static": "_dynamo_static_indices",
}
"""What ``torch._dynamo.decorators.NAME(tensor, index)`` sets on the tensor (2.11, 2.13)."""
SAME = "same"
"""``{"same k": "q"}``: one tensor was passed in both places. Dynamo compiles and guards that (2.11, 2.13)."""


def modes_now(module: Any = None) -> dict[str, str]:
    """The modes in force in this thread, and whether ``module`` is in training mode; as texts, by name."""
    found = {"grad_mode": str(torch.is_grad_enabled())}
    if torch.is_inference_mode_enabled():
        found["inference_mode"] = "True"
    for device in _AUTOCAST_DEVICES:
        if _autocast(device):
            found[f"autocast({device})"] = str(torch.get_autocast_dtype(device)).removeprefix("torch.")
    if torch.get_default_dtype() is not torch.float32:
        found["default_dtype"] = str(torch.get_default_dtype()).removeprefix("torch.")
    functions = privates.function_modes()
    if functions:
        found["function_modes"] = cut(", ".join(functions))
    transformation = privates.transformation()
    if transformation is not None:
        found["transformation"] = transformation
    if module is not None:
        states = {bool(one.training) for one in module.modules()}
        found["training"] = "mixed" if len(states) > 1 else str(states.pop())
    return found


def _autocast(device: str) -> bool:
    try:
        return bool(torch.is_autocast_enabled(device))
    except RuntimeError:  # a kind of device that this torch was built without
        return False


def tensor_modes(probe: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, str]:
    """What is special about tensors that were passed: see `modes_of_leaves`."""
    reader: TorchProbe | None = probe if hasattr(probe, "reader") else None
    if reader is None:
        return {}
    with privates.without_torch_function():
        return modes_of_leaves(reader.reader.leaves(args, kwargs))


def modes_of_leaves(leaves: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Sizes that the user marked, ``{"mark_dynamic x": "0"}``, and tensors passed twice, ``{"same k": "q"}``."""
    found: dict[str, str] = {}
    first: dict[int, str] = {}
    for path, leaf in leaves:
        if isinstance(leaf, torch.Tensor):
            if first.setdefault(id(leaf), path) != path:
                found[f"{SAME} {path}"] = first[id(leaf)]
                continue
            for name, attribute in MARKS.items():
                sizes = vars(leaf).get(attribute)
                if sizes:
                    found[f"{name} {path}"] = ",".join(str(int(size)) for size in sorted(sizes))
    return found


def in_modes(stack: ExitStack, modes: Mapping[str, str], module: Any = None) -> None:
    """Enter modes as they were recorded, for as long as ``stack`` is open; where none were, what is in force stays.

    Raises:
        CannotRebuildError: a mode has a value that is not known here.
    """
    if not modes:
        return
    if modes.get("function_modes"):
        raise CannotRebuildError("", f"compiled under {printable(modes['function_modes'])}: warm it inside of the same")
    default = _dtype(modes.get("default_dtype", "float32"))
    if torch.get_default_dtype() is not default:
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(default)
    stack.enter_context(torch.inference_mode(mode=modes.get("inference_mode") == "True"))
    stack.enter_context(torch.set_grad_enabled(modes.get("grad_mode", "True") == "True"))
    for device in _AUTOCAST_DEVICES:
        wanted = modes.get(f"autocast({device})")
        if wanted is not None:
            stack.enter_context(torch.autocast(device, _dtype(wanted)))
        elif _autocast(device):
            stack.enter_context(torch.autocast(device, enabled=False))
    if module is not None and modes.get("training") in ("True", "False"):
        for one in module.modules():
            stack.callback(setattr, one, "training", one.training)
            one.training = modes["training"] == "True"


def modes_text(modes: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The modes that are not in force ``now``, in one line."""
    names = [*modes, *(name for name in now if modes and name not in modes)]
    changed = [name for name in names if modes.get(name) != now.get(name)]
    return ", ".join(
        f"{name.removeprefix(f'{SAME} ')} is {modes[name]}"
        if name.startswith(f"{SAME} ")
        else f"{name}={modes.get(name, 'off')}"
        for name in changed
    )


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype):
        raise CannotRebuildError("", f"compiled under a dtype that is not known here, {printable(name)}")
    return found
