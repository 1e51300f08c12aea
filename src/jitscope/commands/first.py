"""``jitscope first``: where the time of a first call went."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from jitscope.analysis.first_call import first_calls
from jitscope.analysis.first_select import select_call
from jitscope.commands.choose import run_of
from jitscope.commands.completing import complete_function, complete_recording
from jitscope.commands.output import write_out
from jitscope.errors import JitscopeError

_EPILOG = """\b
Examples:
  jitscope first
  jitscope first train_step run.jsonl
  jitscope first 'train_step#3' --format json
"""
_RECORDING = re.compile(r".*\.jsonl|\d{8}-\d{6}-.+|newest")


@click.command(epilog=_EPILOG)
@click.argument("function", metavar="[FUNCTION[#N]]", required=False, shell_complete=complete_function)
@click.argument("file", required=False, type=click.Path(path_type=Path), shell_complete=complete_recording)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--all", "all_", is_flag=True, help="Show every call, and every step however short.")
def first(function: str | None, file: Path | None, format_: str, all_: bool) -> None:
    """Tell where the time of FUNCTION's first call went: imports, trace, lower, compile, caches, its first run.

    The steps add up to the wall time of the call; what was not measured is told as not attributed. FUNCTION is told as
    for jitscope why; with #N (step#3), the call of its compilation N. Without FUNCTION: all first calls, the longest
    first, and what came before them. FILE can be a run id; without it, the newest recording.

    The second call and the steady state are in it where the program called jitscope.first_call(function, *args).
    """
    if function is not None and Path(function).is_file() and file is not None and not file.exists():
        other = f"jitscope first {file} {function}"
        raise JitscopeError(f"{function} is a file; the function comes first: {other}", slug="swapped-arguments")
    if function is not None and file is None and (_RECORDING.fullmatch(function) or Path(function).is_file()):
        file, function = Path(function), None
    run = run_of(file)
    if function is None:
        found = first_calls(run.recording)
        if format_ == "json":
            from jitscope.render.json import render_json

            write_out(render_json(found))
            return
        from jitscope.render.first_call import render_first_calls

        longest = found.calls[0].name.rpartition("<locals>.")[2] if found.calls else None
        command = f"jitscope first {shlex.quote(longest)} {shlex.quote(run.source)}" if longest else None
        write_out(render_first_calls(found, all_=all_, command=command))
        return
    one, start_up = select_call(run.recording, function)
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(one))
        return
    from jitscope.render.first_call import render_first_call

    command = f"jitscope why {shlex.quote(function)} {shlex.quote(run.source)}"
    write_out(render_first_call(one, start_up, all_=all_, command=command))
