"""torch: why a frame was compiled again.

Dynamo compiles where no entry of the code's cache passes its guards. The causes are the guards that keep the call
from the entry that it comes nearest to: all of them, where jitscope could ask each guard; else what Dynamo said of
it, matched with the difference between the signatures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from jitscope.analysis.advice import cause
from jitscope.analysis.compiled import Compiled
from jitscope.analysis.diff import diff_signatures
from jitscope.analysis.earlier import Earlier
from jitscope.analysis.global_state import names_in_reason
from jitscope.analysis.guards import Guard, matching, parse_guard, related
from jitscope.analysis.jax_causes import option_causes
from jitscope.analysis.torch_guards import causes_of_guards, entries_of, failure_of
from jitscope.model.cause import Cause
from jitscope.model.events import GuardFailure
from jitscope.model.signature import Signature

_ARGUMENT = re.compile(r"\w+")
_WRAPPED = re.compile(r"(?:args\[(?P<index>\d+)\]|kwargs\['(?P<name>\w+)'\])(?P<rest>.*)$")
_LENGTH = re.compile(r"len\((?P<what>.+)\) (?:==|!=) \d+$")
_WRAPPER = "inner"
"""The function that torch puts around modules and builtins that it compiles (torch/_dynamo/external_utils.py)."""


def torch_causes(one: Compiled, earlier: Earlier) -> tuple[list[Cause], Compiled | None]:
    """All causes of a compilation that is not the first of its program, and the entry that they are told against."""
    event = one.event
    live = earlier.of_generation(event.generation)
    if not live:
        return [cause("cache_cleared")], earlier[-1]
    guards = entries_of(event.guards)
    said = {entry: text for text in event.evidence if (entry := parse_guard(text).entry)}
    candidates: list[tuple[bool, int, int, list[Cause], Compiled]] = []
    arguments = _argument_names(one)
    # An entry that nothing is said of makes no candidate.
    for position, other in earlier.entries(event.generation, dict.fromkeys((*guards, *said))):
        entry = other.event.framework_id or ""
        failures = _with_said(guards.get(entry, ()), said.get(entry), entry, one, arguments)
        found = causes_of_guards(
            failures,
            one.signature,
            other.signature,
            wrapped=event.program == _WRAPPER,
            defaults=one.function.defaults or (),
            parameters=one.function.parameters,
        )
        hidden = _hidden(found, other, one)
        found = _passed_otherwise(_leaf_by_leaf(found, other, one), other, one)
        if entry in guards or entry in said:
            found = [*_option_causes(other, one, said.get(entry)), *found]
        if found:
            found = _in_torchs_words(found, said.get(entry))
            # Of an entry that was not asked only the first guard is known.
            unasked = entry not in guards and not event.guards_asked
            candidates.append((unasked, _how_many(found) + hidden, -position, found, other))
    if candidates:
        *_, causes, base = min(candidates, key=lambda candidate: candidate[:3])
        return causes, base
    if event.evidence:
        return _from_evidence(one, live), _nearest(one, live)
    return _without_words(one, live), live[-1]


def _how_many(causes: Sequence[Cause]) -> int:
    """How much keeps a call from an entry: what changed in all items of a list alike is one thing."""
    return len({(one.kind, re.sub(r"\[\d+\]", "[*]", one.path or "")) for one in causes})


def _hidden(causes: Sequence[Cause], other: Compiled, one: Compiled) -> int:
    """How much more would, behind a guard on a container that failed: its items were not asked."""
    containers = [each.path for each in causes if each.kind in ("tree_structure", "python_type")]
    if not containers:
        return 0
    below = [
        each
        for each in _against(other, one)
        if each.kind not in ("tree_structure", "python_type") and any(related(path, each.path) for path in containers)
    ]
    return _how_many(below)


def _option_causes(other: Compiled, one: Compiled, said: str | None) -> list[Cause]:
    """The options that differ; a backend made anew each time has the same name, and is another object."""
    found = option_causes(other.function, one.function)
    if not found and said is not None and "BACKEND_MATCH" in said:
        name = one.function.options.get("backend", "inductor")
        return [cause("options", "backend", name, f"{name} (another object)")]
    return found


def _passed_otherwise(causes: Sequence[Cause], other: Compiled, one: Compiled) -> list[Cause]:
    """Torch's wrapper around a module guards ``args`` and ``kwargs``: the user passed an argument another way."""
    if not {each.path for each in causes} & {"args", "kwargs"}:
        return list(causes)
    passing = [each for each in _against(other, one) if each.kind in ("argument_passing", "tree_structure")]
    words = next((each.evidence for each in causes if each.path in ("args", "kwargs")), None)
    rest = [each for each in causes if each.path not in ("args", "kwargs")]
    return [msgspec.structs.replace(each, evidence=words) for each in passing] + rest if passing else list(causes)


