"""Putting back what a call made for warming has changed."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch

_PLAIN = (bool, int, float, str, type(None))
_TENSORS = (torch.Tensor, torch.nn.Parameter)
"""Not subclasses: to compare and copy a distributed one takes all processes."""


def modules_of(value: Any) -> Iterator[Any]:
    """The modules that ``value`` is, or that a function uses: in its closure, its globals, bound to it."""
    if isinstance(value, torch.nn.Module):
        yield value
        return
    if isinstance(value, partial):
        for part in (value.func, *value.args, *value.keywords.values()):
            yield from modules_of(part)
        return
    yield from _direct(getattr(value, "__self__", None))
    function = inspect.unwrap(getattr(value, "__func__", value)) if callable(value) else None
    code = getattr(function, "__code__", None)
    if code is None:
        return
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield from _direct(cell.cell_contents)
        except ValueError:  # empty
            continue
    known = getattr(function, "__globals__", {})
    for name in code.co_names:
        yield from _direct(known.get(name))


def _direct(value: Any) -> Iterator[Any]:
    if isinstance(value, torch.nn.Module):
        yield value


class Kept:
    """Random states, and what modules hold, are as before when the block ends.

    Of modules: buffers, attributes that are tensors, tuples or plain values, training modes and gradients. A tensor is
    the same object again with the same values, so that compiled code which holds it stays valid.
    """

    def __init__(self, modules: Iterable[Any]) -> None:
        self._modules = list({id(inner): inner for one in modules for inner in one.modules()}.values())

    def __enter__(self) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(torch.random.fork_rng(devices=_devices()))
        self._random = random.getstate()
        numpy: Any = sys.modules.get("numpy")
        self._numpy = numpy.random.get_state() if numpy is not None else None
        self._held = [(held, dict(held)) for one in self._modules for held in (vars(one), one._buffers)]
        parameters = [one for module in self._modules for one in module._parameters.values() if one is not None]
        self._gradients = [(one, one.grad) for one in parameters]
        found = [value for _, before in self._held for value in before.values()]
        found += [gradient for _, gradient in self._gradients]
        tensors = {id(one): one for one in found if type(one) in _TENSORS and not one.is_meta}
        self._contents = [(one, one.detach().clone()) for one in tensors.values()]

    def __exit__(self, *error: object) -> None:
        random.setstate(self._random)
        numpy: Any = sys.modules.get("numpy")
        if self._numpy is not None:
            numpy.random.set_state(self._numpy)
        self._stack.close()
        for held, before in self._held:
            for name in [name for name, value in held.items() if name not in before and _is_kept(value)]:
                del held[name]
            for name, value in before.items():
                if name in held and held[name] is not value and _is_kept(value):
                    held[name] = value
        for parameter, gradient in self._gradients:
            if parameter.grad is not gradient:
                parameter.grad = gradient
        for tensor, values in self._contents:
            with torch.inference_mode(mode=tensor.is_inference()), torch.no_grad():
                if not torch.equal(tensor, values):
                    tensor.copy_(values)


def _is_kept(value: Any) -> bool:
    return isinstance(value, (*_PLAIN, tuple, torch.Tensor))


def _devices() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_available() and torch.cuda.is_initialized() else []
