"""Seconds spent inside jitscope while a framework compiles: in its hooks, and in what its wrapper calls."""

from __future__ import annotations

import sys
from time import perf_counter
from types import FrameType
from typing import Any

HOOKS = {
    "jax": ("_announce", "_on_duration", "_on_scalar", "_on_event", "_on_fast_path", "_on_clear_caches"),
    "torch": ("_on_compile", "_on_code", "_on_start", "_on_end", "_on_dispatch_mode", "_on_stance"),
}
"""By framework: what its adapter has the framework call."""


class OwnTime:
    """A clock that runs while jitscope does; nested calls are counted once. Make it before anything is watched."""

    def __init__(self, framework: str) -> None:
        self.seconds = 0.0
        self._depth = 0
        if framework == "jax":
            from jitscope.capture.frameworks.jax_adapter import JaxAdapter as Adapter
        else:
            from jitscope.capture.frameworks.torch_adapter import TorchAdapter as Adapter  # type: ignore[assignment]
        from jitscope.capture.book import Book

        for name in HOOKS[framework]:
            self._time(Adapter, name)
        for name in ("enter", "settle", "failed", "log_is_full"):
            self._time(Book, name)
        for name, module in tuple(sys.modules.items()):
            if name.startswith("jitscope.capture") and getattr(module, "sys", None) is sys:
                module.sys = _Sys()  # type: ignore[attr-defined]

    def _time(self, holder: type, name: str) -> None:
        inner = getattr(holder, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            start = perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds += perf_counter() - start

        setattr(holder, name, timed)


class _Sys:
    """`sys` as jitscope sees it meanwhile: it counts frames, and those of the clock must not be among them."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    def _getframe(self, depth: int = 0) -> FrameType:
        frame = sys._getframe(1)
        while depth or frame.f_code.co_filename == __file__:
            depth -= frame.f_code.co_filename != __file__
            assert frame.f_back is not None
            frame = frame.f_back
        return frame
