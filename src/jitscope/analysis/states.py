"""The state of a function: how many signatures it compiled for, and whether it compiles the same one again."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.model.events import CompilationEvent
from jitscope.model.report import State

MEGAMORPHIC = 5
"""From how many compiled signatures on a function is megamorphic."""


def state_of(compilations: Sequence[CompilationEvent]) -> State:
    """The state of a function, from its own compilations in order."""
    compiled = [event for event in compilations if event.compiled]
    if not compiled:
        return "idle"
    if _thrashes(compiled):
        return "thrashing"
    # A region compiles several programs, each for signatures of its own; transformed ones are others again.
    by_program: dict[tuple[object, ...], set[int | None]] = {}
    for event in compiled:
        by_program.setdefault((event.program, event.maker, event.under), set()).add(event.signature)
    # Where no signature was read, at least one was compiled for.
    signatures = max(len(found - {None}) or 1 for found in by_program.values())
    if signatures == 1:
        return "monomorphic"
    return "polymorphic" if signatures < MEGAMORPHIC else "megamorphic"


def _thrashes(compiled: Sequence[CompilationEvent]) -> bool:
    """Whether two calls compiled the same program for the same signature, and the framework names no reason.

    With a reason (torch's guard failures) something beside the arguments changed: another entry, not thrashing.
    """
    calls: dict[tuple[object, ...], tuple[int | None, bool]] = {}
    for event in compiled:
        if event.under is not None:
            continue
        key = (event.program, event.maker, event.signature, event.context)
        call, several = calls.get(key, (event.call, False))
        several = several or call != event.call
        # Several earlier calls: at least one of them is another one than this.
        if key in calls and several and event.signature is not None and not event.evidence:
            return True
        calls[key] = (call, several)
    return False
