"""Two runs compared: what is compiled no more, what is new, and for what causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from jitscope.analysis.advice import avoidable
from jitscope.analysis.build import build_report
from jitscope.analysis.comparable import caveats_of, grade
from jitscope.analysis.divergence import signature_texts
from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.portable import lone_devices, portable, signature_key
from jitscope.analysis.same_functions import pair_functions
from jitscope.model.cause import CauseKind
from jitscope.model.difference import (
    CauseChange,
    Caveat,
    FunctionChange,
    FunctionNumbers,
    Outcome,
    ProgramChange,
    RunDifference,
    Side,
    Status,
)
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.model.signature import Signature

DIFFERENCE_SCHEMA = 1

_ProgramKey = tuple[str, str | None, bytes]
_CauseKey = tuple[CauseKind, str | None]


class _Cost(msgspec.Struct):
    """Compilations of one program, or with one cause."""

    count: int = 0
    seconds: float = 0.0
    causes: dict[CauseKind, None] = msgspec.field(default_factory=dict)


class _Run:
    """A recording with all that is compared of it."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.report: Report = build_report(recording)
        self.groups = [group for group in by_source(self.report.functions) if _used(group)]
        self._index: Index = index_events(recording)
        self._devices = lone_devices(recording.events)

    def side(self) -> Side:
        """What is told of the run as a whole."""
        run = self.report.run
        torn = self.recording.torn or any(one.torn for one in run.processes)
        return Side(
            run=run.id,
            argv=run.argv,
            started=run.started,
            wall_seconds=run.wall_seconds,
            versions=run.versions,
            devices=run.devices,
            processes=len(run.processes) or 1,
            complete=not torn and not self._index.unended,
            totals=self.report.totals,
        )

    def signature(self, identity: int | None) -> Signature | None:
        """A signature as the other run would write it."""
        return None if identity is None else portable(self._index.signatures[identity].signature, self._devices)


def compare(before: Recording, after: Recording) -> RunDifference:
    """Compare two recordings, A and B; of several processes, combine each run's first (`combine.combine`)."""
    old, new = _Run(before), _Run(after)
    sides = old.side(), new.side()
    pairs = pair_functions(old.groups, new.groups, folders=(before.header.cwd, after.header.cwd))
    functions: list[FunctionChange] = []
    causes: list[CauseChange] = []
    for one, other in pairs:
        changes = _cause_changes(one, other)
        functions.append(_function(one, other, old, new, changed=bool(changes)))
        causes += changes
    common = not old.groups or not new.groups or any(one and other for one, other in pairs)
    caveats = caveats_of(*sides)
    if not common:
        caveats.insert(0, Caveat("no-function-in-common", "A and B have no watched function in common"))
    a, b = sides[0].totals, sides[1].totals
    return RunDifference(
        schema=DIFFERENCE_SCHEMA,
        comparable=grade(caveats, common=common),
        verdict=_verdict(b.compilations - a.compilations, functions),
        compilations=b.compilations - a.compilations,
        compile_seconds=b.compile_seconds - a.compile_seconds,
        recompilations=b.recompilations - a.recompilations,
        recompile_seconds=b.recompile_seconds - a.recompile_seconds,
        avoidable_recompilations=b.avoidable_recompilations - a.avoidable_recompilations,
        before=sides[0],
        after=sides[1],
        caveats=tuple(caveats),
        functions=tuple(
            sorted(functions, key=lambda one: (one.status == "same", -abs(one.seconds), one.name, one.file))
        ),
        causes=tuple(
            sorted(causes, key=lambda one: (-max(one.seconds_before, one.seconds_after), one.function, one.kind))
        ),
    )


def _used(group: SourceGroup) -> bool:
    return any(one.calls or one.nested_calls or one.compilations_detail for one in group.members)


def _verdict(more: int, functions: Sequence[FunctionChange]) -> Outcome:
    if more:
        return "more" if more > 0 else "fewer"
    return "same" if all(one.status == "same" for one in functions) else "other"


