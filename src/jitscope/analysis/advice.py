"""What each kind of cause means, whether it can be avoided, and how: one table, one row a kind.

Templates are filled with the user's own names: ``{function}``, ``{path}``, ``{old}``, ``{new}``, ``{axes}``
(axes whose sizes differ), ``{axis}`` (the first of them) and ``{dtype}`` (the dtype before, spelled out).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from jitscope.model.cause import Avoidable, Cause, CauseKind
from jitscope.model.events import FunctionEvent
from jitscope.model.notation import cut


class Advice(msgspec.Struct, frozen=True):
    """What is known about one kind of cause."""

    explanation: str
    """One sentence: why this compiles."""
    fix: str
    """Template of one sentence: what to do."""
    torch: str | None = None
    """Template for torch, where it differs."""
    avoidable: Avoidable = "unknown"


ADVICE: Final[dict[CauseKind, Advice]] = {
    "first_compile": Advice(
        "Nothing was compiled for this function before.",
        "Expected once; keep the persistent compilation cache on so that later runs of {function} start from disk",
        avoidable="no",
    ),
    "shape": Advice(
        "Compiled code is made for exact axis sizes, and a size changed.",
        "Pad or bucket {axes} of {path} to a few fixed sizes before calling {function} ({old} → {new})",
        "Mark {axes} of {path} as dynamic before the first call of {function}: "
        "torch._dynamo.mark_dynamic({path}, {axis}), or compile it with dynamic=True ({old} → {new})",
    ),
    "rank": Advice(
        "The number of axes changed, and each rank is a program of its own.",
        "Pass {path} to {function} with one number of axes always; reshape it before the call ({old} → {new})",
    ),
    "dtype": Advice(
        "The element type changed, and each dtype is a program of its own.",
        "Cast {path} to one dtype before calling {function} ({old} → {new})",
    ),
    "weak_type": Advice(
        "The dtype of a value made from a Python scalar is weak, and a weak dtype is another type for the cache.",
        "Give {path} an explicit dtype where it is first made, e.g. jnp.asarray(…, dtype={dtype!r}), "
        "so that {function} sees one type ({old} → {new})",
        "Give {path} an explicit dtype where it is first made, so that {function} sees one type ({old} → {new})",
        avoidable="yes",
    ),
    "python_type": Advice(
        "The Python type of an argument changed (a number instead of an array, another subclass, None).",
        "Pass {path} to {function} always as the same Python type ({old} → {new})",
        avoidable="yes",
    ),
    "static_value": Advice(
        "A static argument enters the cache key by value, so each new value compiles.",
        "Take {path} out of the static arguments of {function} if only its value matters, "
        "or keep it to a few values ({old} → {new})",
        "Pass {path} to {function} as a tensor if only its value matters, or keep it to a few values ({old} → {new})",
    ),
    "tree_structure": Advice(
        "The containers around the arguments changed: keys, lengths, types or metadata.",
        "Pass {path} to {function} with the same keys and lengths in every call ({old} → {new})",
    ),
    "argument_passing": Advice(
        "The same arguments were passed another way (by keyword, by position, or left to their default).",
        "Pass {path} the same way in every call of {function} ({old} → {new})",
        avoidable="yes",
    ),
    "layout": Advice(
        "The memory layout of an array changed (strides, memory format).",
        "Give {path} one memory layout before calling {function} ({old} → {new})",
        "Call .contiguous() on {path}, or keep one memory format, before calling {function} ({old} → {new})",
    ),
    "device": Advice(
        "The argument lives on another device.",
        "Keep {path} on one device before calling {function} ({old} → {new})",
    ),
    "sharding": Advice(
        "The argument is sharded another way over the devices.",
        "Place {path} with one sharding before calling {function}, e.g. by jax.device_put ({old} → {new})",
    ),
    "committed": Advice(
        "An array placed on a device explicitly is another type for the cache than one left to the default.",
        "Place {path} the same way in every call of {function}: always by jax.device_put with a device, "
        "or never ({old} → {new})",
        avoidable="yes",
    ),
    "requires_grad": Advice(
        "Whether autograd tracks the argument changed.",
        "Call {function} with requires_grad of {path} the same in every call, or detach it ({old} → {new})",
    ),
    "aliasing": Advice(
        "Arguments that were separate are now the same object, or the other way round.",
        "Pass separate arrays for {path} to {function}, or the same one, in every call ({old} → {new})",
    ),
    "shape_constraint": Advice(
        "A size left the range that the compiled code was made for (0 and 1 are special, as are branches on sizes).",
        "Keep the sizes of {path} in one range for {function} ({old} → {new})",
    ),
    "new_function": Advice(
        "Another function object made from the same source: the cache belongs to the object.",
        "Make {function} once, outside the loop or function that makes it now, and pass what changes as an argument",
    ),
    "options": Advice(
        "The function was compiled with other options.",
        "Compile {function} with the same {path} everywhere ({old} → {new})",
    ),
    "captured_value": Advice(
        "A value that the function captures (a global, a closure's variable, a default) changed.",
        "Pass {path} to {function} as an argument instead of capturing it ({old} → {new})",
    ),
    "module_attribute": Advice(
        "An attribute of a module that the compiled code relies on changed.",
        "Keep {path} constant, or make it a tensor buffer, so that {function} need not be compiled again "
        "({old} → {new})",
    ),
    "module_structure": Advice(
        "A submodule or a parameter was replaced, added, removed or frozen.",
        "Change {path} before compiling {function}, and update parameters in place afterwards ({old} → {new})",
    ),
    "training_mode": Advice(
        "The module was switched between training and evaluation.",
        "One compilation a mode is needed; avoid switching {function} for a single call ({old} → {new})",
    ),
    "config": Advice(
        "A setting that is part of the cache key changed.",
        "Set {path} once, before the first call of {function} ({old} → {new})",
    ),
    "nested_first": Advice(
        "The function was only compiled as a part of another one so far, and is now called directly.",
        "Expected once; call {function} either directly or inside the other function",
    ),
    "graph_break": Advice(
        "Dynamo could not follow the function to its end: the rest is a function of its own, compiled for itself.",
        "Remove the graph break in {function} (torch.compile(..., fullgraph=True) names it), to compile one graph",
        avoidable="no",
    ),
    "backward": Advice(
        "The gradient of the function is a program of its own, compiled when it is first needed.",
        "Expected once; it is compiled again when the forward of {function} is",
        avoidable="no",
    ),
    "cache_cleared": Advice(
        "The compilation cache was cleared.",
        "Do not clear the caches while {function} is in use",
    ),
    "cache_evicted": Advice(
        "The cache was full, and dropped what had been compiled.",
        "Call {function} with fewer distinct signatures, or raise the cache's limit",
    ),
    "recompile_limit": Advice(
        "The framework gave up compiling this function: it had been compiled too often.",
        "Reduce what changes between calls of {function}, or raise torch._dynamo.config.recompile_limit; "
        "until then new signatures run without compiled code",
    ),
    "unknown": Advice(
        "jitscope found no difference that explains this; the framework's own words are in the evidence.",
        "Look at the evidence in the JSON report of {function}",
    ),
}

_NO_FIX: Final[frozenset[CauseKind]] = frozenset({"first_compile", "backward", "nested_first", "unknown"})

_PRIORITY: Final[tuple[CauseKind, ...]] = (
    "recompile_limit", "new_function", "options", "cache_cleared", "argument_passing", "tree_structure", "static_value",
    "rank", "dtype", "shape", "weak_type", "sharding", "device", "committed", "layout", "requires_grad", "python_type",
    "graph_break",
)  # fmt: skip
"""Which cause the fix speaks of where there are several: the one that the others tend to follow from."""

_DTYPES: Final = (("bf", "bfloat"), ("f", "float"), ("i", "int"), ("u", "uint"), ("c", "complex"))
_TYPE = re.compile(r"^(\w+)\[([\d,]*)\]")


def cause(
    kind: CauseKind,
    path: str | None = None,
    old: str | None = None,
    new: str | None = None,
    evidence: str | None = None,
) -> Cause:
    """A cause, with `avoidable` from the table."""
    return Cause(kind, path, old, new, evidence, ADVICE[kind].avoidable)


def avoidable(causes: Sequence[Cause]) -> bool:
    """Whether a compilation with these causes need not have happened: all of them are avoidable."""
    return bool(causes) and all(one.avoidable == "yes" for one in causes)


def fix_for(causes: Sequence[Cause], function: FunctionEvent) -> str | None:
    """One sentence on how to avoid this compilation, in the user's own names; None where nothing is to be done."""
    candidates = [one for one in causes if one.kind not in _NO_FIX]
    if not candidates:
        return None
    rank = {kind: position for position, kind in enumerate(_PRIORITY)}
    main = min(candidates, key=lambda one: rank.get(one.kind, len(rank)))
    advice = ADVICE[main.kind]
    template = advice.torch if function.framework == "torch" and advice.torch else advice.fix
    axes = changed_axes(main.old, main.new)
    text = template.format(
        function=function.name,
        path=main.path or "the arguments",
        old="absent" if main.old is None else cut(main.old, 80),
        new="absent" if main.new is None else cut(main.new, 80),
        axes=_axes_text(axes),
        axis=axes[0] if axes else 0,
        dtype=_long_dtype(main.old, main.new),
    )
    more = len({one.path for one in candidates if one.kind == main.kind} - {main.path})
    return f"{text}; the same for {more} more" if more else text


def changed_axes(old: str | None, new: str | None) -> tuple[int, ...]:
    """Axes whose sizes differ between two types as text: ``("f32[4,8]", "f32[5,8]")`` → ``(0,)``."""
    before, after = (_TYPE.match(text or "") for text in (old, new))
    if before is None or after is None:
        return ()
    pairs = zip(before[2].split(","), after[2].split(","), strict=False)
    return tuple(axis for axis, (one, other) in enumerate(pairs) if one != other)


def _axes_text(axes: tuple[int, ...]) -> str:
    if not axes:
        return "the sizes"
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"


def _long_dtype(old: str | None, new: str | None) -> str:
    """The dtype to settle on, spelled out: that of the text without a weak type."""
    for text in (new, old):
        match = _TYPE.match(text or "")
        if match and "weak_type" not in (text or ""):
            short = match[1]
            for prefix, long in _DTYPES:
                if re.fullmatch(rf"{prefix}\d+", short):
                    return long + short.removeprefix(prefix)
            return short
    return "float32"
