"""Causes of compilations: one closed vocabulary for both frameworks."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

CauseKind = Literal[
    "first_compile",
    "shape",
    "rank",
    "dtype",
    "weak_type",
    "python_type",
    "static_value",
    "tree_structure",
    "argument_passing",
    "layout",
    "device",
    "sharding",
    "committed",
    "requires_grad",
    "aliasing",
    "shape_constraint",
    "new_function",
    "options",
    "captured_value",
    "module_attribute",
    "module_structure",
    "training_mode",
    "config",
    "nested_first",
    "graph_break",
    "backward",
    "cache_cleared",
    "cache_evicted",
    "recompile_limit",
    "unknown",
]
"""Every kind of cause. What does not fit is ``unknown`` with its evidence; nothing is dropped."""

CAUSE_KINDS: tuple[CauseKind, ...] = get_args(CauseKind)

Avoidable = Literal["yes", "no", "unknown"]


class Cause(msgspec.Struct, frozen=True):
    """One reason why a compilation was needed."""

    kind: CauseKind
    path: str | None = None
    """What changed: ``batch['x']``, ``jax_default_matmul_precision``; None where it has no name."""
    old: str | None = None
    """Before, in the field's notation, from the most recent signature that differs least."""
    new: str | None = None
    """Now, in the same notation."""
    evidence: str | None = None
    """The framework's own words, or None."""
    avoidable: Avoidable = "unknown"
