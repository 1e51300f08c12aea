"""The settings and contexts that are part of JAX's cache keys, by name, as texts.

JAX's own names where it tells them (``config.trace_context_names()``, 0.10 on). Before that, the public
``jax.config.values`` restricted to the settings known to be in a key: those declared with ``include_in_jit_key`` or
``include_in_trace_context`` in jax 0.6.2 to 0.12.0.1. A setting that is not among them (``jax_log_compiles``) may
change without a miss, and must not be blamed for one.
"""

from __future__ import annotations

from typing import Any

import jax

from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.frameworks.jax_signature import devices_text
from jitscope.model.notation import cut

_KEYED = [
    "jax_accurate_erf_inv",
    "jax_allow_f16_reductions",
    "jax_auto_pcast",
    "jax_check_static_indices",
    "jax_debug_key_reuse",
    "jax_default_device",
    "jax_default_matmul_precision",
    "jax_disable_jit",
    "jax_dynamic_shapes",
    "jax_embedded_constants_max_bytes",
    "jax_enable_pgle",
    "jax_enable_x64",
    "jax_error_checking_behavior_divide",
    "jax_error_checking_behavior_nan",
    "jax_error_checking_behavior_oob",
    "jax_explicit_x64_dtypes",
    "jax_high_dynamic_range_gumbel",
    "jax_hlo_source_file_canonicalization_regex",
    "jax_memory_fitting_level",
    "jax_mutable_array_checks",
    "jax_no_execution",
    "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion",
    "jax_optimization_level",
    "jax_pgle_profiling_runs",
    "jax_random_seed_offset",
    "jax_remove_size_one_mesh_axis_from_type",
    "jax_safer_randint",
    "jax_softmax_custom_jvp",
    "jax_threefry_gpu_kernel_lowering",
    "jax_threefry_partitionable",
    "jax_use_direct_linearize",
    "jax_use_shardy_partitioner",
    "jax_use_simplified_jaxpr_constants",
    "jax_xla_profile_version",
]

_USERS_NAMES = {
    "mesh_context_manager": "mesh",
    "abstract_mesh_context_manager": "mesh",
    "compute_on_context_manager": "compute_on",
    "xla_metadata_context_manager": "xla_metadata",
    "pallas_tpu_interpret_mode_context_manager": "pallas_tpu_interpret_mode",
}
"""What JAX calls a context inside, and what its user calls it."""

_NOT_ASKED = frozenset({"axis_env_state", "trace_state"})
"""Set by transformations: a call inside one is nested, and has no entry of its own."""


def settings_of(context: Any) -> dict[str, str]:
    """The settings with a value, by the name that the user sets them by.

    Args:
        context: what `jax_privates.trace_context` gave when the call began; settings that it does not name are read
            now.
    """
    names = privates.trace_context_names()
    found: dict[str, Any] = {}
    if names is not None and isinstance(context, tuple) and len(names) == len(context):
        found.update(zip(names, context, strict=True))
    else:
        found.update(privates.contexts())
    values = jax.config.values
    found |= {name: values[name] for name in _KEYED if name in values and name not in found}
    settings: dict[str, str] = {}
    for name, value in found.items():
        text = _text(value)
        if text is not None and name not in _NOT_ASKED:
            # `with mesh:` and `use_mesh` set one of two contexts: to the user both are the mesh.
            known = _USERS_NAMES.get(name, name)
            # One of the two knows the devices.
            settings[known] = max(settings.get(known, ""), text, key=len)
    return settings


def _text(value: Any) -> str | None:
    """A setting's value; None where nothing is set."""
    if value is None or value == ():
        return None
    shape: Any = getattr(value, "shape", None)
    if hasattr(value, "axis_names") and hasattr(shape, "items"):
        axes = ",".join(f"{name}:{size}" for name, size in shape.items())
        return f"({axes}){_axis_types(value)}{devices_text(value)}" if axes else None
    if isinstance(value, tuple) and all(hasattr(one, "axis_names") for one in value):
        return next((text for one in reversed(value) if (text := _text(one))), None)
    # An enumeration is set by its name: ``strict``.
    plain = getattr(value, "value", value)
    return cut(str(plain if isinstance(plain, str) else value))


def _axis_types(mesh: Any) -> str:
    kinds = {str(kind).rsplit(".", 1)[-1] for kind in getattr(mesh, "axis_types", None) or ()}
    return f" {'/'.join(sorted(kinds))}" if kinds - {"Auto"} else ""
