"""Lists of recordings, put together from what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from jitscope.analysis.programs import group_programs, parts_of_others
from jitscope.analysis.tally import Tally
from jitscope.model.events import Header
from jitscope.model.listing import ListedProgram, ListedRecording, Listing, State, Verdict

LISTING_SCHEMA = 1


class Found(msgspec.Struct, frozen=True):
    """A file, and what was read of it."""

    file: str
    bytes: int
    header: Header | None
    state: State | None = None
    wall_seconds: float | None = None
    torn: bool = False
    tally: Tally | None = None
    error: str | None = None


def listing_of(folder: str, found: Sequence[Found]) -> Listing:
    """Group what was found in ``folder`` by program."""
    readable = [one for one in found if one.header is not None]
    headers = [one.header for one in readable if one.header is not None]
    walls = [one.wall_seconds if one.state == "complete" else None for one in readable]
    within: dict[int, int] = {}
    programs: list[ListedProgram] = []
    for program in group_programs(headers):
        members = program.members
        inner = parts_of_others([headers[each] for each in members], [walls[each] for each in members])
        within |= {members[part]: members[whole] for part, whole in inner.items()}
        listed = [
            _listed(readable[each], headers[within[each]].run if each in within else None) for each in program.members
        ]
        programs.append(_program(program.id, listed))
    unreadable = tuple(_listed(one, None) for one in found if one.header is None)
    return Listing(LISTING_SCHEMA, folder, tuple(programs), unreadable)


def _program(identity: str, listed: Sequence[ListedRecording]) -> ListedProgram:
    counted = [one for one in listed if one.part_of is None]
    walls = [one.wall_seconds for one in counted if one.wall_seconds is not None]
    return ListedProgram(
        id=identity,
        recordings=tuple(listed),
        wall_seconds=max(walls, default=None),
        compilations=sum(one.compilations or 0 for one in counted),
        recompilations=sum(one.recompilations or 0 for one in counted),
        compile_seconds=sum(one.compile_seconds or 0.0 for one in counted),
        recompile_seconds=sum(one.recompile_seconds or 0.0 for one in counted),
        eager_op_compilations=sum(one.eager_op_compilations or 0 for one in counted),
        eager_op_compile_seconds=sum(one.eager_op_compile_seconds or 0.0 for one in counted),
        verdict=_worst(one.verdict for one in counted),
    )


def _listed(one: Found, part_of: str | None) -> ListedRecording:
    header, tally = one.header, one.tally
    return ListedRecording(
        file=one.file,
        bytes=one.bytes,
        run=header.run if header is not None else None,
        process=_label(header) if header is not None else None,
        started=header.started if header is not None else None,
        argv=header.argv if header is not None else (),
        host=header.host if header is not None else None,
        pid=header.pid if header is not None else None,
        state=one.state,
        torn=one.torn,
        combined=len(header.processes) if header is not None else 0,
        part_of=part_of,
        wall_seconds=one.wall_seconds,
        compilations=tally.compilations if tally is not None else None,
        recompilations=tally.recompilations if tally is not None else None,
        compile_seconds=tally.compile_seconds if tally is not None else None,
        recompile_seconds=tally.recompile_seconds if tally is not None else None,
        eager_op_compilations=tally.eager_op_compilations if tally is not None else None,
        eager_op_compile_seconds=tally.eager_op_compile_seconds if tally is not None else None,
        verdict=_verdict(tally) if tally is not None else None,
        error=one.error,
    )


def _label(header: Header) -> str:
    if header.rank is not None:
        return f"rank {header.rank}"
    return header.process or f"pid {header.pid}"


_ORDER: tuple[Verdict, ...] = ("gave up compiling", "recompiled", "compiled once", "nothing compiled")


def _verdict(tally: Tally) -> Verdict:
    if tally.gave_up:
        return "gave up compiling"
    if tally.recompilations:
        return "recompiled"
    return "compiled once" if tally.compilations or tally.eager_op_compilations else "nothing compiled"


def _worst(verdicts: Iterable[Verdict | None]) -> Verdict:
    known = [each for each in verdicts if each is not None]
    return min(known, key=_ORDER.index, default="nothing compiled")
