"""Tensors of zeros from recorded leaves."""

from __future__ import annotations

from typing import Any

import torch

from jitscope.model.notation import long_dtype, printable
from jitscope.model.signature import ArrayLeaf
from jitscope.model.specs import CannotRebuildError, Foreign


def zeros_of(leaf: ArrayLeaf) -> Any:
    """Zeros: valid as indices and as masks, and what needs no random state.

    Raises:
        CannotRebuildError: there is no such dtype or device here, or it is no plain tensor.
    """
    if leaf.host == "numpy":
        return _numpy(leaf)
    if leaf.layout is not None:
        raise CannotRebuildError(leaf.path, f"is a {printable(leaf.layout)} tensor")
    if leaf.subclass not in (None, "Parameter"):
        raise CannotRebuildError(leaf.path, f"is a {printable(leaf.subclass)}, which only its own code can make")
    if leaf.keys not in (None, "inference"):
        raise CannotRebuildError(leaf.path, f"is an unusual tensor ({printable(leaf.keys)})")
    try:
        with torch.inference_mode(mode=leaf.keys == "inference"), torch.device("cpu"):
            made = _filled(leaf)
            if leaf.subclass == "Parameter":
                return torch.nn.Parameter(made, requires_grad=leaf.requires_grad)
            return made.requires_grad_() if leaf.requires_grad else made
    except (RuntimeError, TypeError, OverflowError) as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise CannotRebuildError(leaf.path, f"can't be made here: {first}") from error


def _filled(leaf: ArrayLeaf) -> Any:
    options = {"dtype": dtype_of(leaf.path, leaf.dtype), "device": leaf.device or "cpu"}
    if leaf.stride is None:
        return torch.zeros(leaf.shape, **options)
    if len(leaf.stride) != len(leaf.shape) or min((*leaf.stride, *leaf.shape), default=0) < 0:
        raise CannotRebuildError(leaf.path, "has strides that don't fit its shape")
    if 0 in leaf.stride:
        last = sum((size - 1) * stride for size, stride in zip(leaf.shape, leaf.stride, strict=True))
        return torch.zeros(max(last, 0) + 1, **options).as_strided(leaf.shape, leaf.stride)
    return torch.empty_strided(leaf.shape, leaf.stride, **options).zero_()


def dtype_of(path: str, short: str) -> Any:
    """Torch's dtype of a short name.

    Raises:
        CannotRebuildError: there is none.
    """
    name = long_dtype(short)
    found = getattr(torch, name, None) if name is not None else None
    if not isinstance(found, torch.dtype):
        raise CannotRebuildError(path, f"has a dtype that is not known here, {printable(short)}")
    return found


def _numpy(leaf: ArrayLeaf) -> Any:
    made = torch.zeros(leaf.shape, dtype=dtype_of(leaf.path, leaf.dtype)).numpy()
    return made if leaf.shape else made[()]


def foreign_value(spec: Foreign) -> Any:
    """A dtype, a device, a number of NumPy's.

    Raises:
        CannotRebuildError: it is JAX's, or not known here.
    """
    if spec.kind == "torch.dtype":
        found = getattr(torch, spec.name, None)
        if isinstance(found, torch.dtype):
            return found
    if spec.kind == "torch.device":
        return torch.device(spec.name)
    if spec.kind == "numpy.dtype":
        return torch.zeros((), dtype=getattr(torch, spec.name)).numpy().dtype
    if spec.kind == "numpy.scalar":
        return torch.zeros((), dtype=getattr(torch, spec.name.removesuffix("_"))).numpy().dtype.type(spec.value)
    raise CannotRebuildError("", f"{spec.kind} {spec.name} is not known here")
