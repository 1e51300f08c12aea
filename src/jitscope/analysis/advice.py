"""What each kind of cause means, and whether it can be avoided: one row a kind. What to do is in `fixes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from jitscope.model.cause import Avoidable, Cause, CauseKind


class Advice(msgspec.Struct, frozen=True):
    """What is known about one kind of cause."""

    explanation: str
    """One sentence: why this compiles."""
    avoidable: Avoidable = "unknown"


ADVICE: Final[dict[CauseKind, Advice]] = {
    "first_compile": Advice("Nothing was compiled for this function before.", "no"),
    "shape": Advice("Compiled code is made for exact axis sizes, and a size changed."),
    "rank": Advice("The number of axes changed, and each rank is a program of its own."),
    "dtype": Advice("The element type changed, and each dtype is a program of its own."),
    "weak_type": Advice(
        "A Python number has a weak dtype, and a weak f32[] is another type for the cache than a plain one.", "yes"
    ),
    "python_type": Advice(
        "The Python type of an argument changed (a number instead of an array, another subclass, None).", "yes"
    ),
    "static_value": Advice("The argument is part of the cache key by value and type, so each new value compiles."),
    "tree_structure": Advice("The containers around the arguments changed: keys, lengths, types or metadata."),
    "argument_passing": Advice(
        "The same arguments were passed another way (by keyword, by position, or left to their default).", "yes"
    ),
    "layout": Advice("The memory layout of an array changed (strides, memory format)."),
    "device": Advice("The argument lives on another device."),
    "sharding": Advice("The argument is sharded another way over the devices."),
    "committed": Advice(
        "An array placed on a device explicitly is another type for the cache than one left to the default.", "yes"
    ),
    "requires_grad": Advice("Whether autograd tracks the argument is guarded: with and without are two programs."),
    "aliasing": Advice("Arguments that were separate tensors are now the same one, or the other way round."),
    "shape_constraint": Advice(
        "A dynamic size stands for a range (0 and 1 are special, as are branches on sizes), and this one left it."
    ),
    "new_function": Advice(
        "The cache belongs to the function object, and this is another one made from the same source.", "yes"
    ),
    "options": Advice("The function was compiled with other options."),
    "captured_value": Advice("A value that the function captures (a global, a closure's variable, a default) changed."),
    "module_attribute": Advice("An attribute of a module that the compiled code relies on changed."),
    "module_structure": Advice("A submodule or a parameter was replaced, added, removed, cast or frozen."),
    "training_mode": Advice("The module was switched between training and evaluation."),
    "config": Advice("A setting that is part of the cache key changed."),
    "nested_first": Advice(
        "It was compiled only as a part of another function so far; called directly, it is a program of its own.", "no"
    ),
    "graph_break": Advice(
        "Dynamo could not follow the function to its end: the rest is a function of its own, compiled for itself."
    ),
    "backward": Advice("The gradient of the function is a program of its own, compiled when it is first needed.", "no"),
    "cache_cleared": Advice("The compilation cache was emptied since this was last compiled.", "yes"),
    "cache_evicted": Advice("The cache dropped by itself what had been compiled for this call."),
    "recompile_limit": Advice("The framework gave up compiling this function: it had been compiled too often."),
    "unknown": Advice("jitscope found no difference that explains this; the framework's own words are the evidence."),
}


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
