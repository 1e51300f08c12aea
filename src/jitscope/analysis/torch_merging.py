"""Causes from guards, put in order: what only follows from another is left out, what belongs together is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

import msgspec

from jitscope.analysis.guards import related
from jitscope.model.cause import Cause

GONE = "absent"
_MANY = 8
"""From how many changed parameters on they are told as the module that holds them."""


def without_followers(causes: list[Cause]) -> list[Cause]:
    """Leave out what only follows from another cause."""
    kinds = {one.kind for one in causes}
    if "config" in kinds:
        # Under autocast a tensor shows other dispatch keys: the setting is the cause.
        causes = [one for one in causes if not (one.kind == "unknown" and "dispatch keys" in (one.new or ""))]
    if any(one.kind == "config" and one.path == "grad_mode" for one in causes):
        # Inference mode switches the grad mode off as well; torch names that.
        causes = [one for one in causes if (one.kind, one.path) != ("config", "inference_mode")]
    told = [one.path for one in causes if one.new != GONE]
    # That an item is gone is told by a guard on its container, where there is one.
    causes = [one for one in causes if one.new != GONE or not any(related(one.path, path) for path in told)]
    layouts = {one.path for one in causes if one.kind == "layout"}
    # Which stride equals which size follows from the layout.
    causes = [
        one
        for one in causes
        if not (one.kind == "shape_constraint" and one.path in layouts and ".stride()" in (one.old or ""))
    ]
    aliases = {one.path for one in causes if one.kind in ("static_value", "python_type", "captured_value")}
    return [one for one in causes if not (one.kind == "aliasing" and _about(one, aliases))]


def _about(alias: Cause, changed: set[str | None]) -> bool:
    """Whether one side of an identity is a value that changed: then that is the news."""
    texts = (alias.path or "", (alias.old or "").partition(" as ")[2], (alias.old or "").partition(" than ")[2])
    return any(text and text in changed for text in texts)


def merged_causes(causes: Sequence[Cause]) -> list[Cause]:
    """Modules that were switched together, or whose parameters all changed, are told as the one that holds them."""
    merged = list(causes)
    roots = list(dict.fromkeys(_root(one) for one in causes))
    for root, (kind, least) in product(roots, (("training_mode", 2), ("module_structure", _MANY))):
        same = [one for one in merged if one.kind == kind and _root(one) == root]
        if len(same) < least:
            continue
        first = msgspec.structs.replace(same[0], path=common_path([one.path or "" for one in same]))
        if kind == "module_structure":
            first = msgspec.structs.replace(first, old=f"{len(same)} of its tensors: {first.old}")
        merged = [first if one is same[0] else one for one in merged if one is same[0] or one not in same]
    return merged


def _root(one: Cause) -> str:
    """The variable that a path starts with."""
    found = re.match(r"\w+", one.path or "")
    return found[0] if found is not None else ""


def common_path(paths: Sequence[str]) -> str:
    """The longest path that leads to all: ``["self.a.b", "self.a.c"]`` → ``self.a``."""
    steps = [re.findall(r"^\w+|\.\w+|\[[^\]]*\]", path) for path in paths]
    shared: list[str] = []
    for column in zip(*steps, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return "".join(shared) or paths[0]
