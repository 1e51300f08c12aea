"""torch: cache entries that no call has used since a newer one was compiled.

An entry with a dynamic size takes the calls of the static one that it followed; the older entry stays, its guards are
checked, and it counts for the recompile limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from jitscope.model.events import CompilationEvent, FunctionEvent, Run
from jitscope.model.report import Note

FEWEST_CALLS = 5
"""Calls that the newer entries have to have served before an older one is called idle."""


def idle_entries(function: FunctionEvent, events: Sequence[CompilationEvent], runs: Sequence[Run]) -> list[Note]:
    """A note for each entry of ``function`` that was not hit since the next one of its program was compiled.

    Args:
        function: the function.
        events: its compilations, in order.
        runs: its call history, in order.
    """
    notes: list[Note] = []
    entries = [one for one in events if one.compiled and one.resume_of is None and one.framework_id is not None]
    first: dict[int | None, int] = {}
    last_hit: dict[int | None, int] = {}
    for n, run in enumerate(runs):
        first.setdefault(run.compilation, n)
        if run.outcome == "hit":
            last_hit[run.compilation] = n
    hits = [0, *accumulate(run.count if run.outcome == "hit" else 0 for run in runs)]
    newest = max((one.generation for one in entries), default=0)
    for older, newer in pairwise(entries):
        if older.program != newer.program or older.maker != newer.maker or older.generation != newest:
            continue
        start = first.get(newer.id)
        if start is None:
            continue
        served = hits[-1] - hits[start]
        if served >= FEWEST_CALLS and last_hit.get(older.id, -1) < start:
            notes.append(
                Note(
                    "idle-entry",
                    f"{function.name}: no call has used cache entry {older.framework_id} since {newer.framework_id} "
                    f"was compiled ({served} hits of newer entries): it is checked all the same, and counts for the "
                    "recompile limit",
                )
            )
    return notes
