"""`jax.jit`, replaced for a program that knows nothing of jitscope.

Tried on jax 0.6.2 and 0.10.2. ``jax._src.api.jit`` is replaced too: `jax.jit` is pickled under that name. JAX's own
modules have bound the original by the time that ``import jax`` is done.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from typing import Any

import jax

from jitscope.capture.autowatch import REPLACED, called_by, is_replaced, replacement, watching
from jitscope.capture.frameworks.jax_adapter import is_jitted
from jitscope.capture.recorder import recorder
from jitscope.capture.watch import is_watched, jax_adapter, place_of, watch_if_compiled


def install() -> None:
    """Watch what the program jits from now on, and record what JAX compiles besides."""
    jax_adapter()
    # JAX registered its own clean-up when it was imported; what is registered later runs before it.
    atexit.register(recorder.remember_devices)
    original: Any = jax.jit
    if is_replaced(original):
        return

    def jit(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        if called_by(sys._getframe().f_back, "jax", "jaxlib"):
            return made
        if is_jitted(made):
            return watch_if_compiled(made)
        return watching(made)

    new = replacement(original, jit)
    jax.jit = new
    home = importlib.import_module("jax._src.api")
    if getattr(home, "jit", None) is original:
        home.jit = new  # type: ignore[attr-defined]


def compiled_before() -> list[str]:
    """The program's jitted functions that are not watched (the garbage collector knows them: jaxlib 0.4 to 0.12)."""
    kind = type(jax.jit.__dict__.get(REPLACED, jax.jit)(lambda: None))
    known = [one for one in gc.get_objects() if type(one) is kind and not is_watched(one)]
    return [place for one in known if (place := place_of(one, "jax", "jaxlib")) is not None]
