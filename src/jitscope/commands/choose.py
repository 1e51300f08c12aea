"""Which recordings a command is about, where it takes whole programs."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jitscope.analysis.combine import combine
from jitscope.analysis.programs import Program, group_programs, parts_of_others, refuse_strangers
from jitscope.errors import JitscopeError
from jitscope.model.events import Header
from jitscope.model.recording import Recording
from jitscope.model.report import Note
from jitscope.store.locate import NEWEST, directory, newest, no_recordings, resolve
from jitscope.store.reader import load, read_end, read_header
from jitscope.store.shelf import Glance, glance_at


def programs() -> list[list[Path]]:
    """The recordings of each program in the usual folder, the newest program first; combined ones are left out.

    Raises:
        JitscopeError: if there are none.
    """
    return [paths for _, paths in _known()]


def files_of(wanted: str, *, whole: bool) -> list[Path]:
    """The recordings that ``wanted`` means.

    Args:
        wanted: a path: that file alone; the id of a program, or ``newest``: the recordings of all its processes; the
            id of another run: its recording.
        whole: the id of any process means all of its program.

    Raises:
        JitscopeError: if there is no such recording.
    """
    path = Path(wanted)
    if path.exists() or path.is_symlink():
        return [path]
    if wanted == NEWEST:
        return programs()[0]
    for program, paths in _known(must=False):
        if program.id == wanted or (whole and wanted in {one.stem for one in paths}):
            return paths
    return [resolve(wanted)]


@dataclass(frozen=True, slots=True)
class Run:
    """What a command that takes one recording reads."""

    recording: Recording
    """Where a program had several processes, theirs put together."""
    source: str
    """What names it on the command line: a path, or the id of a run."""
    paths: tuple[Path, ...]


def run_of(wanted: str | Path | None) -> Run:
    """The run that ``wanted`` means: a path means that file alone, a run's id, and None, all processes of its program.

    Raises:
        JitscopeError: if there is none, or a recording of it can't be read.
    """
    if wanted is None:
        paths, source = _newest()
    else:
        paths, source = files_of(str(wanted), whole=True), str(wanted)
    gc.disable()  # a recording has no cycles, and looking for some in millions of values takes as long as all the rest
    recording = read_together(paths)
    return Run(recording, source if len(paths) > 1 else str(paths[0]), tuple(paths))


def _newest() -> tuple[list[Path], str]:
    latest = newest()
    for program, paths in _known(must=False):
        if latest in paths:
            return paths, program.id
    return [latest], str(latest)


def read_together(paths: Sequence[Path]) -> Recording:
    """The recordings of one run, as one.

    Raises:
        JitscopeError: if one can't be read, or they are not of one run.
    """
    if len(paths) == 1:
        return load(paths[0])
    found = [(read_header(path), path) for path in paths]
    refuse_strangers([header for header, _ in found], [str(path) for path in paths])
    chosen, _ = without_parts(found)
    return combine([load(path) for _, path in chosen])


def two_newest() -> tuple[list[Path], list[Path]]:
    """The recordings of the program before the newest one, and of the newest one.

    Raises:
        JitscopeError: if there are fewer than two.
    """
    known = programs()
    if len(known) < 2:
        raise JitscopeError(
            f"there is one program in {directory()}, {known[0][0].stem}: run it again after a change, or name two "
            "recordings",
            slug="one-program-only",
        )
    return known[1], known[0]


def _known(*, must: bool = True) -> list[tuple[Program, list[Path]]]:
    where = directory()
    found: list[Glance] = glance_at(where)
    readable = [(one.path, one.header) for one in found if one.header is not None and not one.header.processes]
    if must and not readable:
        raise no_recordings(where)
    groups = group_programs([header for _, header in readable])
    return [(program, [readable[each][0] for each in program.members]) for program in groups]


def without_parts(found: Sequence[tuple[Header, Path]]) -> tuple[list[tuple[Header, Path]], list[Note]]:
    """Leave out what another recording of the same process holds as well, and say so."""
    ends = [read_end(path) for _, path in found]
    within = parts_of_others([header for header, _ in found], [end.wall_seconds if end else None for end in ends])
    notes = [
        Note(
            "part-of-another",
            f"{found[part][1].name} is left out: {found[whole][1].name} holds all of it, "
            "the same process made both at the same time",
        )
        for part, whole in sorted(within.items())
    ]
    return [one for position, one in enumerate(found) if position not in within], notes
