"""Watch everything that a program compiles, with no change to it.

A finder at the head of `sys.meta_path` lets each framework be imported as usual, and then replaces what the framework
offers its users (`jax.jit`, `torch.compile`, ...) by functions that call the original and watch what it returned. The
framework has bound its own uses of the originals by then; a replaced function that it calls later on looks at its
caller and stays out of the way. Nothing is imported that the program does not import.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from time import perf_counter
from types import FrameType, ModuleType
from typing import Any

from jitscope.capture import spans
from jitscope.capture.recorder import recorder
from jitscope.capture.watch import watch_if_compiled

_HOMES = {
    "jax": "jitscope.capture.frameworks.jax_autowatch",
    "torch": "jitscope.capture.frameworks.torch_autowatch",
}
"""By framework: the module whose ``install`` replaces its functions."""

_TIMED = ("torch._dynamo", "torch._inductor.compile_fx", "triton")
"""Large parts of theirs that are imported when something is compiled: how long that takes is recorded."""

_awaited: dict[str, Callable[[], object]] = {}
"""What to do when a module has been imported: `when_imported`."""

REPLACED = "__jitscope_replaced__"
"""Attribute of a replacement: the framework's own function."""


def install() -> _Finder:
    """From now on watch what is compiled; frameworks that were imported already are seen to at once.

    Returns the finder that does it, which is at the head of `sys.meta_path` the first time; again does nothing.
    """
    present = next((one for one in sys.meta_path if isinstance(one, _Finder)), None)
    if present is not None:
        return present
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    for name in _HOMES:
        if name in sys.modules:
            _imported(name)
    return finder


def installed() -> bool:
    """Whether `install` was called."""
    return any(isinstance(one, _Finder) for one in sys.meta_path)


def when_imported(name: str, then: Callable[[], object]) -> None:
    """Call ``then`` once the module ``name`` is there: later, if something imports it. Needs `install`."""
    if name in sys.modules:
        then()
    else:
        _awaited[name] = then


def compiled_before() -> list[str]:
    """Functions that the program jitted or compiled, and that are not watched: ``step (train.py:12)``.

    They are looked for among all objects that there are: tens of milliseconds, once a framework is there.
    """
    found: list[str] = []
    for name, home in _HOMES.items():
        if name in sys.modules:
            try:
                found += importlib.import_module(home).compiled_before()
            except Exception as error:
                recorder.internal_error(f"looking for functions of {name}", error)
    return sorted(set(found))


def _imported(name: str) -> None:
    """A framework has been imported."""
    try:
        importlib.import_module(_HOMES[name]).install()
    except Exception as error:
        recorder.internal_error(f"watching {name}", error)


class _Finder:
    """Finds the frameworks where they would have been found anyway, and has us told when they are imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a framework, or of a large part of it, with a loader that tells."""
        if name not in _HOMES and name not in _TIMED and name not in _awaited:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    """Loads a module as its own loader does, and tells that it is there."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """What the loader itself makes."""
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and then replace what it offers."""
        # The program sees the module with the loader that it would have had.
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        began = perf_counter()
        self._loader.exec_module(module)
        name = module.__name__
        if name in _HOMES or name in _TIMED:
            _timed(name, began)
        if name in _HOMES:
            _imported(name)
        if name in _awaited:
            _await_no_more(name)


def _await_no_more(name: str) -> None:
    """A module that somebody waits for has been imported."""
    try:
        _awaited.pop(name)()
    except Exception as error:
        recorder.internal_error(f"import of {name}", error)


def _timed(name: str, began: float) -> None:
    """The import of ``name`` is done."""
    try:
        seconds = perf_counter() - began
        spans.add(f"import {name}", began, seconds)
        recorder.started(f"import {name}", began, seconds)
    except Exception as error:
        recorder.internal_error(f"import of {name}", error)


def called_by(frame: FrameType | None, *packages: str) -> bool:
    """Whether ``frame`` is code of one of these packages, or jitscope's own."""
    name = frame.f_globals.get("__name__") if frame is not None else None
    return isinstance(name, str) and name.partition(".")[0] in (*packages, "jitscope")


def replacement(original: Callable[..., Any], new: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``new`` the name, documentation and signature of ``original``."""
    functools.update_wrapper(new, original)
    setattr(new, REPLACED, original)
    return new


def is_replaced(function: Any) -> bool:
    """Whether this is one of ours: a module that is loaded again has its own function back."""
    return hasattr(function, REPLACED)


def watching(decorator: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator that a framework makes of options alone, with its result watched."""

    @functools.wraps(decorator)
    def decorate(*args: Any, **kwargs: Any) -> Any:
        return watch_if_compiled(decorator(*args, **kwargs))

    return decorate
