"""``jitscope diff``: two runs compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from jitscope.analysis.combine import combine
from jitscope.analysis.compare import compare
from jitscope.analysis.programs import refuse_strangers
from jitscope.commands.choose import files_of, programs, two_newest, without_parts
from jitscope.commands.output import write_out
from jitscope.model.recording import Recording
from jitscope.store.reader import load, read_header


@click.command()
@click.argument("before", metavar="[A]", required=False)
@click.argument("after", metavar="[B]", required=False)
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--all", "all_", is_flag=True, help="Show every function, compilation and cause that changed.")
def diff(before: str | None, after: str | None, format_: str, all_: bool) -> None:
    """Compare two runs: A before a change, B after it.

    Each is a recording's file, or the id of a run: then with all processes of its program. Without B, the newest run;
    without both, the one before it and the newest one. Where two runs differ in more than the program, the first
    lines say so.
    """
    if before is None:
        first, second = two_newest()
    else:
        first = files_of(before, whole=False)
        second = programs()[0] if after is None else files_of(after, whole=False)
    value = compare(_read(first), _read(second))
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
    elif format_ == "markdown":
        from jitscope.render.difference_markdown import render_difference_markdown

        write_out(render_difference_markdown(value, all_=all_))
    else:
        from jitscope.render.difference import render_difference

        write_out(render_difference(value, all_=all_, source=str(second[0]) if len(second) == 1 else None))


def _read(paths: Sequence[Path]) -> Recording:
    """The recordings of one run, as one."""
    found = [(read_header(path), path) for path in paths]
    refuse_strangers([header for header, _ in found], [str(path) for path in paths])
    chosen, _ = without_parts(found)
    return combine([load(path) for _, path in chosen])
