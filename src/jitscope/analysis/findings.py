"""Findings: the recompilations that have one source function and one main cause, told as one, the costliest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from jitscope.analysis.advice import ADVICE, avoidable
from jitscope.analysis.buckets import bucket_plan, calls_by_size, varying_axes
from jitscope.analysis.families import shape_free
from jitscope.analysis.fixes import fix_for, main_cause
from jitscope.analysis.index import Index
from jitscope.model.cause import Cause, CauseKind
from jitscope.model.events import FunctionEvent, Site
from jitscope.model.report import BucketPlan, CompilationReport, Finding, FunctionReport
from jitscope.model.signature import Signature

_TOLD: frozenset[CauseKind] = frozenset({"first_compile", "backward"})
"""Causes that by themselves make no finding."""


class _Entry(msgspec.Struct, frozen=True):
    """A compilation, and the function it is of."""

    function: FunctionReport
    one: CompilationReport


def findings_of(functions: Sequence[FunctionReport], index: Index) -> tuple[Finding, ...]:
    """All findings, those that hold most seconds first; where Dynamo gave up comes before what took as long.

    A recompilation that another one led to (`CompilationReport.root`) counts for the finding of that one.
    """
    entries = [_Entry(function, one) for function in functions for one in function.compilations_detail]
    by_id = {entry.one.id: entry for entry in entries}
    groups: dict[tuple[object, ...], list[_Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.one.id):
        if not _worth_telling(entry.one):
            continue
        root = by_id.get(entry.one.root) if entry.one.root is not None else None
        leading = root if root is not None and _worth_telling(root.one) else entry
        groups.setdefault(_key(leading), []).append(entry)
    found = [_finding(key, group, index) for key, group in groups.items()]
    return tuple(sorted(found, key=lambda one: (-one.seconds, one.kind != "recompile_limit", one.compilations)))


def _worth_telling(one: CompilationReport) -> bool:
    gave_up = any(each.kind == "recompile_limit" for each in one.causes)
    return gave_up or (one.recompile and any(each.kind not in _TOLD for each in one.causes))


def _key(entry: _Entry) -> tuple[object, ...]:
    function = entry.function
    own = None if function.file else function.id
    main = _main(entry)
    place = (function.framework, function.file, function.line, function.column, function.name, own)
    return (*place, main.kind, main.path)


def _main(entry: _Entry) -> Cause:
    return main_cause(entry.one.causes)


def _finding(key: tuple[object, ...], group: Sequence[_Entry], index: Index) -> Finding:
    own = [entry for entry in group if _key(entry) == key] or list(group)
    first = own[0]
    main = _main(first)
    source = index.functions[first.function.id]
    functions = tuple(dict.fromkeys(entry.function.id for entry in own))
    same = [
        (entry.function.process, cause)
        for entry in own
        for cause in entry.one.causes
        if (cause.kind, cause.path) == (main.kind, main.path)
    ]
    told = Counter(process for process, _ in same).most_common(1)[0][0] if same else None
    also = Counter(cause.kind for entry in own for cause in entry.one.causes if cause.kind != main.kind)
    return Finding(
        kind=main.kind,
        path=main.path,
        paths=tuple(
            dict.fromkeys(
                cause.path
                for entry in own
                for cause in entry.one.causes
                if cause.kind == main.kind and cause.path is not None
            )
        ),
        framework=first.function.framework,
        name=first.function.name,
        file=first.function.file,
        line=first.function.line,
        functions=functions,
        compilations=tuple(entry.one.id for entry in group),
        seconds=sum(entry.one.seconds for entry in group),
        avoidable_seconds=sum(entry.one.seconds for entry in own if avoidable(entry.one.causes)),
        sites=_sites(entry.one for entry in own),
        values=_values([cause for process, cause in same if process == told]),
        also=tuple(kind for kind, _ in also.most_common()),
        explanation=ADVICE[main.kind].explanation,
        fix=fix_for([cause for cause in first.one.causes if cause.kind == main.kind], source),
        evidence=first.one.evidence[0] if first.one.evidence else main.evidence,
        plan=_plan(main, own, source, index),
    )


def _sites(compilations: Iterable[CompilationReport]) -> tuple[Site, ...]:
    return tuple(site for site, _ in Counter(one.site for one in compilations if one.site is not None).most_common())


def _values(causes: Sequence[Cause]) -> tuple[str, ...]:
    """What was there before the first, and then with each: neighbours that are equal once."""
    if not causes or causes[0].old is None or causes[0].kind == "new_function":
        return ()
    values = [causes[0].old, *(cause.new or "absent" for cause in causes)]
    return tuple(value for n, value in enumerate(values) if n == 0 or values[n - 1] != value)


def _plan(main: Cause, group: Sequence[_Entry], source: FunctionEvent, index: Index) -> BucketPlan | None:
    """Sizes to pad to, where an axis varies and the framework compiles for each size.

    torch makes an axis dynamic by itself after its first change: there a plan is for those who forbid that.
    """
    if main.kind != "shape" or (source.framework == "torch" and source.options.get("dynamic") != "False"):
        return None
    group = _costliest_process(group)
    family = _family(main, group, index)
    functions = {entry.function.id: entry.function for entry in group}.values()
    seen = {one.id: one for function in functions for one in function.signatures}
    first: dict[int, float] = {}
    for function in functions:
        for one in function.compilations_detail:
            if one.signature is not None and one.signature in family and one.layers[-1:] == ("compile",):
                # Compiled again for another reason, it would be with padded sizes as well.
                first.setdefault(one.signature, one.seconds)
    seconds = list(first.values())
    for axis in varying_axes(list(family.values())):
        if axis.path == main.path or any(text.startswith(f"{main.path} ") for text in axis.same):
            calls = calls_by_size(axis.sizes, [seen[identity].calls if identity in seen else 0 for identity in family])
            plan = bucket_plan(axis.path, axis.axis, calls, seconds, same=axis.same)
            process = group[0].function.process
            return plan if plan is None or process is None else msgspec.structs.replace(plan, process=process)
    return None


def _costliest_process(group: Sequence[_Entry]) -> Sequence[_Entry]:
    """Each process pads for itself: the entries of the one that it cost most."""
    seconds: Counter[int | None] = Counter()
    for entry in group:
        seconds[entry.function.process] += entry.one.seconds  # type: ignore[assignment]  # a Counter adds floats as well
    process = max(seconds, key=lambda one: (seconds[one], -(one or 0)))
    return [entry for entry in group if entry.function.process == process]


def _family(main: Cause, group: Sequence[_Entry], index: Index) -> Mapping[int, Signature]:
    """The signatures of the functions that differ from the newest one in sizes only."""
    functions = {entry.function.id: entry.function for entry in group}.values()
    known = {one.id: index.signatures[one.id].signature for function in functions for one in function.signatures}
    newest = next((entry.one.signature for entry in reversed(group) if entry.one.signature in known), None)
    if newest is None:
        return {}
    shape = shape_free(known[newest])
    return {identity: signature for identity, signature in known.items() if shape_free(signature) == shape}
