"""``jitscope cache ls``: what is in the caches on disk."""

from __future__ import annotations

from pathlib import Path

import click

from jitscope.commands.cache.folders import chosen_folders
from jitscope.commands.output import write_out
from jitscope.model.disk import DISK_SCHEMA, DiskListing

_EPILOG = """\b
Examples:
  jitscope cache ls
  jitscope cache ls ~/.cache/jax --sort size
  jitscope cache ls --all --format json
"""


@click.command(epilog=_EPILOG)
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--sort",
    type=click.Choice(["use", "size", "saved", "name"]),
    default="use",
    show_default=True,
    help="use: the one used last first.",
)
@click.option("--all", "all_", is_flag=True, help="Every entry, generated code included.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def ls(folders: tuple[Path, ...], sort: str, all_: bool, format_: str) -> None:
    """List the entries of the caches in DIR, or of those in force.

    An entry's function is told where a recording in $JITSCOPE_DIR or .jitscope asked for it. What compiling took is
    what the entry says, or what a recording measured: JAX keeps whole seconds only.
    """
    value = DiskListing(DISK_SCHEMA, tuple(chosen_folders(folders)))
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
        return
    from jitscope.render.disk import render_disk_listing

    write_out(render_disk_listing(value, sort=sort, all_=all_))
