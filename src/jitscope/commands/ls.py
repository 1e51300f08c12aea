"""``jitscope ls``: the recordings in a folder, and throwing old ones away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from jitscope.analysis.listing import LISTING_SCHEMA, Found, listing_of
from jitscope.analysis.programs import group_programs, outdated
from jitscope.analysis.tally import UNREAD, tally
from jitscope.commands.output import write_out
from jitscope.commands.progress import track
from jitscope.errors import JitscopeError
from jitscope.model.listing import Listing, Pruned, Pruning, State
from jitscope.store.locate import directory
from jitscope.store.reader import load
from jitscope.store.shelf import Glance, delete, glance_at

_STATES: dict[str, State] = {"yes": "running", "no": "unfinished", "unknown": "unknown"}


_EPILOG = """\b
Examples:
  jitscope ls
  jitscope ls --keep 20 --dry-run
  jitscope ls runs --format json
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Delete the recordings of all but N programs.")
@click.option("--dry-run", is_flag=True, help="With --keep: only say what would be deleted.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def ls(folder: Path | None, keep: int | None, dry_run: bool, format_: str) -> None:
    """List the recordings in FOLDER, those of the newest program first.

    Without FOLDER, in $JITSCOPE_DIR or in .jitscope. Recordings of one program's processes are listed together.

    With --keep N, the recordings of all but the N newest programs are deleted instead, without asking: nothing but
    recordings, and none of a program that still runs.
    """
    if dry_run and keep is None:
        raise click.UsageError("--dry-run goes with --keep N.")
    where = directory() if folder is None else folder
    if folder is not None and not where.is_dir():
        what = "is a file" if where.exists() else "does not exist"
        raise JitscopeError(f"{where} {what}: name a folder of recordings", slug="no-folder")
    found = glance_at(where)
    value = _listing(where, found) if keep is None else _prune(where, found, keep, dry_run=dry_run)
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
        return
    from jitscope.render.listing import render_listing, render_pruning

    text = render_listing(value, usual=folder is None) if isinstance(value, Listing) else render_pruning(value)
    write_out(text)


def _listing(where: Path, found: Sequence[Glance]) -> Listing:
    return listing_of(str(where), [_read(one) for one in track(found, "reading recordings")])


def _read(one: Glance) -> Found:
    """Count what is in a recording; not all of it is read."""
    if one.header is None:
        return Found(one.path.name, one.bytes, None, error=one.error)
    state: State = "complete" if one.end is not None else _STATES[one.alive]
    try:
        recording = load(one.path, without=UNREAD)
    except JitscopeError as error:
        return Found(one.path.name, one.bytes, one.header, state, error=str(error))
    wall, torn = recording.wall_seconds, recording.torn
    return Found(one.path.name, one.bytes, one.header, state, wall, torn, tally(recording))


def _prune(where: Path, found: Sequence[Glance], keep: int, *, dry_run: bool) -> Pruning:
    known = [(one, one.header) for one in found if one.header is not None]
    headers = [header for _, header in known]
    old, busy = outdated(headers, [one.alive == "yes" for one, _ in known], keep)
    chosen = [known[each][0] for each in old]
    fate = {one.path: _would_stay(one) for one in chosen} if dry_run else delete([one.path for one in chosen])
    deleted = [_pruned(one, None) for one in chosen if fate[one.path] is None]
    kept = [_pruned(one, fate[one.path]) for one in chosen if fate[one.path] is not None]
    kept += [_pruned(known[each][0], "its program still runs") for each in busy]
    return Pruning(
        schema=LISTING_SCHEMA,
        folder=str(where),
        dry_run=dry_run,
        keep=keep,
        programs_kept=min(keep, len({program.id for program in group_programs(headers)})),
        deleted=tuple(deleted),
        kept=tuple(kept),
    )


def _would_stay(one: Glance) -> str | None:
    return "not a recording's file" if one.path.is_symlink() else None


def _pruned(one: Glance, kept: str | None) -> Pruned:
    header = one.header
    assert header is not None
    return Pruned(one.path.name, header.run, header.started, one.bytes, kept)