def _function(
    one: SourceGroup | None, other: SourceGroup | None, old: _Run, new: _Run, *, changed: bool
) -> FunctionChange:
    group = other or one
    assert group is not None
    texts: dict[bytes, Signature | None] = {}
    before, after = _programs(one, old, texts), _programs(other, new, texts)
    lines = signature_texts(texts.items())
    keys = list(dict.fromkeys([*before, *after]))
    different = [_program_change(key, before, after, lines[key[2]]) for key in keys]
    programs = [each for each in different if each.status != "same"]
    numbers = _numbers(one), _numbers(other)
    status: Status = "changed" if programs or changed else "same"
    if one is None or other is None:
        status = "new" if one is None else "gone"
    return FunctionChange(
        framework=group.first.framework,
        name=group.first.name,
        file=group.first.file,
        status=status,
        before=numbers[0],
        after=numbers[1],
        seconds=(other.compile_seconds if other else 0.0) - (one.compile_seconds if one else 0.0),
        compilations=tuple(sorted(programs, key=lambda each: -max(each.seconds_before, each.seconds_after))),
        unchanged=len(different) - len(programs),
    )


def _programs(group: SourceGroup | None, run: _Run, texts: dict[bytes, Signature | None]) -> dict[_ProgramKey, _Cost]:
    """What a function was compiled for; signatures are added to ``texts``."""
    found: dict[_ProgramKey, _Cost] = {}
    keys: dict[int | None, bytes] = {}
    for detail in group.details if group is not None else ():
        if detail.failed is not None or detail.layers[-1:] != ("compile",):
            continue
        if detail.signature not in keys:
            signature = run.signature(detail.signature)
            keys[detail.signature] = signature_key(signature)
            texts.setdefault(keys[detail.signature], signature)
        cost = found.setdefault((detail.program, detail.under, keys[detail.signature]), _Cost())
        cost.count += 1
        cost.seconds += detail.seconds
        cost.causes |= dict.fromkeys(cause.kind for cause in detail.causes)
    return found


def _program_change(
    key: _ProgramKey, before: Mapping[_ProgramKey, _Cost], after: Mapping[_ProgramKey, _Cost], line: str | None
) -> ProgramChange:
    old, new = before.get(key, _Cost()), after.get(key, _Cost())
    return ProgramChange(
        program=key[0],
        under=key[1],
        signature=line,
        status=_status(old.count, new.count),
        before=old.count,
        after=new.count,
        seconds_before=old.seconds,
        seconds_after=new.seconds,
        causes=tuple(new.causes or old.causes),
    )


def _status(before: int, after: int) -> Status:
    if before == after:
        return "same"
    return "changed" if before and after else "gone" if before else "new"


def _numbers(group: SourceGroup | None) -> FunctionNumbers | None:
    if group is None:
        return None
    return FunctionNumbers(
        line=group.first.line,
        objects=len(group.members),
        calls=sum(one.calls for one in group.members),
        hits=sum(one.hits for one in group.members),
        eager_fallbacks=sum(one.eager_fallbacks for one in group.members),
        compilations=sum(one.compilations for one in group.members),
        recompilations=sum(one.recompilations for one in group.members),
        avoidable_recompilations=sum(one.recompile and avoidable(one.causes) for one in group.details),
        compile_seconds=group.compile_seconds,
        recompile_seconds=group.recompile_seconds,
    )


def _cause_changes(one: SourceGroup | None, other: SourceGroup | None) -> list[CauseChange]:
    before, after = _causes(one), _causes(other)
    group = other or one
    assert group is not None
    found: list[CauseChange] = []
    for kind, path in dict.fromkeys([*before, *after]):
        old, new = before.get((kind, path), _Cost()), after.get((kind, path), _Cost())
        status = _status(old.count, new.count)
        if status != "same":
            name = group.first.name
            found.append(CauseChange(name, kind, path, status, old.count, new.count, old.seconds, new.seconds))
    return found


def _causes(group: SourceGroup | None) -> dict[_CauseKey, _Cost]:
    """Causes by kind and path; one compilation can have several."""
    found: dict[_CauseKey, _Cost] = {}
    for detail in group.details if group is not None else ():
        for kind, path in dict.fromkeys((cause.kind, cause.path) for cause in detail.causes):
            if kind != "first_compile":
                cost = found.setdefault((kind, path), _Cost())
                cost.count += 1
                cost.seconds += detail.seconds
    return found
