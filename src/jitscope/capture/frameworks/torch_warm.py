"""Warming a compiled function or module: it is called with zeros of each recorded signature, in the recorded order.

``torch.compile`` compiles when it is called, and only then (torch 2.13): the function really runs. What that changes
and can be found is put back: random states, buffers, plain attributes and the training mode of modules; gradients are
never left anywhere. What Dynamo compiles depends on what it compiled before, so the order is the recorded one: sizes
that turned out to be dynamic then turn out to be so again.
"""

from __future__ import annotations

import dataclasses
import os
import re
import types
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from time import perf_counter
from typing import Any, Self

import torch

from jitscope.capture.building import Builder, Classes
from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.signature_text import ArgumentNames
from jitscope.capture.frameworks.torch_keep import Kept, modules_of
from jitscope.capture.frameworks.torch_modes import MARKS, SAME, in_modes, modes_now, modes_of_leaves
from jitscope.capture.frameworks.torch_signature import STRUCTURE_LIMIT, TorchSignatureReader
from jitscope.capture.frameworks.torch_zeros import foreign_value, zeros_of
from jitscope.capture.warmth import Compare, Outcome
from jitscope.model.notation import cut, printable
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, StaticLeaf
from jitscope.model.specs import CallSpec, CannotRebuildError


class TorchWarmer:
    """Warms one compiled function or module."""

    def __init__(self, function: Any, arguments: Mapping[str, Any]) -> None:
        self.function = function
        bound: dict[int, Any] = {}
        keywords: dict[str, Any] = {}
        inner: Any = function
        if isinstance(inner, types.MethodType):
            inner, bound = inner.__func__, {0: inner.__self__}
        elif isinstance(inner, partial):
            bound, keywords, inner = dict(enumerate(inner.args)), dict(inner.keywords), inner.func
        self._called = inner
        self.module = module_of(function)
        original = self.module if self.module is not None else privates.innermost(inner)
        plain = type(original).forward.__get__(original) if self.module is not None else original
        self.names = ArgumentNames(plain)
        self._reader = TorchSignatureReader(plain)
        self.given: dict[str, Any] = {
            **{self.names.positional(n): value for n, value in bound.items()},
            **{self.names.keyword(name): value for name, value in keywords.items()},
            **arguments,
        }
        self.classes = Classes(getattr(plain, "__func__", plain))
        self._touched = [*modules_of(original), *(m for value in self.given.values() for m in modules_of(value))]

        self._plain = plain

    def module_names(self) -> tuple[str, ...]:
        """Names, in the function's module, of the modules whose state is put back; empty for the module itself."""
        found = [""] if self.module is not None else []
        function = getattr(self._plain, "__func__", self._plain)
        known = getattr(function, "__globals__", {})
        names = getattr(getattr(function, "__code__", None), "co_names", ()) if self.module is None else ()
        return (*found, *(name for name in names if isinstance(known.get(name), torch.nn.Module)))

    # -- one signature -----------------------------------------------------------------------------

    def check(self, signature: Signature, modes: Mapping[str, str], spec: CallSpec) -> Any:
        """The arguments for ``signature``, built and compared with it.

        Raises:
            CannotRebuildError: they can't be built, or are not what was recorded.
        """
        if modes.get("training") == "mixed" != modes_now(self.module).get("training"):
            raise CannotRebuildError(
                "", "compiled while some of its modules were training: set those so before warming"
            )
        same = {name.partition(" ")[2]: first for name, first in modes.items() if name.startswith(f"{SAME} ")}
        made: dict[str, Any] = {}

        def array(leaf: ArrayLeaf) -> Any:
            found = made.get(same.get(leaf.path, ""))
            made[leaf.path] = zeros_of(leaf) if found is None else found
            return made[leaf.path]

        builder = Builder(self.classes, self.given.__getitem__, array, foreign_value)
        with torch.no_grad():
            args, kwargs = builder.call(spec)
        self.compare(signature, args, kwargs)
        self._mark(modes, args, kwargs)
        passed = modes_of_leaves(self._reader.leaves(args, kwargs))
        for path, first in same.items():
            if passed.get(f"{SAME} {path}") != first:
                raise CannotRebuildError(path, f"was the same tensor as {printable(first)}")
        return args, kwargs

    def compare(self, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Whether these arguments have this signature.

        Raises:
            CannotRebuildError: they have another one.
        """
        read = self._reader.read(args, kwargs)
        if read is None:
            raise CannotRebuildError("", "has sizes that are symbols")
        Compare(signature, read).leaves(_seen)
        if read.structure_digest != signature.structure_digest and not _only_classes(signature, read):
            raise CannotRebuildError("", "its containers are of other types than in the recording")

    def _mark(self, modes: Mapping[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        marks = [(name.partition(" "), sizes) for name, sizes in modes.items() if name.partition(" ")[0] in MARKS]
        if not marks:
            return
        leaves = dict(self._reader.leaves(args, kwargs))
        for (mark, _, path), sizes in marks:
            tensor = leaves.get(path)
            if isinstance(tensor, torch.Tensor):
                for size in sizes.split(","):
                    getattr(torch._dynamo.decorators, mark)(tensor, int(size))

    def start(self, made: Any, modes: Mapping[str, str], *, backward: bool) -> Outcome:
        """Call it once, and its backward where one was compiled; everything is put back."""
        args, kwargs = made
        before = _records()
        begun = perf_counter()
        with _Compiles() as compiles:
            self._call(args, kwargs, modes, backward=backward)
        seconds = perf_counter() - begun
        fresh = _fresh(before)
        limited = next((one for one in fresh if privates.LIMIT_TEXT in str(getattr(one, "fail_reason", ""))), None)
        if limited is not None:
            return Outcome("eager", seconds, "Dynamo is at its recompile limit: it runs without compiled code")
        if not compiles.count:
            return Outcome("already", seconds)
        return Outcome("from_disk" if _from_disk(fresh) else "compiled", seconds)

    def again(self, made: Any, modes: Mapping[str, str], *, backward: bool) -> str | None:
        """What another such call compiles, by Dynamo's callbacks; None: nothing."""
        args, kwargs = made
        before = _records()
        with _Compiles() as compiles:
            self._call(args, kwargs, modes, backward=backward)
        if not compiles.count:
            return None
        reasons = [str(one.recompile_reason) for one in _fresh(before) if getattr(one, "recompile_reason", None)]
        return "torch compiled again" + (f": {cut(' '.join(reasons[0].splitlines()[0].split()))}" if reasons else "")

    def _call(self, args: Any, kwargs: Any, modes: Mapping[str, str], *, backward: bool) -> None:
        with Kept(self._touched), ExitStack() as stack:
            in_modes(stack, modes, self.module)
            result = self._called(*args, **kwargs)
            if backward:
                with torch.inference_mode(mode=False), torch.enable_grad():
                    run_backward(result)

    @staticmethod
    def default_jobs(processors: int) -> int:
        """Dynamo compiles under one lock; Inductor's own workers compile kernels in parallel."""
        return 1

    @staticmethod
    def disk_cache() -> str | None:
        """The folder of Inductor's caches, where the user set one: the default one can be emptied at any time."""
        return os.environ.get("TORCHINDUCTOR_CACHE_DIR") or None


def module_of(function: Any) -> Any:
    """The user's module inside a compiled one; None for a function."""
    if privates.optimized_module is not None and isinstance(function, privates.optimized_module):
        return function._orig_mod
    return function if isinstance(function, torch.nn.Module) else None


def run_backward(result: Any) -> None:
    """Compile the backward graph of what a compiled function returned; no ``.grad`` is touched."""
    outputs = [one for one in _tensors_in(result) if one.requires_grad and one.grad_fn]
    leaves = _inputs_of(outputs)
    if outputs and leaves:
        torch.autograd.grad(outputs, leaves, [torch.zeros_like(one) for one in outputs], allow_unused=True)


def _tensors_in(result: Any, depth: int = 3) -> Iterator[Any]:
    """Tensors in containers, and in the fields of dataclasses and other objects."""
    flatten = privates.tree_flatten_with_path
    for leaf in [leaf for _, leaf in flatten(result)[0]] if flatten is not None else [result]:
        if isinstance(leaf, torch.Tensor):
            yield leaf
        elif depth and not isinstance(leaf, (type, torch.nn.Module)) and not callable(leaf):
            fields = [field.name for field in dataclasses.fields(leaf)] if dataclasses.is_dataclass(leaf) else ()
            held = {name: getattr(leaf, name, None) for name in fields} | getattr(leaf, "__dict__", {})
            yield from _tensors_in(list(held.values()), depth - 1) if held else ()


def _inputs_of(outputs: list[Any]) -> list[Any]:
    """The tensors whose gradients a backward would leave in ``.grad``."""
    waiting = [one.grad_fn for one in outputs]
    seen: set[Any] = set()
    found: list[Any] = []
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, torch.Tensor):
            found.append(variable)
        waiting += [inner for inner, _ in node.next_functions]
    return found


