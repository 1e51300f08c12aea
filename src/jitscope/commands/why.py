"""``jitscope why``: the story of one function, or of one of its compilations."""

from __future__ import annotations

from pathlib import Path

import click

from jitscope.analysis.story import story_of
from jitscope.commands.choose import run_of
from jitscope.commands.completing import complete_function, complete_recording
from jitscope.commands.measured import measured_for
from jitscope.commands.output import write_out
from jitscope.errors import JitscopeError

_EPILOG = """\b
Examples:
  jitscope why train_step
  jitscope why train_step#3 run.jsonl
  jitscope why train.py:12 --format json
"""


@click.command(epilog=_EPILOG)
@click.argument("function", metavar="FUNCTION[#N]", shell_complete=complete_function)
@click.argument("file", required=False, type=click.Path(path_type=Path), shell_complete=complete_recording)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--all", "all_", is_flag=True, help="Show every compilation, signature and leaf.")
def why(function: str, file: Path | None, format_: str, all_: bool) -> None:
    """Tell why FUNCTION was compiled: each time, what changed, and what lay between.

    FUNCTION is a name or its last part (step), the place of a definition (train.py:12), or an id (f3). With #N
    (step#3), all about its compilation N. FILE can be a run id; without it, the newest recording.
    """
    if Path(function).is_file() and (file is None or not file.exists()):
        other = f"jitscope why {file or 'FUNCTION'} {function}"
        raise JitscopeError(f"{function} is a file; the function comes first: {other}", slug="swapped-arguments")
    run = run_of(file)
    story = story_of(run.recording, function, measured_for(run.recording, run.paths))
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(story))
        return
    # A renderer is imported when it is used: rich takes longer than all the rest.
    from jitscope.render.why import render_why

    write_out(render_why(story, all_=all_, source=run.source))
