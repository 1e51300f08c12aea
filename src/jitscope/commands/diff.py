"""``jitscope diff``: two runs compared."""

from __future__ import annotations

import click

from jitscope.analysis.compare import compare
from jitscope.commands.choose import files_of, programs, read_together, two_newest
from jitscope.commands.output import write_out

_EPILOG = """\b
Examples:
  jitscope diff
  jitscope diff before.jsonl after.jsonl
  jitscope diff 20261123-101500-4711 newest --format markdown
"""


@click.command(epilog=_EPILOG)
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
    value = compare(read_together(first), read_together(second))
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
    elif format_ == "markdown":
        from jitscope.render.difference_markdown import render_difference_markdown

        write_out(render_difference_markdown(value, all_=all_))
    else:
        from jitscope.render.difference import render_difference

        write_out(render_difference(value, all_=all_, source=str(second[0]) if len(second) == 1 else None))
