"""What Dynamo's guards can see of a call's arguments, read with public API (pytree flattening apart)."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

import torch

from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.signature_text import ArgumentNames, digest, static_leaf
from jitscope.model.notation import cut, short_dtype
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, StaticLeaf

STRUCTURE_LIMIT = 1000


class TorchSignatureReader:
    """Reads signatures for one compiled function."""

    def __init__(self, fn: Callable[..., Any] | None) -> None:
        self._names = ArgumentNames(fn)

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Signature | None:
        """The full signature, with paths as the user would write them.

        None where a size is a symbol: then a tracer (export, a fake tensor mode) calls, and to ask for the number
        would fix it there. Overrides of torch functions (subclasses, modes) don't see the reading.
        """
        try:
            with privates.without_torch_function():
                return self._read(args, kwargs)
        except SymbolicSizeError:
            return None

    def leaves(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
        """Each leaf of the arguments with its path, in the order of `read`."""
        found: list[tuple[str, Any]] = []
        for name, value in self._named(args, kwargs):
            flat = [("", value)] if _is_leaf(value) else _flatten(value)[0]
            found += [(name + path, leaf) for path, leaf in flat]
        return found

    def _named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
        named = [(self._names.positional(i), arg) for i, arg in enumerate(args)]
        return named + [(self._names.keyword(name), value) for name, value in sorted(kwargs.items())]

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Signature:
        leaves: list[Leaf] = []
        structures: list[str] = []
        for name, value in self._named(args, kwargs):
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


def frame_signature(frame: Any, code: CodeType) -> Signature | None:
    """The signature of a frame that Dynamo compiles, from its local variables; None where it can't be read."""
    if frame is None:
        return None
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    found = frame.f_locals
    reader = TorchSignatureReader(None)
    return reader.read((), {name: found[name] for name in names if name in found})


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


class SymbolicSizeError(Exception):
    """A tensor has a size that is no number yet."""


def tensor_leaf(path: str, tensor: torch.Tensor) -> Leaf:
    """The type of a tensor: what TENSOR_MATCH guards compare (torch/csrc/dynamo/guards.cpp).

    Raises:
        SymbolicSizeError: if a size is a symbol.
    """
    kind = type(tensor)
    dtype = short_dtype(str(tensor.dtype))
    layout = None if tensor.layout is torch.strided else str(tensor.layout).removeprefix("torch.")
    if tensor.is_nested:
        # The sizes of its rows are symbols by nature, or can't be asked for.
        return StaticLeaf(path=path, type=kind.__qualname__, value=f"nested {dtype}[*] ({layout or 'strided'})")
    shape = tuple(tensor.shape)
    if any(type(size) is not int for size in shape):
        raise SymbolicSizeError
    stride: tuple[int, ...] | None = None
    if layout is None and not tensor.is_contiguous():
        stride = tuple(tensor.stride())
    return ArrayLeaf(
        path=path,
        dtype=dtype,
        shape=shape,
        stride=stride,
        layout=layout,
        device=None if tensor.device.type == "cpu" else str(tensor.device),
        requires_grad=bool(tensor.requires_grad),
        subclass=None if kind is torch.Tensor else kind.__qualname__,
        keys="inference" if tensor.is_inference() else None,
    )
