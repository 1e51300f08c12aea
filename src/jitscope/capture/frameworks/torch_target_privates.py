"""What `torch.compile` made, and the user's function or module inside of it.

`OptimizedModule`, ``_orig_mod``, ``_compiled_call_impl``, ``_torchdynamo_orig_callable``, ``_torchdynamo_inline``:
torch 2.11 and 2.13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jitscope.capture.frameworks import torch_privates as privates


@dataclass
class ModuleTarget:
    """The attribute of a compiled module that its calls go through."""

    module: Any
    attribute: str
    original: Any
    callable: Callable[..., Any]

    @property
    def forward(self) -> Any:
        """The user's ``forward``."""
        return type(self.original).forward

    @property
    def name(self) -> str:
        """The module's class."""
        return type(self.original).__qualname__

    @property
    def inline(self) -> Any:
        """What Dynamo inlines where it traces a call of the module."""
        return getattr(self.callable, "_torchdynamo_inline", self.callable)

    def install(self, watched: Callable[..., Any]) -> None:
        """Let the module's calls go through ``watched``."""
        setattr(self.module, self.attribute, watched)


def module_target(module: Any) -> ModuleTarget | None:
    """Where the calls of a compiled module can be watched, or None if it is not compiled."""
    if privates.optimized_module is not None and isinstance(module, privates.optimized_module):
        return ModuleTarget(module, "forward", module._orig_mod, module.forward)
    compiled = getattr(module, "_compiled_call_impl", None)
    return ModuleTarget(module, "_compiled_call_impl", module, compiled) if compiled is not None else None


def is_compiled(fn: Any) -> bool:
    """Whether ``fn`` is what `torch.compile` made of a function."""
    return hasattr(fn, "_torchdynamo_orig_callable")


def original_of(fn: Any) -> Any:
    """The user's function inside a compiled one."""
    return privates.innermost(fn)
