"""The report of a part of a process: one test, one cell; judged with all that went before it."""

from __future__ import annotations

import msgspec

from jitscope.analysis.build import report_from
from jitscope.analysis.functions import function_reports, judge
from jitscope.analysis.index import index_events
from jitscope.analysis.notes import recorded_notes
from jitscope.model.caching import CacheKeyEvent
from jitscope.model.events import (
    AddedUpEvent,
    CallsEvent,
    CompilationEvent,
    ContextEvent,
    Event,
    PhaseEvent,
    RepeatEvent,
    SignatureEvent,
)
from jitscope.model.recording import Recording
from jitscope.model.report import Report


def build_part_report(whole: Recording, part: Recording, since: Recording | None = None) -> Report:
    """Judge a part: its numbers are its own, and the causes say what changed since whatever ``whole`` holds.

    Args:
        whole: everything so far in the process.
        part: what was recorded in that process from some moment on; its ids are those of ``whole``.
        since: a compilation is one again where its program was compiled before in here, which holds ``part``; by
            default ``whole``. Within ``part`` itself, no test depends on those that ran before it.
    """
    mine = {event.id for event in part.events if isinstance(event, CompilationEvent)}
    # A backward graph that is compiled late can belong to a compilation from before the part.
    events = tuple(one for one in part.events if not isinstance(one, PhaseEvent) or one.compilation in mine)
    own = msgspec.structs.replace(part, events=events)
    known, index = index_events(_with_all_of(part, whole)), index_events(own)
    # An entry that the part found may have been made before it.
    index = msgspec.structs.replace(index, compile_seconds_by_key=known.compile_seconds_by_key)
    judged = {identity: one for identity, one in judge(known).items() if identity in mine}
    if since is not None:
        first = judge(index_events(since))
        judged = {
            identity: msgspec.structs.replace(one, recompile=first[identity].recompile if identity in first else False)
            for identity, one in judged.items()
        }
    notes = tuple(
        dict.fromkeys(
            note
            for note in recorded_notes(
                msgspec.structs.replace(
                    known,
                    notes=tuple(one for one in known.notes if one.function is None or one.function in index.functions),
                )
            )
        )
    )
    return report_from(own, index, function_reports(index, judged), notes, known)


def _with_all_of(part: Recording, whole: Recording) -> Recording:
    """``whole``, with what it had no room for any more."""
    there = {_key(event) for event in whole.events}
    counts = (CallsEvent, RepeatEvent, AddedUpEvent, PhaseEvent)
    missing = [event for event in part.events if not isinstance(event, counts) and _key(event) not in there]
    return msgspec.structs.replace(whole, events=(*whole.events, *missing)) if missing else whole


def _key(event: Event) -> object:
    if isinstance(event, CompilationEvent | SignatureEvent | ContextEvent | CacheKeyEvent):
        return event.id
    return None
