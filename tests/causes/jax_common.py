"""What the JAX situations share. Arrays are made without compiling anything.

Beside what `causes.situation` says, the truth for JAX follows these rules:

* A host value in place of a device array, or a Python number in place of a weak array, has an entry of its own in
  the dispatch cache and compiles nothing. So it is no cause: a Python float that becomes an array is a ``weak_type``,
  and one that becomes an integer is a ``dtype``. Booleans are never weak: ``dtype`` says it all.
* A new sharding or another device commits the array by itself: ``committed`` is said where nothing else changed.
* The program of a function under vmap or grad is a program of its own: its first compile is `FIRST`. JAX announces
  no trace there.
"""

from __future__ import annotations

import jax
import numpy as np
from jax.sharding import AxisType, Mesh

from causes.situation import corpus

situations, situation = corpus("jax")

RELOWERED = ("lower", "compile")
"""The trace was found in JAX's cache."""
RECOMPILED = ("compile",)
"""The lowered program was, too."""


def array(*shape, dtype=np.float32):
    """A jax array on the default device, uncommitted."""
    return jax.device_put(np.ones(shape, dtype))


def mesh(*axes, kind=AxisType.Auto):
    """A mesh over four devices: ``mesh("x")`` or, two by two, ``mesh("x", "y")``."""
    devices = np.array(jax.devices()[:4]).reshape((4,) if len(axes) == 1 else (2, 2))
    return Mesh(devices, axes, axis_types=(kind,) * len(axes))
