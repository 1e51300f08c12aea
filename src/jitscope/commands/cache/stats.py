"""``jitscope cache stats``: what the caches on disk hold, added up."""

from __future__ import annotations

from pathlib import Path

import click

from jitscope.commands.cache.folders import chosen_folders
from jitscope.commands.output import write_out
from jitscope.model.disk import DISK_SCHEMA, DiskListing

_EPILOG = """\b
Examples:
  jitscope cache stats
  jitscope cache stats ~/.cache/jax --format json
"""


@click.command(epilog=_EPILOG)
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def stats(folders: tuple[Path, ...], format_: str) -> None:
    """Add up the caches in DIR, or those in force: entries, bytes, ages, seconds that they stand for, by kind."""
    from jitscope.analysis.disk_sums import disk_sums

    value = disk_sums(DiskListing(DISK_SCHEMA, tuple(chosen_folders(folders))))
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
        return
    from jitscope.render.disk import render_disk_sums

    write_out(render_disk_sums(value))
