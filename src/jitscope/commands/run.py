"""``jitscope run``: a program, unchanged, and a report of what it compiled."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jitscope.commands.handover import Handover
from jitscope.commands.output import refuse_overwriting, write_err
from jitscope.errors import BAD_INPUT
from jitscope.model.notation import printable

if TYPE_CHECKING:
    from jitscope.commands.run_check import Gate

_EPILOG = """\b
Examples:
  jitscope run train.py --epochs 3
  jitscope run -o run.jsonl train.py
  jitscope run -m package.train --epochs 3
  jitscope run -c "import jax; print(jax.jit(lambda x: x + 1)(1))"
"""


@click.command(
    # Without it, options of the program would be taken for jitscope's.
    context_settings={"allow_interspersed_args": False},
    epilog=_EPILOG,
)
@click.option("-m", "module", is_flag=True, help="TARGET is a module, run as python -m runs it.")
@click.option("-c", "code", is_flag=True, help="TARGET is source code.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Record to this file, not into .jitscope.")
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
@click.option("-q", "--quiet", is_flag=True, help="Report in one line.")
@click.option("--check", is_flag=True, help="Exit with 3 if it ends well, and over the budget of pyproject.toml.")
@click.option("--no-report", is_flag=True, help="Record, and print nothing.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of the report.",
)
@click.argument("target")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(
    module: bool,
    code: bool,
    output: Path | None,
    force: bool,
    quiet: bool,
    check: bool,
    no_report: bool,
    format_: str,
    target: str,
    args: tuple[str, ...],
) -> None:
    """Run the program TARGET as Python would, and report what jax.jit and torch.compile did in it.

    The program needs no change; what it prints stays as it is, and the exit code is its own. All that follows TARGET
    is the program's. The report goes to standard error when the program ends, in whatever way; the recording is in
    .jitscope (or $JITSCOPE_DIR), where jitscope report finds it.
    """
    from jitscope.capture import autowatch, switches
    from jitscope.capture.ending import Ending
    from jitscope.capture.launch import Kind, Launch, NoProgramError, Program
    from jitscope.capture.recorder import recorder

    if module and code:
        raise click.UsageError("-m and -c exclude each other.")
    if check and format_ == "json":
        raise click.UsageError("--check prints text: leave --format json to jitscope check.")
    gate = _gate() if check and not switches.OFF else None
    if output is not None:
        refuse_overwriting(output, source=output.parent, force=force)
    kind: Kind = "module" if module else "code" if code else "script"
    path = list(sys.path)
    launch = Launch(Program(kind, target, args))
    if switches.OFF:
        if check or not no_report:
            unchecked = ", and the budget is not checked" if check else ""
            write_err(f"jitscope: JITSCOPE=0 is set: nothing is watched{unchecked}\n")
        raise Handover(launch.run)

    shown = recorder.start_run(output, force=force).path
    recording = Path(os.path.abspath(shown))  # noqa: PTH100  # the program may change its folder

    def at_end() -> None:
        recorder.stop_run()
        if not no_report or gate is not None:
            # The program may have modules of its own by the names of those that make the report.
            sys.path[:] = path
            launch.restore_modules()
        if not no_report:
            _report(recording, str(shown), format_="line" if quiet else format_)
        if gate is not None:
            gate.say(recording, str(shown))
        launch.end()

    ending = Ending(at_end)

    def start() -> None:
        try:
            launch.run() if gate is None else gate.run(launch.run, recording)
        except NoProgramError as error:
            ending.cancel()
            recorder.stop_run()
            recording.unlink(missing_ok=True)
            write_err(f"jitscope: error: {printable(str(error))}\n")
            sys.exit(BAD_INPUT)

    autowatch.install()
    raise Handover(start)


def _gate() -> Gate:
    # What a check needs is imported only for one.
    from jitscope.commands.run_check import Gate

    return Gate()


def _report(recording: Path, shown: str, *, format_: str) -> None:
    from jitscope.capture.ending import flush_output

    try:
        text = _text(recording, shown, format_)
    except KeyboardInterrupt:
        return
    except Exception as error:  # noqa: BLE001  # whatever the program has done to this process
        text = f"jitscope: no report ({type(error).__name__}: {error}); try jitscope report {shown}\n"
    flush_output()
    write_err(text)


def _text(recording: Path, shown: str, format_: str) -> str:
    from jitscope.analysis.build import build_report
    from jitscope.store.reader import load

    judged = build_report(load(recording))
    if format_ == "json":
        from jitscope.render.json import render_json

        return render_json(judged)
    if not judged.functions and not judged.eager_ops and not judged.notes:
        used = " and ".join(name for name in ("jax", "torch") if name in sys.modules)
        why = f"{used} imported, and nothing called that compiles" if used else "neither jax nor torch was imported"
        return f"jitscope: nothing was compiled: {why} · {shown}\n"
    # Imported when it is used: rich takes longer than all the rest.
    from jitscope.render.text import render_text, verdict_line

    if format_ == "line":
        return f"{verdict_line(judged)} · {shown}\n"
    from jitscope.render.page import terminal_color

    return "\n" + render_text(judged, source=shown, color=terminal_color(sys.__stderr__))
