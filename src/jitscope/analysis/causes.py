"""Why each compilation was needed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from jitscope.analysis.advice import cause
from jitscope.analysis.diff import diff_signatures, nearest
from jitscope.analysis.guards import Guard, matching, parse_guard
from jitscope.model.cause import Cause
from jitscope.model.events import CompilationEvent, FunctionEvent
from jitscope.model.signature import Signature

_ARGUMENT = re.compile(r"\w+")
_WRAPPED = re.compile(r"(?:args\[(?P<index>\d+)\]|kwargs\['(?P<name>\w+)'\])(?P<rest>.*)$")
_LIMIT = re.compile(r"recompile[_ ]limit|cache[_ ]size[_ ]limit", re.IGNORECASE)


class Compiled(msgspec.Struct, frozen=True):
    """A compilation with what it refers to."""

    event: CompilationEvent
    function: FunctionEvent
    signature: Signature | None


def source_key(function: FunctionEvent) -> tuple[object, ...]:
    """What functions made from the same source have in common.

    Without a file there is no telling whether two functions share a source: each is its own.
    """
    own = None if function.file else function.id
    return (function.framework, function.file, function.line, function.name, own)


def program_key(one: Compiled) -> tuple[object, ...]:
    """What is compiled once: a program of a source function, as called or under a transformation."""
    return (source_key(one.function), one.event.program, one.event.under)


def causes_of(one: Compiled, earlier: Sequence[Compiled], met: Sequence[Signature] = ()) -> tuple[Cause, ...]:
    """All causes of a compilation, given what was compiled before it for the same `program_key`, in order.

    ``met`` are the signatures that the function had been called with by then, in order. On JAX they count for the
    comparison too: a call with a host array instead of a device array has a signature of its own, and compiles nothing.

    Never empty. Evidence of the framework's is in one of the causes, whatever jitscope makes of it.
    """
    event = one.event
    guards = [_in_users_names(parse_guard(text), one.signature) for text in event.evidence]
    causes = _earlier_causes(one, earlier, met)
    if earlier:
        causes = _with_guards(causes, guards, one, earlier)
    elif guards:
        causes = [msgspec.structs.replace(causes[0], evidence=_joined(guards)), *causes[1:]]
    if event.failed is not None and _LIMIT.search(event.failed):
        causes = [cause("recompile_limit", one.function.name, evidence=event.failed), *causes]
    return tuple(causes) or (_nothing_found(one, earlier),)


def _earlier_causes(one: Compiled, earlier: Sequence[Compiled], met: Sequence[Signature]) -> list[Cause]:
    """Causes that follow from what was compiled before, the framework's evidence aside."""
    event, function = one.event, one.function
    causes: list[Cause] = []
    if event.under == "backward":
        causes.append(cause("backward", function.name))
    if not earlier:
        first = cause("first_compile") if event.resume_of is None else cause("graph_break", event.resume_of)
        return causes or [first]
    same_object = [other for other in earlier if other.function.id == function.id]
    if not same_object and function.framework == "jax":
        # JAX's caches belong to the function object. Dynamo's belong to the code, which the objects share.
        causes += _object_causes(function, earlier[-1].function)
    base = _base(one, same_object or earlier, met)
    if base is not None and one.signature is not None:
        causes += diff_signatures(base, one.signature, framework=event.framework)
    return causes


def _object_causes(function: FunctionEvent, before: FunctionEvent) -> list[Cause]:
    if function.options == before.options:
        where = f"{function.file.rsplit('/', 1)[-1]}:{function.line}"
        return [cause("new_function", function.name, f"an earlier function object of {where}", "another one")]
    names = sorted(function.options.keys() | before.options.keys())
    return [
        cause("options", name, before.options.get(name), function.options.get(name))
        for name in names
        if before.options.get(name) != function.options.get(name)
    ]


