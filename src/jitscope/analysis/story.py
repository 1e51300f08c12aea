"""From a recording to the story of one function: its compilations, what lay between them, and one of them in full."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from jitscope.analysis import history as calls
from jitscope.analysis.advice import ADVICE
from jitscope.analysis.build import build_report
from jitscope.analysis.cache_outcomes import Measured
from jitscope.analysis.compiled import settings_changed
from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.select import select_source, selector
from jitscope.analysis.side_by_side import differences, legend
from jitscope.errors import JitscopeError
from jitscope.model.cause import Avoidable, Cause, CauseKind
from jitscope.model.events import CompilationEvent, Outcome, Run
from jitscope.model.recording import Recording
from jitscope.model.report import CompilationReport, FunctionReport, Note, Report
from jitscope.model.signature import Signature
from jitscope.model.story import (
    Difference,
    Reference,
    Story,
    StoryCalls,
    StoryCompilation,
    StoryDetail,
    StoryGuard,
    StoryKind,
    StoryObject,
    StorySignature,
)

STORY_SCHEMA: Final = 1

_WANTED = re.compile(r"(?P<name>.*?)(?:#(?P<number>\d+))?", re.DOTALL)
_RUN_NOTES = frozenset({"no-end", "torn", "broken-reference"})
"""Notes on the whole recording that bear on each function in it."""

_Key = tuple[Outcome, int | None, int | None]
"""Fate of a call: outcome, signature and serving compilation, by their ids."""


def story_of(recording: Recording, wanted: str, measured: Measured | None = None) -> Story:
    """The story of one function, and of one of its compilations where ``wanted`` says which.

    Args:
        recording: what was recorded.
        measured: as for `build_report`.
        wanted: ``step`` or ``step#3``; instead of a name, also ``train.py:12`` or ``f3`` (see `select_source`).

    Raises:
        JitscopeError: if the name fits no function or several different ones, or there is no such compilation.
    """
    found = _WANTED.fullmatch(wanted)
    assert found is not None
    report, index = build_report(recording, measured), index_events(recording)
    group = select_source(report, found["name"])
    story = _Teller(report, index, group).story()
    if found["number"] is None:
        return story
    number, count = int(found["number"]), len(story.timeline)
    if not 1 <= number <= count:
        there = (
            f"there are {count}, from #1 to #{count}" if count > 1 else "there is only #1" if count else "it has none"
        )
        raise JitscopeError(f"no compilation #{number} of {story.name}: {there}", slug="unknown-compilation")
    return msgspec.structs.replace(story, detail=_detail(number, story.timeline, index))


class _Teller:
    """The numbers of one group's compilations and signatures, and the story told in them."""

    def __init__(self, report: Report, index: Index, group: SourceGroup) -> None:
        self._report, self._index, self._group = report, index, group
        self._numbers = {one.id: number for number, one in enumerate(group.details, start=1)}
        self._distinct: dict[Signature, list[int]] = {}
        for member in group.members:
            for known in member.signatures:
                self._distinct.setdefault(index.signatures[known.id].signature, []).append(known.id)
        self._signature_numbers = {
            identity: number for number, ids in enumerate(self._distinct.values(), start=1) for identity in ids
        }

    def story(self) -> Story:
        report, group = self._report, self._group
        first, members = group.first, group.members
        event = self._index.functions[first.id]
        written = [calls.count_calls(one.history) for one in members]
        outcomes: Counter[Outcome] = Counter()
        for one in written:
            outcomes.update(one.by_outcome)
            outcomes["nested"] += one.nested
        ids = {one.id for one in members}
        own = [Note(one.slug, one.text) for one in self._index.notes if one.function in ids]
        general = [note for note in report.notes if note.slug in _RUN_NOTES]
        return Story(
            schema=STORY_SCHEMA,
            run=report.run.id,
            select=selector(report, group),
            name=first.name,
            framework=first.framework,
            kind=first.kind,
            file=first.file,
            line=first.line,
            maker=event.maker,
            state=first.state if len(members) == 1 else None,
            objects=tuple(self._object(one) for one in members),
            calls=sum(one.calls for one in members),
            outcomes={outcome: count for outcome, count in outcomes.items() if count},
            compilations=sum(one.compilations for one in members),
            recompilations=sum(one.recompilations for one in members),
            compile_seconds=group.compile_seconds,
            recompile_seconds=group.recompile_seconds,
            phases=_added([one.phases for one in members]),
            signatures=self._signatures(),
            timeline=self._timeline(),
            notes=tuple(dict.fromkeys([*own, *general])),
        )

    def _object(self, one: FunctionReport) -> StoryObject:
        options = self._index.functions[one.id].options
        processes = self._report.run.processes
        return StoryObject(
            one.id,
            one.state,
            options,
            one.calls,
            one.hits,
            one.compilations,
            one.compile_seconds,
            processes[one.process].label if one.process is not None and one.process < len(processes) else None,
        )

    def _signatures(self) -> tuple[StorySignature, ...]:
        reports = {known.id: known for member in self._group.members for known in member.signatures}
        compiled: dict[int, list[int]] = {}
        for one in self._group.details:
            if one.signature is not None:
                compiled.setdefault(one.signature, []).append(self._numbers[one.id])
        served: dict[int, Counter[int]] = {}
        for member in self._group.members:
            for run in member.history:
                if run.outcome == "hit" and run.signature is not None and run.compilation in self._numbers:
                    served.setdefault(run.signature, Counter())[self._numbers[run.compilation]] += run.count
        texts = legend(list(self._distinct))
        return tuple(
            StorySignature(
                number=number,
                ids=tuple(ids),
                text=text,
                calls=sum(reports[one].calls for one in ids),
                hits=sum(reports[one].hits for one in ids),
                compiled_by=tuple(sorted(by for one in ids for by in compiled.get(one, ()))),
                served_by=dict(sorted(sum((served.get(one, Counter()) for one in ids), Counter[int]()).items())),
            )
            for number, (ids, text) in enumerate(zip(self._distinct.values(), texts, strict=True), start=1)
        )

    def _timeline(self) -> tuple[StoryCompilation, ...]:
        owner = {one.id: member for member in self._group.members for one in member.compilations_detail}
        before: dict[int, tuple[StoryCalls, ...]] = {}
        after: dict[int, tuple[StoryCalls, ...]] = {}
        for member in self._group.members:
            self._around(member, before, after)
        elsewhere = _references(self._report)
        led: dict[int, list[Reference]] = {}
        for function in self._report.functions:
            for one in function.compilations_detail:
                if one.root in self._numbers and one.id not in self._numbers:
                    led.setdefault(one.root, []).append(elsewhere[one.id])
        return tuple(
            StoryCompilation(
                number=self._numbers[one.id],
                function=owner[one.id].id,
                detail=one,
                signature=self._signature_numbers.get(one.signature) if one.signature is not None else None,
                compared_with=self._numbers.get(one.compared_with) if one.compared_with is not None else None,
                because_of=elsewhere.get(one.root) if one.root is not None else None,
                inside=self._inside(one, owner[one.id]),
                led_to=tuple(sorted(led.get(one.id, ()), key=lambda each: each.compilation)),
                before=before.get(one.id, ()),
                after=after.get(one.id, ()),
            )
            for one in self._group.details
        )

    def _inside(self, one: CompilationReport, owner: FunctionReport) -> str | None:
        if one.inside is None or one.inside == owner.id or one.inside not in self._index.functions:
            return None
        return self._index.functions[one.inside].name

    def _around(
        self,
        member: FunctionReport,
        before: dict[int, tuple[StoryCalls, ...]],
        after: dict[int, tuple[StoryCalls, ...]],
    ) -> None:
        """Put the calls of one function object with its compilations, by the compilations' ids."""
        # A call can compile several programs: what comes after it, comes after the last of them.
        last = {one.call: one.id for one in member.compilations_detail if one.call is not None}
        if not last:
            return
        ordinals = sorted(last)
        for position, fates in enumerate(_between(self._index.runs.get(member.id, ()), ordinals)):
            told = self._told(fates)
            if told and position == 0:
                first = min(one.id for one in member.compilations_detail if one.call == ordinals[0])
                before[first] = told
            elif told:
                after[last[ordinals[position - 1]]] = told

    def _told(self, fates: Mapping[_Key, int]) -> tuple[StoryCalls, ...]:
        counts: Counter[Outcome] = Counter()
        by_signature: dict[Outcome, Counter[int]] = {}
        for (outcome, signature, _), count in fates.items():
            counts[outcome] += count
            if signature in self._signature_numbers:
                by_signature.setdefault(outcome, Counter())[self._signature_numbers[signature]] += count
        return tuple(
            StoryCalls(outcome, count, dict(sorted(by_signature.get(outcome, {}).items())))
            for outcome, count in counts.items()
        )


