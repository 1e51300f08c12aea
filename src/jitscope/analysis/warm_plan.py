"""What there is to warm: the signatures that a recorded function met, what each cost and how often it served."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jitscope.analysis.index import Index, index_events
from jitscope.analysis.portable import portable, signature_key
from jitscope.errors import JitscopeError
from jitscope.model.events import CompilationEvent, Framework, FunctionEvent
from jitscope.model.notation import cut, printable
from jitscope.model.recording import Recording
from jitscope.model.signature import TEXT_LEAVES, Signature

_MANY = 4
"""Leaves up to which a signature is always written as a whole."""
_LISTED = 8
"""Most functions that an error names."""
_COUNTED = frozenset({"hit", "dispatch_miss", "compile", "waited", "python_path"})
_UNDER = {
    "vmap": "compiled inside jax.vmap: warm the function that maps it",
    "grad": "compiled inside jax.grad: warm the function that takes the gradient",
    "backward": "the backward program of a jax.grad outside of it: warm the function that takes the gradient",
    "transform": "compiled inside a transformation: warm the function that is transformed",
    "aot": "compiled ahead of time, and only its program's types were recorded",
}


@dataclass(frozen=True, slots=True)
class WarmItem:
    """One signature of one function, under one set of modes or settings."""

    function: FunctionEvent
    signature: Signature | None
    """None: it was not recorded."""
    settings: Mapping[str, str] | None
    """JAX: the settings that it was compiled under; None where that is not known."""
    modes: Mapping[str, str]
    """torch: as `CompilationEvent.modes`."""
    calls: int
    seconds: float
    backward: bool
    """torch: its backward graph was compiled as well."""
    why_not: str | None = None
    """Why it can't be warmed, where that is known from the recording."""

    @property
    def value(self) -> float:
        """What it saves: seconds of compiling, as often as it serves."""
        return self.seconds * max(self.calls, 1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A function of this process, by what identifies it in a recording."""

    framework: Framework
    name: str
    file: str
    named: bool
    """The user said which recorded function is meant."""


@dataclass(frozen=True, slots=True)
class WarmPlan:
    """What one function has to be warmed for, in the order in which that is to be done."""

    items: tuple[WarmItem, ...]
    notes: tuple[str, ...]
    ordered: bool
    """The order must be kept: what torch compiles depends on what it has compiled before."""

    @property
    def value(self) -> float:
        """That of all."""
        return sum(item.value for item in self.items)


def plan_warming(recording: Recording, wanted: Wanted) -> WarmPlan:
    """What ``wanted`` met in ``recording``.

    Raises:
        JitscopeError: the recording has no such function, or nothing of it was compiled.
    """
    index = index_events(recording)
    functions = _find(recording, index, wanted)
    torch = wanted.framework == "torch"
    items = _torch_items(index, functions) if torch else _jax_items(index, functions)
    if not items:
        raise JitscopeError(
            f"nothing to warm: {printable(wanted.name)} was watched in run {printable(recording.header.run)}, and no "
            "call of it compiled anything or is told by its signature",
            slug="warm-nothing",
        )
    notes = []
    files = {one.file.replace("\\", "/").rsplit("/", 1)[-1] for one in functions.values()}
    own = wanted.file.replace("\\", "/").rsplit("/", 1)[-1]
    if own and own not in files:
        notes.append(
            f"{printable(wanted.name)} is in {printable(own)} here, and was in {printable(', '.join(sorted(files)))}"
        )
    return WarmPlan(tuple(items), tuple(notes), ordered=torch)


def telling_text(item: WarmItem, others: Iterable[WarmItem]) -> str:
    """The item's signature in one line: where it has many leaves, those in which it differs from one of ``others``."""
    if item.signature is None:
        return ""
    leaves = item.signature.leaves
    counts: Counter[str] = Counter()
    compared = [other.signature for other in others if other.signature is not None]
    for other in compared:
        counts.update({leaf.text for leaf in other.leaves})
    telling = [leaf.text for leaf in leaves if counts[leaf.text] < len(compared)]
    if len(leaves) <= _MANY or not telling:
        return item.signature.text
    shown = ", ".join(cut(text, 120) for text in telling[:TEXT_LEAVES])
    alike = len(leaves) - len(telling)
    more = [f"{len(telling) - TEXT_LEAVES} more"] if len(telling) > TEXT_LEAVES else []
    return f"{shown}, … {' and '.join([*more, f'{alike} alike'] if alike else more)}" if alike or more else shown


def _find(recording: Recording, index: Index, wanted: Wanted) -> dict[int, FunctionEvent]:
    compiled = [one for one in index.functions.values() if one.framework != "python"]
    named = [one for one in compiled if _called(one.name, wanted)]
    exact = [one for one in named if one.name == wanted.name]
    named = exact or named
    same = [one for one in named if one.framework == wanted.framework]
    if same:
        return {one.id: one for one in same}
    run = printable(recording.header.run)
    shown = printable(wanted.name)
    if named:
        raise JitscopeError(
            f"{shown} is compiled by {wanted.framework} here, and was by {named[0].framework} in run {run}: "
            "record this program again",
            slug="warm-other-framework",
        )
    if any(_called(one.name, wanted) for one in index.functions.values()):
        raise JitscopeError(
            f"{shown} was watched as a region in run {run}, and is not compiled itself: warm the compiled functions "
            "that it calls",
            slug="warm-region",
        )
    names = sorted({one.name for one in compiled})
    close = difflib.get_close_matches(wanted.name, names, n=1, cutoff=0.6)
    if not names:
        hint = "no watched function is in it"
    elif close:
        hint = f"did you mean {printable(close[0])}?"
    else:
        more = ", …" if len(names) > _LISTED else ""
        hint = f"it has {printable(', '.join(names[:_LISTED]))}{more}"
    raise JitscopeError(f"no function called {shown} in run {run}: {hint}", slug="unknown-function")


def _called(name: str, wanted: Wanted) -> bool:
    return name == wanted.name or (wanted.named and name.endswith(f".{wanted.name}"))


# -- JAX ------------------------------------------------------------------------------------------


def _jax_items(index: Index, functions: Mapping[int, FunctionEvent]) -> list[WarmItem]:
    calls: Counter[bytes] = Counter()
    met: dict[bytes, tuple[FunctionEvent, Signature]] = {}
    keys: dict[int, bytes] = {}
    for identity, event in index.signatures.items():
        if event.function in functions:
            keys[identity] = signature_key(portable(event.signature, {}))
            met.setdefault(keys[identity], (functions[event.function], event.signature))
    served: dict[bytes, None] = {}  # in the order of the calls
    for function in functions:
        for run in index.runs.get(function, ()):
            if run.signature in keys and run.outcome in _COUNTED:
                calls[keys[run.signature]] += run.count
                served[keys[run.signature]] = None
    seconds: defaultdict[tuple[bytes, int | None], float] = defaultdict(float)
    others: Counter[str] = Counter()
    other_seconds: defaultdict[str, float] = defaultdict(float)
    for one in _own(index, functions):
        key = keys.get(one.signature) if one.signature is not None else None
        partial = key is None or met[key][1].partial
        if partial or one.under not in (None, "aot"):
            if one.compiled:
                why = _UNDER[one.under or "aot"]
                others[why] += 1
                other_seconds[why] += one.seconds
            continue
        if key is not None:
            seconds[key, one.context] += one.seconds
    contexts: dict[bytes, list[int | None]] = {}
    for key, context in seconds:
        contexts.setdefault(key, []).append(context)
    items = [
        WarmItem(
            function=met[key][0],
            signature=met[key][1],
            settings=index.contexts[context].settings if context is not None and context in index.contexts else None,
            modes={},
            calls=calls[key],
            seconds=seconds[key, context],
            backward=False,
        )
        for key in dict.fromkeys((*contexts, *served))
        if not met[key][1].partial
        for context in contexts.get(key, [None])
    ]
    first = next(iter(functions.values()))
    items += [
        WarmItem(first, None, None, {}, count, other_seconds[why], backward=False, why_not=why)
        for why, count in others.items()
    ]
    return sorted(items, key=lambda item: (-item.value, -item.calls))


# -- torch ----------------------------------------------------------------------------------------


def _torch_items(index: Index, functions: Mapping[int, FunctionEvent]) -> list[WarmItem]:
    groups: dict[tuple[int, int, int], list[CompilationEvent]] = {}
    for one in _own(index, functions):
        if one.call is not None and one.function is not None:
            groups.setdefault((one.function, one.generation, one.call), []).append(one)
    served: Counter[int] = Counter()
    for function in functions:
        for run in index.runs.get(function, ()):
            if run.compilation is not None and run.outcome in _COUNTED:
                served[run.compilation] += run.count
    items: list[WarmItem] = []
    known: dict[tuple[bytes, tuple[tuple[str, str], ...]], tuple[int, int]] = {}
    for (function, generation, _), events in groups.items():
        compiled = [one for one in events if one.compiled]
        first = (compiled or events)[0]
        event = index.signatures.get(first.signature) if first.signature is not None else None
        signature = event.signature if event is not None else None
        key = (signature_key(portable(signature, {}) if signature else None), tuple(sorted(first.modes)))
        why_not = _why_not(compiled, events, first, signature)
        before = known.get(key)
        if before is not None and before != (function, generation):
            continue  # another wrapper of the same source, or the same again after a reset
        if before is not None and why_not is None:
            why_not = (
                "compiled again with the same arguments: what else changed (an attribute, a global) can't be rebuilt"
            )
        known.setdefault(key, (function, generation))
        items.append(
            WarmItem(
                function=functions[function],
                signature=signature,
                settings=None,
                modes=dict(first.modes),
                calls=sum(served[one.id] for one in events),
                seconds=sum(one.seconds for one in events),
                backward=any(phase.name == "backward" for one in compiled for phase in one.phases),
                why_not=why_not,
            )
        )
    return items


def _why_not(
    compiled: Sequence[CompilationEvent],
    events: Sequence[CompilationEvent],
    first: CompilationEvent,
    signature: Signature | None,
) -> str | None:
    if not compiled:
        return f"ran without compiled code: {printable(events[0].failed or 'unknown')}"
    if signature is None:
        return "its arguments were not recorded"
    modes = dict(first.modes)
    transformation = modes.get("transformation")
    if transformation:
        return f"compiled inside torch.func's {printable(transformation)}: compile and warm what is around it"
    functions = modes.get("function_modes")
    if functions:
        return f"compiled under {printable(functions)}: warm it inside of the same"
    return None


def _own(index: Index, functions: Mapping[int, FunctionEvent]) -> Iterable[CompilationEvent]:
    return (one for one in index.compilations if one.function in functions)
