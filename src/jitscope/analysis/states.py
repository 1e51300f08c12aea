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
    if any(_again(event, compiled[:position]) for position, event in enumerate(compiled)):
        return "thrashing"
    # Where no signature was read, at least one was compiled for.
    signatures = len({event.signature for event in compiled} - {None}) or 1
    if signatures == 1:
        return "monomorphic"
    return "polymorphic" if signatures < MEGAMORPHIC else "megamorphic"


def _again(event: CompilationEvent, before: Sequence[CompilationEvent]) -> bool:
    """Whether an earlier call compiled the same program for the same signature, and the framework names no reason.

    With a reason (torch's guard failures) something beside the arguments changed: another entry, not thrashing.
    """
    if event.under is not None or event.signature is None or event.evidence:
        return False
    return any(
        other.under is None
        and (other.program, other.signature) == (event.program, event.signature)
        and other.call != event.call
        for other in before
    )