def _between(history: Sequence[Run], ordinals: Sequence[int]) -> list[Counter[_Key]]:
    """The calls before, between and after the calls numbered ``ordinals`` (ascending), which are left out."""
    parts: list[Counter[_Key]] = [Counter() for _ in range(len(ordinals) + 1)]
    ordinal = 1
    for run in history:
        key = (run.outcome, run.signature, run.compilation)
        if run.outcome == "nested":
            # Nested calls have no ordinals: they came before the next call that has one.
            parts[bisect_left(ordinals, ordinal)][key] += run.count
            continue
        start, end = ordinal, ordinal + run.count
        position = bisect_left(ordinals, start)
        while start < end:
            stop = min(ordinals[position], end) if position < len(ordinals) else end
            if stop > start:
                parts[position][key] += stop - start
            # The call at `stop`, if it is one of the ordinals, is told with its compilation.
            start = stop + 1
            position += 1
        ordinal = end
    return parts


def _references(report: Report) -> dict[int, Reference]:
    """Every compilation, as the story of its own function names it."""
    return {
        one.id: Reference(group.first.name, number, one.id, one.seconds)
        for group in by_source(report.functions)
        for number, one in enumerate(group.details, start=1)
    }


def _detail(number: int, timeline: Sequence[StoryCompilation], index: Index) -> StoryDetail:
    events = {event.id: event for event in index.compilations}
    one = timeline[number - 1]
    event = events[one.detail.id]
    base = events[timeline[one.compared_with - 1].detail.id] if one.compared_with is not None else None
    settings, old_settings = _settings(event, index), _settings(base, index)
    now, old = _signature(event, index), _signature(base, index)
    return StoryDetail(
        number=number,
        arguments=differences(old, now) if now is not None else (),
        settings=tuple(
            Difference(name, (old_settings or {}).get(name), (settings or {}).get(name), differs=True)
            for name in settings_changed(old_settings, settings)
        ),
        settings_known=settings is not None and old_settings is not None,
        kinds=_kinds(one.detail.causes),
        avoidable=_avoidable(one.detail.causes),
        guards=_guards(event, timeline, events),
        guards_asked=event.guards_asked,
    )


