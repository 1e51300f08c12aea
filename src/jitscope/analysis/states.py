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
    # A region compiles several programs, each for signatures of its own; transformed ones are others again.
    by_program: dict[tuple[object, ...], set[int | None]] = {}
    for event in compiled:
        by_program.setdefault((event.program, event.maker, event.under), set()).add(event.signature)
    # Where no signature was read, at least one was compiled for.
    signatures = max(len(found - {None}) or 1 for found in by_program.values())
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
        and (other.program, other.maker, other.signature, other.context)
        == (event.program, event.maker, event.signature, event.context)
        and other.call != event.call
        for other in before
    )
