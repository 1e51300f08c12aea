"""JAX: why a program was compiled again.

JAX says which layers ran, and nothing of why: the causes are the differences between the call's cache key and that
of the most similar program compiled before. What can't have caused the layers that ran is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.advice import cause
from jitscope.analysis.compiled import Compiled, settings_changed
from jitscope.analysis.diff import diff_signatures
from jitscope.model.cause import Cause
from jitscope.model.events import FunctionEvent


def jax_causes(one: Compiled, earlier: Sequence[Compiled], base: Compiled | None) -> list[Cause]:
    """All causes of a compilation that is not the first of its program; empty where no difference is found.

    Args:
        one: the compilation.
        earlier: what was compiled before it for the same program, in order; not empty.
        base: the one among them that differs least (`compiled.nearest_compiled`).
    """
    causes: list[Cause] = []
    if all(other.owner != one.owner for other in earlier):
        # JAX's caches belong to the function object.
        causes += _object_causes(one, earlier[-1])
    if base is None:
        return causes
    if base.signature is not None and one.signature is not None:
        found = diff_signatures(base.signature, one.signature, framework="jax", defaults=one.function.defaults)
        # What is a static argument to one jit, and none to the other, is of another kind to each.
        static = any(each.kind == "options" and (each.path or "").startswith("static") for each in causes)
        causes += [each for each in found if not _harmless(each) and not (static and each.kind == "python_type")]
    causes += [
        cause("config", name, (base.settings or {}).get(name, "not set"), (one.settings or {}).get(name, "not set"))
        for name in settings_changed(base.settings, one.settings)
    ]
    if causes or base.signature is None or one.signature is None or base.settings is None or one.settings is None:
        return causes
    # The same function object was compiled for the very same call before.
    if one.event.cleared:
        return [cause("cache_cleared")]
    if "trace" not in one.event.layers and one.event.under is None:
        # The trace was still there, and what had been made of it was not: that cache is bounded.
        return [cause("cache_evicted")]
    return []


def _harmless(one: Cause) -> bool:
    """A host value (NumPy, a Python number) instead of a device array has a dispatch entry of its own, no program."""
    return one.kind == "python_type" and {one.old, one.new} <= _HOST_TYPES


_HOST_TYPES = {"jax.Array", "numpy", "bool", "int", "float", "complex", "ShapeDtypeStruct"}


def _object_causes(one: Compiled, before: Compiled) -> list[Cause]:
    function, other = one.function, before.function
    if function.options == other.options:
        where = f"{function.file.rsplit('/', 1)[-1]}:{function.line}"
        if one.event.maker is not None:
            where = f"{one.event.maker[0].rsplit('/', 1)[-1]}:{one.event.maker[1]}"
        name = function.name if one.event.maker is None else one.event.program
        return [cause("new_function", name, f"an earlier function object of {where}", "another one")]
    return option_causes(other, function)


def option_causes(before: FunctionEvent, after: FunctionEvent) -> list[Cause]:
    """The compile options in which two functions differ."""
    names = sorted(before.options.keys() | after.options.keys())
    return [
        cause("options", name, before.options.get(name, "default"), after.options.get(name, "default"))
        for name in names
        if before.options.get(name) != after.options.get(name)
    ]