def _seen(leaf: Leaf) -> object:
    if isinstance(leaf, StaticLeaf):
        return (leaf.type, leaf.value, leaf.digest)
    return (
        leaf.dtype, leaf.shape, leaf.stride, leaf.device, leaf.requires_grad,
        leaf.subclass, leaf.keys, leaf.layout, leaf.host,
    )  # fmt: skip


def _only_classes(recorded: Signature, read: Signature) -> bool:
    """Whether the structures are the same but for the modules of classes: ``__main__`` is another one elsewhere."""
    whole = len(recorded.structure) < STRUCTURE_LIMIT and len(read.structure) < STRUCTURE_LIMIT
    return whole and _MODULE.sub("<class '", recorded.structure) == _MODULE.sub("<class '", read.structure)


_MODULE = re.compile(r"<class '(?:\w+\.)+")


def _records() -> list[Any]:
    return list(privates.get_compilation_metrics()) if privates.get_compilation_metrics is not None else []


def _fresh(before: list[Any]) -> list[Any]:
    known = {id(one) for one in before}
    return [one for one in _records() if id(one) not in known]


def _from_disk(records: list[Any]) -> bool:
    def count(kind: str) -> int:
        caches = ("inductor_fx", "aotautograd")
        return sum(getattr(one, f"{cache}_local_cache_{kind}_count", None) or 0 for one in records for cache in caches)

    return bool(count("hit")) and not count("miss")


class _Compiles:
    """Counts the compiles that begin, by Dynamo's callbacks."""

    def __init__(self) -> None:
        self.count = 0

    def _started(self, *details: Any) -> None:
        self.count += 1

    def __enter__(self) -> Self:
        if privates.callback_handler is None:
            raise CannotRebuildError("", f"torch {torch.__version__} does not tell when it compiles")
        privates.callback_handler.register_start_callback(self._started)
        return self

    def __exit__(self, *error: object) -> None:
        privates.callback_handler.remove_start_callback(self._started)
