"""``jitscope cache prune``: entries that can go."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from jitscope.caches.prune import choose
from jitscope.caches.prune import prune as prune_folder
from jitscope.commands.cache.folders import chosen_folders
from jitscope.commands.output import write_out
from jitscope.errors import JitscopeError
from jitscope.model.disk import DISK_SCHEMA, CachePrunings

_EPILOG = """\b
Examples:
  jitscope cache prune --older-than 30d
  jitscope cache prune ~/.cache/jax --max-size 2GB --yes
"""


_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_MOST = 1 << 62
"""Bytes. More than any folder has, and no number of so many digits that it is infinite."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Bytes: ``500MB``, ``1.5GiB``."""
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?))?b?\s*", value.lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is no size: write 500MB, 2GB, 1.5GiB", ctx, param)
    size = float(match[1]) * (_BINARY if match[3] else _BYTES)[match[2] or ""]
    return int(min(size, _MOST))


def _age(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Seconds: ``12h``, ``30d``."""
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", value.lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is no age: write 12h, 30d, 8w", ctx, param)
    return float(match[1]) * _SECONDS[match[2]]


@click.command(epilog=_EPILOG)
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--older-than", callback=_age, metavar="AGE", help="Entries not used for so long: 12h, 30d, 8w.")
@click.option("--max-size", callback=_size, metavar="SIZE", help="Those used longest ago, until the rest fits: 2GB.")
@click.option("--yes", is_flag=True, help="Do it. Without it, only say what would be deleted.")
@click.option("--all", "all_", is_flag=True, help="Name every entry.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def prune(
    folders: tuple[Path, ...], older_than: float | None, max_size: int | None, yes: bool, all_: bool, format_: str
) -> None:
    """Delete entries of the caches in DIR, or of those in force; without --yes, only say which.

    Only files that look like entries of the framework are deleted, none that is behind a link, none that was written
    in the last minute, and nothing in a folder that a program has locked. SIZE is for each folder. When an entry was
    used is what the framework notes, else what the file system does.
    """
    if older_than is None and max_size is None:
        raise click.UsageError("Say what can go: --older-than AGE, --max-size SIZE, or both.")
    now = time.time()
    found = chosen_folders(folders)
    unreadable = [one for one in found if one.error is not None]
    if unreadable and yes:
        raise JitscopeError(f"{unreadable[0].error}; nothing was deleted", slug="no-folder")
    value = CachePrunings(
        DISK_SCHEMA,
        dry_run=not yes,
        folders=tuple(
            prune_folder(one, choose(one, now=now, older_than=older_than, max_size=max_size), dry_run=not yes, now=now)
            for one in found
            if one.error is None
        ),
    )
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
        return
    from jitscope.render.disk_changes import render_cache_pruning

    write_out(render_cache_pruning(value, all_=all_))
