"""Entering the settings that a program was compiled under, through JAX's public contexts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import jax

from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.jax_context import settings_of
from jitscope.capture.frameworks.jax_types import device_named, devices_of
from jitscope.model.notation import printable
from jitscope.model.specs import CannotRebuildError

CONTEXTS = {
    "jax_enable_x64": "enable_x64",
    "jax_default_matmul_precision": "default_matmul_precision",
    "jax_numpy_dtype_promotion": "numpy_dtype_promotion",
    "jax_numpy_rank_promotion": "numpy_rank_promotion",
    "jax_threefry_partitionable": "threefry_partitionable",
    "jax_softmax_custom_jvp": "softmax_custom_jvp",
    "jax_debug_key_reuse": "debug_key_reuse",
    "jax_default_device": "default_device",
}
"""Settings that can be entered for a while, and what enters them: functions of ``jax`` (0.6.2 to 0.12.0.1)."""
_WORDS = {
    "jax_default_matmul_precision": None,
    "jax_numpy_dtype_promotion": ("standard", "strict"),
    "jax_numpy_rank_promotion": ("allow", "warn", "raise"),
}


def changed_settings(settings: Mapping[str, str] | None) -> dict[str, str | None]:
    """What is other now than it was then; the values are those of then.

    A setting that this JAX, or that of then, does not know is left out: it can't be told apart from its default.
    """
    if settings is None:
        return {}
    now = settings_of(privates.trace_context())
    names = [*settings, *(name for name in now if name not in settings)]
    return {
        name: settings.get(name)
        for name in names
        if settings.get(name) != now.get(name) and (name in CONTEXTS or _known(name, settings, now))
    }


def _known(name: str, then: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Meshes and the like are there where they are set; a value of the configuration is always there."""
    return (name in then and name in now) or not (name.startswith("jax_") or name in _NOT_PREFIXED)


_NOT_PREFIXED = frozenset({"check_vma", "eager_constant_folding"})


def as_recorded(stack: ExitStack, settings: Mapping[str, str] | None) -> None:
    """Enter, for as long as ``stack`` is open, what is other now than it was then.

    Raises:
        CannotRebuildError: it can't be entered from its text: a mesh, a setting without a context.
    """
    for name, text in changed_settings(settings).items():
        stack.enter_context(_entered(name, text))


def _entered(name: str, text: str | None) -> AbstractContextManager[Any]:
    shown = printable(text) if text is not None else "not set"
    if name not in CONTEXTS:
        hint = "call jitscope.warm inside of the same" if name == "mesh" else "set it before warming"
        raise CannotRebuildError("", f"compiled under {printable(name)}={shown}: {hint}")
    enter: Callable[[Any], AbstractContextManager[Any]] | None = getattr(jax, CONTEXTS[name], None)
    if enter is None and name == "jax_enable_x64":  # jax.enable_x64 is there from 0.8 on, and this warns then
        enter = jax.experimental.enable_x64
    if enter is None:
        raise CannotRebuildError("", f"compiled under {name}={shown}: this JAX has no context for it")
    return enter(_value(name, text))


def _value(name: str, text: str | None) -> Any:
    if name == "jax_default_device":
        if text is None or (text.isidentifier() and devices_of(text)):
            return text  # a platform is another key than its first device
        found = device_named(text)
        if found is None:
            raise CannotRebuildError("", f"compiled under {name}={printable(text)}: there is no such device")
        return found
    if name in _WORDS:
        known = _WORDS[name]
        if text is not None and not (text in known if known is not None else text.isidentifier()):
            raise CannotRebuildError("", f"compiled under {name}={printable(text)}, which is not known here")
        return text
    if text not in ("True", "False"):
        raise CannotRebuildError("", f"compiled under {name}={printable(text or 'not set')}: set it before warming")
    return text == "True"
