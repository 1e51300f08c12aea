"""Which recordings are of one program: its processes, or the ranks of one launch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.events import Header
from jitscope.model.notation import cut

LAUNCH_SECONDS = 60.0
"""Ranks that a launcher starts, start within this time of the first of them."""


class Program(msgspec.Struct, frozen=True):
    """The recordings of one program, by their position among those that were given."""

    id: str
    """Run id of its first process."""
    members: tuple[int, ...]
    """In the order of `process_order`: the first process, or the lowest rank, first."""


def started_at(header: Header) -> float:
    """Start by the wall clock, in seconds since 1970; 0 where the header says nothing that is a time."""
    try:
        moment = datetime.fromisoformat(header.started)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def process_order(header: Header) -> tuple[object, ...]:
    """Sorts the recordings of one program the same, in whatever order they come."""
    rank = -1 if header.rank is None else header.rank
    child = header.parent is not None or header.program not in (None, header.run)
    return (rank, child, started_at(header), header.host, header.pid, header.monotonic, header.run)


def group_programs(headers: Sequence[Header]) -> list[Program]:
    """The programs that ``headers`` belong to, the one that started last first.

    Recordings with one `Header.program` are one program's. Where that is not told, ranks of one world size and one
    command line that started within `LAUNCH_SECONDS`, each rank once, are one launch's. Every other recording is a
    program's alone.
    """
    groups: dict[str, list[int]] = {}
    launches: dict[tuple[object, ...], list[list[int]]] = {}
    for position in sorted(range(len(headers)), key=lambda each: started_at(headers[each])):
        header = headers[position]
        if header.processes:
            groups.setdefault(f"combined {header.run} {position}", []).append(position)
        elif header.program is not None:
            groups.setdefault(header.program, []).append(position)
        elif header.rank is not None and (header.world_size or 0) > 1:
            known = launches.setdefault((header.argv, header.cwd, header.world_size), [])
            if not known or not _joins(header, [headers[each] for each in known[-1]]):
                known.append([])
            known[-1].append(position)
        else:
            # A first process that did not know yet that it would be followed.
            groups.setdefault(header.run, []).append(position)
    found = [*groups.values(), *(each for known in launches.values() for each in known)]
    programs = [_program(headers, members) for members in found]
    return sorted(programs, key=lambda one: (-started_at(headers[one.members[0]]), one.id))


def _joins(header: Header, launch: Sequence[Header]) -> bool:
    soon = started_at(header) - started_at(launch[0]) <= LAUNCH_SECONDS
    return soon and all(header.rank != other.rank for other in launch)


def _program(headers: Sequence[Header], members: Iterable[int]) -> Program:
    ordered = tuple(sorted(members, key=lambda each: process_order(headers[each])))
    first = headers[ordered[0]]
    return Program(first.run if first.processes else first.program or first.run, ordered)


def parts_of_others(headers: Sequence[Header], walls: Sequence[float | None]) -> dict[int, int]:
    """Recordings that are given twice, or were made inside another one by the same process: its position, by theirs.

    What they hold is in the other one as well. ``walls`` is how long each recording took, in seconds; None for one
    without an end, which is taken to last for ever.
    """
    found: dict[int, int] = {}
    whole: dict[tuple[str, int], list[int]] = {}
    for position in sorted(range(len(headers)), key=lambda each: (headers[each].monotonic, headers[each].run)):
        header = headers[position]
        mine = whole.setdefault((header.host, header.pid), [])
        around = next((each for each in mine if _lasts(headers[each], walls[each], header)), None)
        if around is None:
            mine.append(position)
        else:
            found[position] = around
    return found


def _lasts(header: Header, wall: float | None, other: Header) -> bool:
    """Whether a recording was still being made when ``other`` began."""
    if header.run == other.run and header.monotonic == other.monotonic:
        return True
    return wall is None or other.monotonic < header.monotonic + wall


def refuse_strangers(headers: Sequence[Header], names: Sequence[str], *, any_: bool = False) -> None:
    """Raise where the recordings called ``names`` are not all of one program, or are combined ones.

    With ``any_``, of whatever programs they are.

    Raises:
        JitscopeError: naming two that do not belong together, and why.
    """
    programs = group_programs(headers)
    for header, name in zip(headers, names, strict=True):
        if header.processes and len(headers) > 1:
            raise JitscopeError(
                f"{name} is a combined recording already: combine the recordings that it was made from",
                slug="combined-already",
            )
    if len(programs) == 1 or any_:
        return
    one, other = programs[0].members[0], programs[1].members[0]
    first, second = headers[one], headers[other]
    told, else_told = cut(" ".join(first.argv), 60), cut(" ".join(second.argv), 60)
    why = (
        f"{told or 'no command line'} and {else_told or 'no command line'}"
        if told != else_told
        else f"two runs of {told or 'a program'}, {programs[0].id} and {programs[1].id}; to compare them: jitscope diff"
    )
    raise JitscopeError(
        f"{names[one]} and {names[other]} are not of one run: {why}; to combine them all the same, add --any",
        slug="not-one-run",
    )


def outdated(headers: Sequence[Header], running: Sequence[bool], keep: int) -> tuple[list[int], list[int]]:
    """The recordings of all but the ``keep`` newest programs; and those of them that stay, since a process still runs.

    A program of which one process runs stays whole, and what was combined of a program goes with it. Both are
    positions, the newest program's first.
    """
    old: list[int] = []
    busy: list[int] = []
    members: dict[str, list[int]] = {}
    for program in group_programs(headers):
        members.setdefault(program.id, []).extend(program.members)
    for several in list(members.values())[keep:]:
        (busy if any(running[each] for each in several) else old).extend(several)
    return old, busy
