"""What to do about a cause, in the user's own names: one sentence, tried on the versions that jitscope supports.

`FIXES` holds templates by kind, filled with ``{function}``, ``{path}``, ``{old}``, ``{new}``, ``{axes}`` (axes whose
sizes differ), ``{axis}`` (the first of them), ``{dtype}`` (the dtype to settle on, spelled out) and ``{maker}`` (the
function in whose body the compiled one is made). Of several templates the first counts whose condition holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from jitscope.model.cause import Cause, CauseKind
from jitscope.model.events import Framework, FunctionEvent
from jitscope.model.notation import cut

Holds = Callable[[Cause, FunctionEvent], bool]


class Fix(msgspec.Struct, frozen=True):
    """One template, and when it applies."""

    template: str
    framework: Framework | None = None
    """Only for this framework; None: for each."""
    holds: Holds | None = None
    """Only for causes like this; None: for all."""


def _old(pattern: str) -> Holds:
    return lambda one, _: re.search(pattern, one.old or "") is not None


def _new(pattern: str) -> Holds:
    return lambda one, _: re.search(pattern, one.new or "") is not None


def _path(pattern: str) -> Holds:
    return lambda one, _: re.search(pattern, one.path or "") is not None


def _either(pattern: str) -> Holds:
    return lambda one, _: any(re.search(pattern, text or "") for text in (one.old, one.new))


def _made_in(_: Cause, function: FunctionEvent) -> bool:
    return function.maker is not None


_NUMBER = r"^-?[\d.]+(?:e[+-]?\d+)?(?: \(\w+\))?$"

FIXES: Final[dict[CauseKind, tuple[Fix, ...]]] = {
    "first_compile": (),
    "shape": (
        Fix(
            "Mark {axes} of {path} as dynamic before the first call of {function}: "
            "torch._dynamo.mark_dynamic({path}, {axis}), or compile it with dynamic=True",
            "torch",
        ),
        Fix("Pad {axes} of {path} to a few fixed sizes before calling {function}, and pass the real size along"),
    ),
    "rank": (Fix("Give {path} the axes of {old} in every call of {function}: reshape it before the call"),),
    "dtype": (
        Fix("Pass {path} to {function} as a {dtype} in every call", holds=_either(r"^\w+\[\]$")),
        Fix("Cast {path} where it is made: {path}.to(torch.{dtype}), before calling {function}", "torch"),
        Fix("Cast {path} where it is made: {path}.astype(jnp.{dtype}), before calling {function}"),
    ),
    "weak_type": (
        Fix(
            "Start {path} as jnp.{dtype}(…) instead of a Python number, before the first call of {function}",
            holds=_either(r"^\w+\[\]\{weak_type\}"),
        ),
        Fix("Make {path} with an explicit dtype, jnp.asarray(…, dtype=jnp.{dtype}), before calling {function}"),
    ),
    "python_type": (
        Fix("Pass an array for {path} in every call of {function} (all ones, say, for none)", holds=_either("^None")),
        Fix("Start {path} as torch.tensor({old}) before the first call of {function}", "torch", _old(_NUMBER)),
        Fix("Pass {path} to {function} always as the same Python type"),
    ),
    "static_value": (
        Fix(
            "Give the class of {path} __eq__ and __hash__, or pass the same object to {function}",
            "jax",
            _new("another"),
        ),
        Fix("Pass the same function for {path} in every call of {function}", None, _either("^<function|^<built-in")),
        Fix(
            "Take {path} out of the static arguments of {function} if only its value matters, or use few",
            "jax",
        ),
        Fix(
            "Pass {path} to {function} as a tensor if only its value matters; loops and branches on it compile each",
            "torch",
            _old(_NUMBER),
        ),
        Fix("Keep {path} to a few values, or compile one function for each"),
    ),
    "tree_structure": (
        Fix(
            "Pass {path} in every call of {function}, filled with a neutral value where there is none",
            holds=lambda one, _: (one.old is None) != (one.new is None) and not (one.path or "").endswith("]"),
        ),
        Fix(
            "Stack what {path} belongs to into one array of fixed length before calling {function}",
            holds=_path(r"\[\d+\]$"),
        ),
        Fix("Pass {path} with the same keys, types and metadata in every call of {function}; make such objects once"),
    ),
    "argument_passing": (
        Fix("Give {path} in every call of {function}, or in none", holds=_either("default")),
        Fix("Pass {path} the same way in every call of {function}, always by keyword or always by position"),
    ),
    "layout": (
        Fix("Call {path}.contiguous() before calling {function}, or move what transposes it into {function}", "torch"),
        Fix("Give {path} the same layout (jax.device_put with a Format) before calling {function}"),
    ),
    "device": (
        Fix("Move {path} to one device where it is made, before calling {function}", "torch"),
        Fix("Place {path} with jax.device_put({path}, device), always the same device, before calling {function}"),
    ),
    "sharding": (
        Fix(
            "Place {path} as {new} before the first call of {function}: jax.device_put({path}, NamedSharding(mesh, …))"
        ),
    ),
    "committed": (
        Fix(
            "Place {path} with a device before the first call of {function}: jax.device_put({path}, device), "
            "or never place it"
        ),
    ),
    "requires_grad": (
        Fix(
            "Make {path} outside torch.inference_mode(), or clone it there, before {function}",
            None,
            _either("inference"),
        ),
        Fix("Detach {path} before calling {function} if no gradient goes through it, or start with requires_grad=True"),
    ),
    "aliasing": (
        Fix("Pass {path} as another tensor than its twin ({path}.clone()) in every call of {function}, or in none"),
    ),
    "shape_constraint": (
        Fix(
            "Pad {path} to at least 2 along that axis, or call torch._dynamo.decorators.mark_unbacked({path}, {axis}) "
            "before the first call of {function}",
            holds=_old(r"^2 <= [^<]+?(?:, from .*)?$"),
        ),
        Fix(
            "Make the first call of {function} with different sizes: equal ones are taken to belong together",
            holds=_old(r"size\(\)\[\d+\] == \w.*size\(\)"),
        ),
        Fix("Take the branch on the size of {path} out of {function}, or keep its sizes in one range"),
    ),
    "new_function": (
        Fix(
            "Hoist the compilation of {function} out of {maker}(), and pass what it captures as arguments",
            None,
            _made_in,
        ),
        Fix("Make {function} once, outside the loop or function that makes it now"),
    ),
    "options": (
        Fix("Pass the same backend object to torch.compile for {function} everywhere", "torch", _path("^backend$")),
        Fix("Compile {function} with the same {path} everywhere"),
    ),
    "captured_value": (
        Fix("Pass {path} to {function} as a tensor argument instead of capturing it", None, _old(_NUMBER)),
        Fix("Pass {path} to {function} as an argument, or set it before the first call and leave it"),
    ),
    "module_attribute": (
        Fix(
            "Register {path} as a buffer (a tensor), or set torch._dynamo.config.allow_unspec_int_on_nn_module = True "
            "before the first call of {function}",
            holds=_old(r"^-?\d+$"),
        ),
        Fix("Set {path} before the first call of {function} and leave it, or register it as a buffer"),
    ),
    "module_structure": (
        Fix("Change {path} before the first call of {function}; afterwards copy into it, as load_state_dict does"),
    ),
    "training_mode": (
        Fix(
            "Switch {path} before the first call of {function}; for a single call in the other mode use the uncompiled "
            "module"
        ),
    ),
    "config": (
        Fix("Enter one mesh around every call of {function}", "jax", _path("^mesh$")),
        Fix(
            "Set {path} once, before the first call of {function}: jax.config.update({path!r}, …)",
            "jax",
            _path("^jax_"),
        ),
        Fix(
            "Call {function} for the first time under the grad mode that it is used in",
            "torch",
            _path("grad_mode|inference"),
        ),
        Fix("Use torch.autocast inside {function}, or around every call of it", "torch", _path("autocast")),
        Fix("Set {path} before the first call of {function}, and leave it"),
    ),
    "nested_first": (),
    "graph_break": (
        Fix(
            "Remove the graph break in {function}: torch.compile(..., fullgraph=True) names the line; do outside what "
            "it prints or reads there"
        ),
    ),
    "backward": (),
    "cache_cleared": (
        Fix(
            "Take torch.compiler.reset() (torch._dynamo.explain resets too) out from between the calls of {function}",
            "torch",
        ),
        Fix("Take jax.clear_caches() or clear_cache() out from between the calls of {function}"),
    ),
    "cache_evicted": (
        Fix(
            "Keep alive what {function} is called with by identity (classes, functions): its entry went with it",
            "torch",
        ),
        Fix("Compile fewer programs in this process than the cache around {function} holds (2048)"),
    ),
    "recompile_limit": (
        Fix(
            "Fix what changes between the calls of {function} first; if each entry is needed, raise "
            "torch._dynamo.config.recompile_limit before the first call"
        ),
    ),
    "unknown": (),
}

_PRIORITY: Final[tuple[CauseKind, ...]] = (
    "recompile_limit", "new_function", "options", "cache_cleared", "config", "argument_passing", "tree_structure",
    "static_value", "captured_value", "module_structure", "module_attribute", "training_mode", "python_type", "rank",
    "dtype", "shape", "shape_constraint", "weak_type", "layout", "sharding", "device", "committed", "requires_grad",
    "aliasing", "graph_break", "cache_evicted", "nested_first", "backward", "unknown", "first_compile",
)  # fmt: skip
"""Which of several causes is told first: the one that the others tend to follow from."""
_RANK: Final = {kind: position for position, kind in enumerate(_PRIORITY)}

_DTYPES: Final = (("bf", "bfloat"), ("f", "float"), ("i", "int"), ("u", "uint"), ("c", "complex"))
_TYPE = re.compile(r"^(\w+)\[([\d,$]*)\]")
_SIZE = re.compile(r"\.size\(\)\[(\d+)\]")


def main_cause(causes: Sequence[Cause]) -> Cause:
    """The cause to tell first; ``causes`` is not empty."""
    return causes[0] if len(causes) == 1 else min(causes, key=lambda one: _RANK[one.kind])


def fix_for(causes: Sequence[Cause], function: FunctionEvent) -> str | None:
    """One sentence on how to avoid this compilation, in the user's own names; None where nothing is to be done."""
    candidates = [one for one in causes if FIXES[one.kind]]
    if not candidates:
        return None
    main = main_cause(candidates)
    template = next(
        (
            fix.template
            for fix in FIXES[main.kind]
            if fix.framework in (None, function.framework) and (fix.holds is None or fix.holds(main, function))
        ),
        None,
    )
    if template is None:
        return None
    axes = changed_axes(main.old, main.new)
    text = template.format(
        function=function.name.rpartition("<locals>.")[2],
        path=main.path or "the arguments",
        old="absent" if main.old is None else cut(main.old, 80),
        new="absent" if main.new is None else cut(main.new, 80),
        axes=_axes_text(axes),
        axis=axes[0] if axes else 0,
        dtype=_long_dtype(main),
        maker=function.maker or "the loop",
    )
    more = len({one.path for one in candidates if one.kind == main.kind} - {main.path})
    return f"{text}; the same for {more} more" if more else text


