"""How much was compiled, counted as the report counts it, without judging why: for lists of many recordings."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from jitscope.analysis.compiled import Compiled, program_key
from jitscope.analysis.index import index_events
from jitscope.model.recording import Recording

UNREAD: Final = frozenset({"signature", "context", "calls", "note", "cache", "label"})
"""Kinds of events that a tally does not look at."""

_LIMIT = re.compile(r"recompile[_ ]limit|cache[_ ]size[_ ]limit", re.IGNORECASE)


class Tally(msgspec.Struct, frozen=True):
    """The numbers of one recording; each is the same as in the totals of its report."""

    compilations: int
    recompilations: int
    compile_seconds: float
    recompile_seconds: float
    eager_op_compilations: int
    eager_op_compile_seconds: float
    gave_up: bool
    """The framework gave up compiling one of the functions: the recompile limit."""


def tally(recording: Recording) -> Tally:
    """Count the compilations of ``recording``, which may lack the events of `UNREAD`."""
    index = index_events(recording)
    met: set[tuple[object, ...]] = set()
    compilations = recompilations = eager = 0
    seconds = again = eager_seconds = 0.0
    gave_up = False
    for event in index.compilations:
        if event.function is None:
            eager += event.compiled
            eager_seconds += event.seconds
            continue
        seconds += event.seconds
        gave_up = gave_up or (event.failed is not None and bool(_LIMIT.search(event.failed)))
        if not event.compiled:
            continue
        compilations += 1
        key = program_key(Compiled(event, index.functions[event.function], None))
        if key in met:
            recompilations += 1
            again += event.seconds
        met.add(key)
    return Tally(compilations, recompilations, seconds, again, eager, eager_seconds, gave_up)