def _signature(event: CompilationEvent | None, index: Index) -> Signature | None:
    if event is None or event.signature is None:
        return None
    return index.signatures[event.signature].signature


def _settings(event: CompilationEvent | None, index: Index) -> Mapping[str, str] | None:
    if event is None or event.context is None or event.context not in index.contexts:
        return None
    return index.contexts[event.context].settings


def _kinds(causes: Sequence[Cause]) -> tuple[StoryKind, ...]:
    """The causes by kind, in their order."""
    kinds: dict[CauseKind, list[Cause]] = {}
    for one in causes:
        kinds.setdefault(one.kind, []).append(one)
    return tuple(
        StoryKind(kind, ADVICE[kind].explanation, f"docs/causes/{kind}.md", tuple(found))
        for kind, found in kinds.items()
    )


def _avoidable(causes: Sequence[Cause]) -> Avoidable:
    told = {one.avoidable for one in causes}
    if "no" in told:
        return "no"
    return "yes" if told == {"yes"} else "unknown"


def _guards(
    event: CompilationEvent, timeline: Sequence[StoryCompilation], events: Mapping[int, CompilationEvent]
) -> tuple[StoryGuard, ...]:
    """The guards that failed, the oldest entry's first, with the compilation that made the entry."""
    entries = {
        one.detail.framework_id: one.number
        for one in timeline
        if one.detail.framework_id is not None
        and one.detail.id < event.id
        and events[one.detail.id].process == event.process
        and events[one.detail.id].generation == event.generation
    }
    return tuple(StoryGuard(entries.get(failure.entry), failure) for failure in event.guards)


def _added(phases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in phases:
        for name, seconds in one.items():
            found[name] = found.get(name, 0.0) + seconds
    return found
