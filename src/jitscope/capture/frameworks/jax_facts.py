"""JAX for ``jitscope doctor``: versions, hooks, devices, the persistent cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from jitscope.capture.frameworks import jax_cache_privates
from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.capability import as_values


def _version() -> dict[str, Any]:
    import jaxlib

    return {"versions": {"jax": jax.__version__, "jaxlib": str(jaxlib.__version__)}, "location": jax.__file__}


def _caches() -> list[dict[str, Any]]:
    """Of `jax_compilation_cache_dir`; it is on where a folder is set and ``jax_enable_compilation_cache`` is."""
    folder = jax.config.jax_compilation_cache_dir
    enabled = bool(getattr(jax.config, "jax_enable_compilation_cache", True))
    least = getattr(jax.config, "jax_persistent_cache_min_compile_time_secs", None)
    detail = f"for compiles of {least:g} s and more" if least is not None else ""
    return [{"name": "jax", "on": bool(folder) and enabled, "path": folder, "detail": detail}]


def _devices() -> list[str]:
    """Kinds of devices. Starts a runtime."""
    kinds = [" ".join(dict.fromkeys((one.platform, one.device_kind))) for one in jax.local_devices()]
    return [f"{kind} x{kinds.count(kind)}" for kind in dict.fromkeys(kinds)]


PARTS: dict[str, Callable[[], Any]] = {
    "version": _version,
    "hooks": lambda: as_values((*privates.CAPABILITIES, *jax_cache_privates.CAPABILITIES)),
    "caches": _caches,
    "devices": _devices,
}
"""What can be asked, the surest first."""
