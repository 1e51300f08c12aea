"""``jitscope cache verify``: entries that can't be read."""

from __future__ import annotations

from pathlib import Path

import click

from jitscope.caches.verify import verify as verify_folder
from jitscope.commands.cache.folders import chosen_folders
from jitscope.commands.output import write_out
from jitscope.commands.progress import track
from jitscope.errors import FAILED, JitscopeError
from jitscope.model.disk import DISK_SCHEMA, CacheChecks

_EPILOG = """\b
Examples:
  jitscope cache verify
  jitscope cache verify ~/.cache/jax --format json
"""


@click.command(epilog=_EPILOG)
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(folders: tuple[Path, ...], format_: str) -> None:
    """Read every entry of the caches in DIR, or of those in force, and say which are broken; exit code 1 if any is.

    Entries are checked by their form; nothing of them is loaded or run, since a cache's entries can hold code.
    """
    found = chosen_folders(folders)
    readable = [one for one in found if one.error is None]
    if not readable:
        raise JitscopeError(str(found[0].error), slug="no-folder")
    value = CacheChecks(DISK_SCHEMA, tuple(verify_folder(one) for one in track(readable, "checking entries")))
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
    else:
        from jitscope.render.disk_changes import render_cache_checks

        write_out(render_cache_checks(value))
    if any(one.broken for one in value.folders):
        raise click.exceptions.Exit(FAILED)
