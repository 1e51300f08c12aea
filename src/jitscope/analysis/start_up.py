"""What came before the first call that compiled: Python, imports, device runtimes, programs compiled by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jitscope.analysis.eager_programs import eager_programs, is_alone
from jitscope.analysis.index import Index
from jitscope.analysis.part_names import label_of
from jitscope.analysis.parts import Stretch, nest, parts_of, sum_of
from jitscope.model.events import CompilationEvent, ProcessInfo
from jitscope.model.first_call import StartUp


def start_up_of(
    index: Index, firsts: Mapping[int | None, float], processes: Sequence[ProcessInfo] = ()
) -> tuple[StartUp, ...]:
    """Of each process in which a call compiled: what came before the first one.

    ``firsts`` says when that began, by process; ``processes`` are those of a combined recording's header.
    """
    offsets = {position: one.offset_seconds for position, one in enumerate(processes)}
    alone: dict[int | None, list[CompilationEvent]] = {}
    for event in index.compilations:
        if is_alone(event) and event.start < firsts.get(event.process, event.start):
            alone.setdefault(event.process, []).append(event)
    return tuple(
        _before(index, process, until, offsets.get(process or 0, 0.0), alone.get(process, []))
        for process, until in firsts.items()
    )


def _before(
    index: Index, process: int | None, until: float, offset: float, alone: Sequence[CompilationEvent]
) -> StartUp:
    starts = [one for one in index.starts if one.process == process and one.start < until]
    python = next((one for one in starts if one.name == "python"), None)
    # Imports may have been done before the recording began.
    begin = python.start if python is not None else min([offset, *(one.start for one in starts)])
    stretches = [Stretch(one.name, label_of(one.name), one.start, one.seconds) for one in starts]
    for one in alone:
        name = "eager_op" if one.library else "unwatched"
        begins = min((phase.start for phase in one.phases), default=one.start)
        ends = max((phase.start + phase.seconds for phase in one.phases), default=one.start)
        stretches.append(Stretch(name, label_of(name), begins, ends - begins, one.program))
    parts = parts_of(nest(stretches, begin, until), begin)
    seconds = max(until - begin, 0.0)
    return StartUp(
        process=process,
        since="process" if python is not None else "recording",
        seconds=seconds,
        parts=parts,
        not_attributed=max(seconds - sum_of(parts), 0.0),
        eager_ops=eager_programs(alone),
    )