def _argument_names(one: Compiled) -> list[str] | None:
    """Names of the call's arguments; None where neither the function's nor the signature's are known."""
    leaves = one.signature.leaves if one.signature is not None else ()
    names = [found[0] for leaf in leaves if (found := _ARGUMENT.match(leaf.path))]
    return [*(one.function.parameters or ()), *names] or None


def _with_said(
    failures: Sequence[GuardFailure], said: str | None, entry: str, one: Compiled, arguments: Sequence[str] | None
) -> Sequence[GuardFailure]:
    """The failures, with what Dynamo said of what can't be asked (a dictionary's length), or where none fails."""
    if said is None or "BACKEND_MATCH" in said:
        return failures
    guard = parse_guard(said)
    length = _LENGTH.search(guard.text)
    path = guard.path or (length["what"] if length is not None else None)
    if path is None or (failures and length is None) or (not guard.kinds and length is None):
        return failures
    if any(guard.bare == re.split(r"\n|  +#", each.text.strip(), maxsplit=1)[0].rstrip() for each in failures):
        return failures
    if failures and any(f"len({_bare_source(each.source)})" in guard.text for each in failures):
        return failures
    found = failure_of(said, entry, path, module=one.function.kind == "module", arguments=arguments)
    return [found, *failures]


def _bare_source(source: str | None) -> str:
    """A source as Dynamo's reasons write it: ``L['x']`` is ``x``."""
    return re.sub(r"\bL\['(\w+)'\]", r"\1", source or "")


def _leaf_by_leaf(causes: Sequence[Cause], other: Compiled, one: Compiled) -> list[Cause]:
    """A container's length or keys, told by the leaves that came or went."""
    changed: list[Cause] = []
    leaves: list[Cause] | None = None
    for each in causes:
        if each.kind == "tree_structure":
            leaves = leaves if leaves is not None else _against(other, one)
            within = [leaf for leaf in leaves if leaf.kind == "tree_structure" and related(each.path, leaf.path)]
            if within and "absent" not in (each.old, each.new):
                changed += [msgspec.structs.replace(leaf, evidence=each.evidence) for leaf in within]
                continue
        changed.append(each)
    return list({(each.kind, each.path): each for each in changed}.values())


def _in_torchs_words(causes: Sequence[Cause], said: str | None) -> list[Cause]:
    """Put what Dynamo said of the entry with the cause that it speaks of: its words go before the guard's text."""
    if said is None:
        return list(causes)
    guard = parse_guard(said)
    position = matching(guard, causes)
    if position is None:
        names = names_in_reason(said)
        position = next((n for n, one in enumerate(causes) if one.path in names), 0)
    changed = list(causes)
    changed[position] = msgspec.structs.replace(changed[position], evidence=guard.text)
    return changed


def _without_words(one: Compiled, live: Sequence[Compiled]) -> list[Cause]:
    """Dynamo looked at no entry: they are another wrapper's or another code's, or gone."""
    if one.event.resume_of is not None and one.event.guards_asked:
        return [cause("graph_break", one.event.resume_of)]
    same = next((other for other in reversed(live) if other.function.id == one.function.id), None)
    if same is None:
        options = option_causes(live[-1].function, one.function)
        if options:
            return options
        return [cause("new_function", one.function.name, "an earlier compiled object of the same code", "another one")]
    if one.event.guards_asked:
        return [cause("cache_evicted")]
    changes = _against(same, one)
    return changes or [cause("cache_evicted")]


def _from_evidence(one: Compiled, live: Sequence[Compiled]) -> list[Cause]:
    """Where guards could not be asked: Dynamo's first failing guard of each entry, beside the signatures."""
    guards = [_in_users_names(parse_guard(text), one.signature) for text in one.event.evidence]
    base = _nearest(one, live)
    causes = _against(base, one) if base is not None else []
    return _with_guards(causes, guards, one, live)


def _nearest(one: Compiled, live: Sequence[Compiled]) -> Compiled | None:
    from jitscope.analysis.compiled import nearest_compiled

    return nearest_compiled(one, live)


def _against(other: Compiled, one: Compiled) -> list[Cause]:
    if other.signature is None or one.signature is None:
        return []
    return list(diff_signatures(other.signature, one.signature, framework="torch", defaults=one.function.defaults))


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
            older = [found for other in earlier for found in _against(other, one)]
        if matching(guard, older) is not None:
            # It rejects an entry that differs from this call in more than the nearest one does.
            elsewhere.append(guard)
        else:
            strangers.setdefault(guard.bare, guard)
    result = [
        msgspec.structs.replace(known, evidence=_joined(found)) if found else known
        for known, found in zip(causes, evidence, strict=True)
    ]
    for guard in strangers.values():
        settings = names_in_reason(guard.text)
        result += [cause("config", name, evidence=guard.text) for name in settings]
        if not settings:
            result.append(cause("unknown", guard.path, evidence=guard.text))
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


def _joined(guards: Sequence[Guard]) -> str:
    """The texts, each once, in order."""
    bares = list(dict.fromkeys(guard.bare for guard in guards))
    return "; ".join({guard.bare: guard.text for guard in reversed(guards)}[bare] for bare in bares)
