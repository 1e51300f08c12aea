"""What earlier recordings measured, for a command that shows one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jitscope.model.events import CompilationEvent
from jitscope.model.recording import Recording
from jitscope.store.measured import measured_beside


def measured_for(recording: Recording, paths: Sequence[Path]) -> dict[str, float]:
    """What compiling took of the programs that ``recording`` found in JAX's cache, from the recordings beside it."""
    keys = {
        lookup.key
        for event in recording.events
        if isinstance(event, CompilationEvent)
        for lookup in event.caches
        if lookup.result == "hit" and lookup.stored_whole and lookup.key
    }
    found: dict[str, float] = {}
    for folder in {path.parent for path in paths} if keys else ():
        found = measured_beside(folder, keys, but=paths) | found
    return found