def changed_axes(old: str | None, new: str | None) -> tuple[int, ...]:
    """Axes whose sizes differ between two types as text: ``("f32[4,8]", "f32[5,8]")`` → ``(0,)``.

    Of a constraint (``2 <= x.size()[1]``), the axes that it speaks of.
    """
    before, after = (_TYPE.match(text or "") for text in (old, new))
    if before is None or after is None:
        return tuple(dict.fromkeys(int(axis) for axis in _SIZE.findall(old or "")))
    pairs = zip(before[2].split(","), after[2].split(","), strict=False)
    return tuple(axis for axis, (one, other) in enumerate(pairs) if one not in (other, "$"))


def _axes_text(axes: tuple[int, ...]) -> str:
    if not axes:
        return "the sizes"
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"


def _long_dtype(one: Cause) -> str:
    """The dtype to settle on, spelled out: the first one met; where one of two is weak, the other."""
    texts = (one.new, one.old) if one.kind == "weak_type" else (one.old, one.new)
    for text in texts:
        match = _TYPE.match(text or "")
        if match and "weak_type" not in (text or ""):
            short = match[1]
            for prefix, long in _DTYPES:
                if re.fullmatch(rf"{prefix}\d+", short):
                    return long + short.removeprefix(prefix)
            return short
    return "float32"
