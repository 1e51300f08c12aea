"""``jitscope html``: a recording as one page, for a browser."""

from __future__ import annotations

import shlex
import webbrowser
from pathlib import Path

import click

from jitscope.analysis.build import build_report
from jitscope.commands.choose import run_of
from jitscope.commands.completing import complete_recording
from jitscope.commands.measured import measured_for
from jitscope.commands.output import refuse_overwriting, write_err, write_file, write_out
from jitscope.model.notation import printable

_EPILOG = """\b
Examples:
  jitscope html --open
  jitscope html run.jsonl -o report.html
"""


@click.command(epilog=_EPILOG)
@click.argument("file", required=False, type=click.Path(path_type=Path), shell_complete=complete_recording)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to this file. Default: <run id>.html, here."
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
def html(file: Path | None, output: Path | None, force: bool, open_: bool) -> None:
    """Write the report on the recording FILE, or on a run by its id, as one HTML page; without FILE, on the newest one.

    The page opens from disk and loads nothing from anywhere. It holds what the recording holds: names of files and
    functions, shapes, static values.
    """
    from jitscope.render.html.page import render_html

    run = run_of(file)
    target = output or Path(f"{run.recording.header.run}.html")
    for source in run.paths:
        refuse_overwriting(target, source=source, force=force)
    write_file(
        target,
        render_html(run.recording, build_report(run.recording, measured_for(run.recording, run.paths))),
        force=force,
    )
    opened = open_ and webbrowser.open(target.resolve().as_uri())
    if open_ and not opened:
        write_err("jitscope: no browser was found: open the file in one\n")
    write_out(f"{printable(str(target))}\n")
    if not open_:
        write_out(f"jitscope html {shlex.quote(printable(run.source))} --force --open\n")
