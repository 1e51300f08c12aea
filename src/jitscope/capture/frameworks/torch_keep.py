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
    """Random states, buffers, plain attributes and training modes are as before when the block ends.

    Buffers are put back in place, so that compiled code which holds them stays valid.
    """

    def __init__(self, modules: Iterable[Any]) -> None:
        self._modules = list({id(inner): inner for one in modules for inner in one.modules()}.values())

    def __enter__(self) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(torch.random.fork_rng(devices=_devices()))
        self._random = random.getstate()
        numpy: Any = sys.modules.get("numpy")
        self._numpy = numpy.random.get_state() if numpy is not None else None
        self._buffers = [(one, buffer.detach().clone()) for one, buffer in self._all_buffers()]
        self._plain = [
            {name: value for name, value in vars(one).items() if isinstance(value, _PLAIN)} for one in self._modules
        ]

    def _all_buffers(self) -> Iterator[tuple[Any, Any]]:
        seen: set[int] = set()
        for module in self._modules:
            for buffer in module._buffers.values():
                if isinstance(buffer, torch.Tensor) and id(buffer) not in seen:
                    seen.add(id(buffer))
                    yield buffer, buffer

    def __exit__(self, *error: object) -> None:
        with torch.inference_mode(mode=False), torch.no_grad():
            for buffer, before in self._buffers:
                if not torch.equal(buffer, before):
                    buffer.copy_(before)
        for module, before in zip(self._modules, self._plain, strict=True):
            now = vars(module)
            for name, value in before.items():
                if name in now and now[name] is not value:
                    now[name] = value
        random.setstate(self._random)
        numpy: Any = sys.modules.get("numpy")
        if self._numpy is not None:
            numpy.random.set_state(self._numpy)
        self._stack.close()


def _devices() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_available() and torch.cuda.is_initialized() else []
