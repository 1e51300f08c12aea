"""``jitscope warm``: compile, before traffic comes, what an earlier run compiled."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import click

from jitscope.commands.choose import run_of
from jitscope.commands.completing import complete_recording
from jitscope.commands.output import refuse_overwriting, write_err, write_file, write_out
from jitscope.errors import FAILED

_EPILOG = """\b
Examples:
  jitscope warm run.jsonl serve:attention
  jitscope warm newest serve:attention serve:decode --max-seconds 60
  jitscope warm run.jsonl serve:step --arguments serve:known
  jitscope warm run.jsonl serve:attention --emit warm.py
"""


@click.command(epilog=_EPILOG)
@click.argument("recording", type=click.Path(path_type=Path), shell_complete=complete_recording)
@click.argument("functions", metavar="MODULE:FUNCTION...", nargs=-1, required=True)
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
              help="Begin nothing that is not expected to end in this time.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="How many of JAX's compile at once.")
@click.option("--arguments", metavar="MODULE:NAME", help="What can't be rebuilt: a dict by argument, or a function.")
@click.option("--no-check", is_flag=True, help="Do not ask at the end what would still compile.")
@click.option("--emit", type=click.Path(path_type=Path), metavar="FILE",
              help="Compile nothing; write a Python file that does, without jitscope.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite the file of --emit.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--all", "all_", is_flag=True, help="Show every signature.")
def warm(
    recording: Path,
    functions: tuple[str, ...],
    max_seconds: float | None,
    jobs: int | None,
    arguments: str | None,
    no_check: bool,
    emit: Path | None,
    force: bool,
    format_: str,
    all_: bool,
) -> None:
    """Compile every signature that functions met in RECORDING (a file, a run's id, or newest).

    MODULE:FUNCTION is imported from the current folder or where Python finds it; MODULE:FUNCTION=NAME where the
    recording calls it NAME. JAX lowers and compiles without executing; torch.compile compiles by calling, so the
    function runs, on zeros. What is compiled ends with this process, but for the persistent caches: set
    JAX_COMPILATION_CACHE_DIR or TORCHINDUCTOR_CACHE_DIR, or call jitscope.warm in the program itself.

    Exit code 1 where a signature could not be warmed, or would still compile.
    """
    if emit is not None:
        refuse_overwriting(emit, source=recording, force=force)
    run = run_of(recording)
    gc.enable()  # from here on it is the user's program
    from jitscope.commands.importing import imported, targets_of

    sys.path.insert(0, "")
    given: Any = imported(arguments, "--arguments") if arguments is not None else None
    targets = targets_of(functions, given, arguments or "")
    if emit is not None:
        from jitscope.warming.emit import emit_script

        text, count, skipped = emit_script(targets, run.recording)
        write_file(emit, text, force=force)
        for line in skipped:
            write_err(f"jitscope: not in {emit}: {line}\n")
        write_err(f"jitscope: {count} signatures in {emit}: python {emit}\n")
        return
    from jitscope.warming.run import warm_all

    warmed = warm_all(targets, run.recording, jobs=jobs, max_seconds=max_seconds, check=not no_check)
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(warmed))
    else:
        from jitscope.render.warming import render_warming

        write_out(render_warming(warmed, all_=all_, process_ends=True))
    if not warmed.ready:
        click.get_current_context().exit(FAILED)
