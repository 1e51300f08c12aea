"""``jitscope report``: a recording, judged and shown."""

from __future__ import annotations

from pathlib import Path

import click

from jitscope.analysis.build import build_report
from jitscope.analysis.select import select_functions
from jitscope.commands.choose import run_of
from jitscope.commands.completing import complete_function, complete_recording
from jitscope.commands.forms import FORMS, PLOT_NAMES, TABLE_NAMES, Wanted, form_of, hint_of
from jitscope.commands.measured import measured_for
from jitscope.commands.output import refuse_overwriting, write_err, write_file, write_out

_EPILOG = """\b
Examples:
  jitscope report
  jitscope report run.jsonl --all
  jitscope report run.jsonl --function 'train*'
  jitscope report -o report.html
  jitscope report -o run.perfetto.json
  jitscope report --format csv --table functions
  jitscope report -o graph.svg --plot graph
"""


@click.command(epilog=_EPILOG)
@click.argument("file", required=False, type=click.Path(path_type=Path), shell_complete=complete_recording)
@click.option(
    "--format",
    "format_",
    type=click.Choice([*FORMS]),
    help="Default: by the ending of -o, else text. html: one page, for a browser. perfetto: a trace, for "
    "ui.perfetto.dev. svg, png: a picture. The last three: the recompilation graph and the call graph.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file; - is standard output.")
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
@click.option("--all", "all_", is_flag=True, help="Show every function and every compilation.")
@click.option(
    "--function",
    metavar="NAME",
    shell_complete=complete_function,
    help="Only this function, with every compilation; * is a wildcard.",
)
@click.option("--table", type=click.Choice(TABLE_NAMES), help="Of csv: which table. Default: compilations.")
@click.option("--plot", type=click.Choice(PLOT_NAMES), help="Of svg and png: which picture. Default: timeline.")
def report(
    file: Path | None,
    format_: str | None,
    output: Path | None,
    force: bool,
    all_: bool,
    function: str | None,
    table: str | None,
    plot: str | None,
) -> None:
    """Report on the recording FILE, or on a run by its id; without FILE, on the newest one.

    A run's processes are reported together. Recordings are looked for in $JITSCOPE_DIR, or in .jitscope; jitscope ls
    lists them.
    """
    if output is not None and str(output) == "-":
        output = None
    chosen = format_ or (form_of(output) if output is not None else "csv" if table is not None else "text")
    _refuse_needless(chosen, table, plot)
    run = run_of(file)
    if output is not None:
        for source in run.paths:
            refuse_overwriting(output, source=source, force=force)
    judged = build_report(run.recording, measured_for(run.recording, run.paths))
    if function is not None:
        judged = select_functions(judged, function)
        all_ = True
    made = FORMS[chosen](Wanted(run, judged, all_=all_, file=output is not None, table=table, plot=plot))
    if output is None:
        write_out(made)
        return
    write_file(output, made, force=force)
    hint = hint_of(chosen, output)
    if hint is not None:
        write_err(f"{hint}\n")


def _refuse_needless(chosen: str, table: str | None, plot: str | None) -> None:
    if table is not None and chosen != "csv":
        raise click.UsageError(f"--table is for --format csv, not for {chosen}")
    if plot is not None and chosen not in {"svg", "png"}:
        raise click.UsageError(f"--plot is for --format svg and png, not for {chosen}; or name the file: -o {plot}.svg")