def _base(one: Compiled, earlier: Sequence[Compiled], met: Sequence[Signature] = ()) -> Signature | None:
    """The signature to compare with: the nearest that was compiled or met before."""
    if one.signature is None:
        return None
    compiled = [other.signature for other in earlier if other.signature is not None]
    # Those met are in order, and hold what was compiled for this function; what is equal was compiled before.
    others = [signature for signature in compiled if signature not in met]
    return nearest([*others, *met, *(same for same in compiled if same == one.signature)], one.signature)


def _with_guards(
    causes: Sequence[Cause], guards: Sequence[Guard], one: Compiled, earlier: Sequence[Compiled]
) -> list[Cause]:
    """Put each guard failure with the cause it speaks of.

    What fits none is ``unknown``, unless it rejects an older entry for what that entry alone differs in.
    """
    evidence: list[list[Guard]] = [[] for _ in causes]
    elsewhere: list[Guard] = []
    strangers: dict[str, Guard] = {}
    older: list[Cause] | None = None
    for guard in guards:
        position = matching(guard, causes)
        if position is not None:
            evidence[position].append(guard)
            continue
        if older is None:
            older = _against_all(one, earlier)
        if matching(guard, older) is not None:
            # It rejects an entry that differs from this call in more than the nearest one does.
            elsewhere.append(guard)
        else:
            strangers.setdefault(guard.bare, guard)
    result = [
        msgspec.structs.replace(known, evidence=_joined(found)) if found else known
        for known, found in zip(causes, evidence, strict=True)
    ]
    result += [cause("unknown", guard.path, evidence=guard.text) for guard in strangers.values()]
    if elsewhere and result:
        first = result[0]
        words = [first.evidence] if first.evidence else []
        result[0] = msgspec.structs.replace(first, evidence="; ".join([*words, _joined(elsewhere)]))
    return result


def _in_users_names(guard: Guard, signature: Signature | None) -> Guard:
    """Name the argument that a guard on torch's own wrapper (``args[0]``, ``kwargs['x']``) speaks of."""
    wrapped = _WRAPPED.match(guard.path or "")
    if wrapped is None or signature is None:
        return guard
    paths = [leaf.path for leaf in signature.leaves]
    if any(path.startswith(("args[", "kwargs[")) for path in paths):
        return guard
    names = list(dict.fromkeys(found[0] for path in paths if (found := _ARGUMENT.match(path))))
    index = wrapped["index"]
    if index is None:
        return msgspec.structs.replace(guard, path=wrapped["name"] + wrapped["rest"])
    if int(index) >= min(len(names), signature.positional):
        return guard
    return msgspec.structs.replace(guard, path=names[int(index)] + wrapped["rest"])


def _against_all(one: Compiled, earlier: Sequence[Compiled]) -> list[Cause]:
    signature = one.signature
    if signature is None:
        return []
    return [
        found
        for other in earlier
        if other.signature is not None
        for found in diff_signatures(other.signature, signature, framework=one.event.framework)
    ]


def _joined(guards: Sequence[Guard]) -> str:
    """The texts, each once, in order."""
    return "; ".join({guard.bare: guard.text for guard in reversed(guards)}[bare] for bare in _unique(guards))


def _unique(guards: Sequence[Guard]) -> list[str]:
    return list(dict.fromkeys(guard.bare for guard in guards))


def _nothing_found(one: Compiled, earlier: Sequence[Compiled]) -> Cause:
    """Say what was compared, so that the reader knows what it is not."""
    words = [parse_guard(text).text for text in one.event.evidence]
    if one.function.kind == "region":
        compared = f"{one.event.program} was compiled before inside this region, whose compilations carry no signature"
    elif one.signature is None:
        compared = "nothing to compare: the call's signature was not recorded"
    elif all(other.signature is None for other in earlier):
        compared = "nothing to compare: no signature of an earlier compilation was recorded"
    else:
        base = _base(one, earlier)
        same = next(other for other in reversed(earlier) if other.signature == base)
        call = f" (call {same.event.call})" if same.event.call is not None else ""
        compared = (
            f"compared with compilation {same.event.id}{call}: {len(one.signature.leaves)} leaves, structure "
            "and argument passing are the same"
        )
    return cause("unknown", evidence="; ".join([*words, compared]))
