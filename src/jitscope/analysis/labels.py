"""What happened under each label: in each test, in each cell of a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.model.events import CallsEvent, CompilationEvent, LabelEvent, RepeatEvent
from jitscope.model.recording import Recording
from jitscope.model.report import CompilationReport, FunctionReport, LabelReport


class _Sum:
    """What is known of one label so far."""

    def __init__(self) -> None:
        self.entered = self.calls = self.hits = 0
        self.compilations: list[CompilationEvent] = []


def labels_of(recording: Recording, functions: Sequence[FunctionReport]) -> tuple[LabelReport, ...]:
    """Sums by label, in the order in which they first began; what belongs to none comes first, if there is any.

    Calls belong to the label that was on when they ended: all are written when it changes.
    """
    if not any(isinstance(event, LabelEvent) for event in recording.events):
        return ()
    sums: dict[str | None, _Sum] = {None: _Sum()}
    now = sums[None]
    place: dict[int, _Sum] = {}
    known = {one.id: one for one in functions}
    for event in recording.events:
        match event:
            case LabelEvent():
                now = sums.setdefault(event.text, _Sum())
                now.entered += 1
            case CompilationEvent():
                if event.id not in place:
                    place[event.id] = now
                    now.compilations.append(event)
            case CallsEvent() | RepeatEvent() if (
                event.function in known and known[event.function].framework != "python"
            ):
                # Regions compile nothing of their own: their calls are no calls of compiled functions.
                times = event.times if isinstance(event, RepeatEvent) else 1
                for run in event.runs:
                    now.calls += run.count * times if run.outcome != "nested" else 0
                    now.hits += run.count * times if run.outcome == "hit" else 0
    details = {one.id: (function.id, one) for function in functions for one in function.compilations_detail}
    found = [_report(text, one, details) for text, one in sums.items()]
    return tuple(one for one in found if one.text is not None or one.calls or _compiled(one))


def _compiled(one: LabelReport) -> int:
    return one.compilations + one.unwatched_compilations + one.eager_op_compilations


def _report(text: str | None, one: _Sum, details: dict[int, tuple[int, CompilationReport]]) -> LabelReport:
    mine = [details[event.id] for event in one.compilations if event.id in details]
    done = [detail for _, detail in mine if detail.failed is None and detail.layers[-1:] == ("compile",)]
    other = [event for event in one.compilations if event.id not in details]
    unwatched, library = [e for e in other if not e.library], [e for e in other if e.library]
    return LabelReport(
        text=text,
        entered=one.entered if text is not None else 0,
        calls=one.calls,
        hits=one.hits,
        compilations=len(done),
        recompilations=sum(detail.recompile for detail in done),
        compile_seconds=sum(detail.seconds for _, detail in mine),
        recompile_seconds=sum(detail.seconds for detail in done if detail.recompile),
        unwatched_compilations=sum(event.compiled for event in unwatched),
        unwatched_compile_seconds=sum(event.seconds for event in unwatched),
        eager_op_compilations=sum(event.compiled for event in library),
        eager_op_compile_seconds=sum(event.seconds for event in library),
        functions=tuple(dict.fromkeys(function for function, _ in mine)),
        compilations_detail=tuple(detail.id for _, detail in mine),
    )
