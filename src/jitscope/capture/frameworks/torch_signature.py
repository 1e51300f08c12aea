"""What Dynamo's guards can see of a call's arguments, read with public API (pytree flattening apart)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.signature_text import ArgumentNames, digest, static_leaf
from jitscope.model.notation import cut, short_dtype
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, StaticLeaf

STRUCTURE_LIMIT = 1000


class TorchSignatureReader:
    """Reads signatures for one compiled function."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._names = ArgumentNames(fn)

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Signature:
        """The full signature, with paths as the user would write them."""
        leaves: list[Leaf] = []
        structures: list[str] = []
        named = [(self._names.positional(i), arg) for i, arg in enumerate(args)]
        named += sorted(kwargs.items())
        for name, value in named:
            if _is_leaf(value):
                leaves.append(_read_leaf(name, value))
                continue
            flat, structure = _flatten(value)
            if len(flat) == 1 and not flat[0][0]:
                leaves.append(_read_leaf(name, value))
                continue
            structures.append(f"{name}={structure}")
            leaves.extend(_read_leaf(name + path, leaf) for path, leaf in flat)
        structure = ", ".join(structures)
        return Signature(
            leaves=tuple(leaves),
            structure=cut(structure, STRUCTURE_LIMIT),
            structure_digest=digest(structure),
            positional=len(args),
            keywords=tuple(sorted(kwargs)),
        )


def _is_leaf(value: Any) -> bool:
    return isinstance(value, (torch.Tensor, int, float, str, bool, type(None)))


def _flatten(value: Any) -> tuple[list[tuple[str, Any]], str]:
    if privates.tree_flatten_with_path is None or privates.keystr is None:
        return [("", value)], ""
    flat, structure = privates.tree_flatten_with_path(value)
    return [(privates.keystr(path), leaf) for path, leaf in flat], str(structure)


def _read_leaf(path: str, value: Any) -> Leaf:
    if isinstance(value, torch.Tensor):
        return tensor_leaf(path, value)
    if isinstance(value, torch.nn.Module):
        return StaticLeaf(path=path, type=type(value).__qualname__, value=f"<{type(value).__qualname__}>")
    if type(value).__module__ == "numpy" and hasattr(value, "shape"):
        return ArrayLeaf(path=path, dtype=short_dtype(str(value.dtype)), shape=tuple(value.shape), host="numpy")
    return static_leaf(path, value)


def tensor_leaf(path: str, tensor: torch.Tensor) -> ArrayLeaf:
    """The type of a tensor: what TENSOR_MATCH guards compare (torch/csrc/dynamo/guards.cpp)."""
    kind = type(tensor)
    strided = tensor.layout is torch.strided
    stride: tuple[int, ...] | None = None
    if strided and not tensor.is_contiguous():
        stride = tuple(int(step) for step in tensor.stride())
    return ArrayLeaf(
        path=path,
        dtype=short_dtype(str(tensor.dtype)),
        shape=tuple(int(size) for size in tensor.shape),
        stride=stride,
        layout=None if strided else str(tensor.layout).removeprefix("torch."),
        device=None if tensor.device.type == "cpu" else str(tensor.device),
        requires_grad=bool(tensor.requires_grad),
        subclass=None if kind is torch.Tensor else kind.__qualname__,
        keys="inference" if tensor.is_inference() else None,
    )
