"""JAX: why a program was compiled again.

JAX says which layers ran, and nothing of why: the causes are the differences between the call's cache key and that
of the most similar program compiled before. What can't have caused the layers that ran is left out.
"""

from __future__ import annotations

import msgspec

from jitscope.analysis.advice import cause
from jitscope.analysis.compiled import Compiled, settings_changed
from jitscope.analysis.diff import diff_signatures, options_changed
from jitscope.analysis.earlier import Earlier
from jitscope.model.cause import Cause
from jitscope.model.events import FunctionEvent
from jitscope.model.signature import Signature, StaticLeaf


def jax_causes(one: Compiled, earlier: Earlier, base: Compiled | None) -> list[Cause]:
    """All causes of a compilation that is not the first of its program; empty where no difference is found.

    Args:
        one: the compilation.
        earlier: what was compiled before it for the same program, in order; not empty.
        base: the one among them that differs least (`compiled.nearest_compiled`).
    """
    causes: list[Cause] = []
    if not earlier.has_owner(one):
        # JAX's caches belong to the function object.
        causes += _object_causes(one, base or earlier[-1])
    if base is None:
        return causes
    if base.signature is not None and one.signature is not None:
        found = diff_signatures(base.signature, one.signature, framework="jax", defaults=one.function.defaults)
        # What is a static argument to one jit, and none to the other, is of another kind to each.
        static = any(each.kind == "options" and (each.path or "").startswith("static") for each in (*causes, *found))
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
    if base.signature.partial or one.signature.partial:
        known = f"compared with compilation {base.event.id}: the types of the program's arguments and the settings"
        return [cause("unknown", evidence=f"{known} are the same; how it was called is not known")]
    if "trace" not in one.event.layers and one.event.under is None:
        # The trace was still there, and what had been made of it was not: that cache is bounded.
        return [cause("cache_evicted")]
    # A class may give values that differ one hash: then what they print can still tell them apart.
    return list(diff_signatures(_by_text(base.signature), _by_text(one.signature), defaults=one.function.defaults))


def _by_text(signature: Signature) -> Signature:
    """Without tokens: texts are compared."""
    return msgspec.structs.replace(
        signature,
        leaves=tuple(
            msgspec.structs.replace(leaf, token=None) if isinstance(leaf, StaticLeaf) else leaf
            for leaf in signature.leaves
        ),
        nodes=tuple(msgspec.structs.replace(node, token=None, tokens=()) for node in signature.nodes),
    )


def _harmless(one: Cause) -> bool:
    """A host value (NumPy, a Python number) instead of a device array has a dispatch entry of its own, no program."""
    return one.kind == "python_type" and {one.old, one.new} <= _HOST_TYPES


_HOST_TYPES = {"jax.Array", "numpy", "bool", "int", "float", "complex", "ShapeDtypeStruct"}


def _object_causes(one: Compiled, before: Compiled) -> list[Cause]:
    function, other = one.function, before.function
    causes = option_causes(other, function)
    if one.body != before.body and (not causes or (function.body and other.body)):
        where = f"{function.file.rsplit('/', 1)[-1]}:{function.line}"
        if one.event.maker is not None:
            where = f"{one.event.maker[0].rsplit('/', 1)[-1]}:{one.event.maker[1]}"
        name = function.name if one.event.maker is None else one.event.program
        causes.insert(0, cause("new_function", name, f"an earlier function object of {where}", "another one"))
    return causes


def option_causes(before: FunctionEvent, after: FunctionEvent) -> list[Cause]:
    """The compile options in which two functions differ."""
    return options_changed(before.options, after.options)
