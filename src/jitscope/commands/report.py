"""``jitscope report``: a recording, judged and shown."""

from __future__ import annotations

from pathlib import Path

import click

from jitscope.analysis.build import build_report
from jitscope.analysis.select import select_functions
from jitscope.commands.choose import run_of
from jitscope.commands.completing import complete_function, complete_recording
from jitscope.commands.measured import measured_for
from jitscope.commands.output import refuse_overwriting, write_file, write_out
from jitscope.model.report import Report
from jitscope.render.graph import GraphFormat

_BY_SUFFIX = {".json": "json", ".graphml": "graphml", ".dot": "dot", ".gv": "dot"}
_GRAPHS: dict[str, GraphFormat] = {"graphml": "graphml", "dot": "dot", "graph-json": "json"}


_EPILOG = """\b
Examples:
  jitscope report
  jitscope report run.jsonl --all
  jitscope report run.jsonl --function 'train*'
  jitscope report -o report.json
"""


@click.command(epilog=_EPILOG)
@click.argument("file", required=False, type=click.Path(path_type=Path), shell_complete=complete_recording)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "graphml", "dot", "graph-json"]),
    help="Default: by the ending of -o, else text. The last three: the recompilation graph and the call graph.",
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
def report(
    file: Path | None, format_: str | None, output: Path | None, force: bool, all_: bool, function: str | None
) -> None:
    """Report on the recording FILE, or on a run by its id; without FILE, on the newest one.

    A run's processes are reported together. Recordings are looked for in $JITSCOPE_DIR, or in .jitscope; jitscope ls
    lists them.
    """
    run = run_of(file)
    if output is not None and str(output) == "-":
        output = None
    if output is not None:
        for source in run.paths:
            refuse_overwriting(output, source=source, force=force)
    chosen = format_ or (_BY_SUFFIX.get(output.suffix.lower(), "text") if output is not None else "text")
    judged = build_report(run.recording, measured_for(run.recording, run.paths))
    if function is not None:
        judged = select_functions(judged, function)
        all_ = True
    text = _render(judged, chosen, run.source, all_=all_, file=output is not None)
    if output is None:
        write_out(text)
    else:
        write_file(output, text, force=force)


def _render(judged: Report, chosen: str, source: str, *, all_: bool, file: bool) -> str:
    # A renderer is imported when it is used: rich takes longer than all the rest.
    if chosen == "json":
        from jitscope.render.json import render_json

        return render_json(judged)
    if chosen in _GRAPHS:
        from jitscope.render.graph import render_graph

        return render_graph(judged, "both", _GRAPHS[chosen])
    from jitscope.render.text import render_text

    return render_text(judged, source=source, all_=all_, color=False if file else None, width=80 if file else None)
