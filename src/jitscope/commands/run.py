"""``jitscope run``: a program, unchanged, and a report of what it compiled."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
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
@click.option("--live", is_flag=True, help="Show on the terminal what is compiled while it is.")
@click.option("--with-source", is_flag=True, help="Record the lines of source around call sites, for jitscope html.")
@click.option("--no-children", is_flag=True, help="Do not follow the processes that the program starts.")
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
    live: bool,
    with_source: bool,
    no_children: bool,
    target: str,
    args: tuple[str, ...],
) -> None:
    """Run the program TARGET as Python would, and report what jax.jit and torch.compile did in it.

    The program needs no change; what it prints stays as it is, and the exit code is its own. All that follows TARGET
    is the program's. Processes that it starts are followed, each with a recording of its own. The report goes to
    standard error when the program ends, in whatever way; the recordings are in .jitscope (or $JITSCOPE_DIR), where
    jitscope report finds them. With -o run.jsonl those of other processes are beside it: run.<pid>.jsonl.
    """
    from jitscope._startup import Member, forget_children
    from jitscope.capture import autowatch, switches
    from jitscope.capture.ending import Ending
    from jitscope.capture.following import follow_forks
    from jitscope.capture.launch import Kind, Launch, NoProgramError, Program
    from jitscope.capture.process_start import process_start
    from jitscope.capture.recorder import recorder
    from jitscope.capture.source import WITH_SOURCE
    from jitscope.capture.watchdog import AFTER, watch_long_compiles
    from jitscope.commands.ended import print_report
    from jitscope.store.beside import others_in, place_of

    if module and code:
        raise click.UsageError("-m and -c exclude each other.")
    if check and format_ == "json":
        raise click.UsageError("--check prints text: leave --format json to jitscope check.")
    gate = _gate() if check and not switches.OFF else None
    if output is not None:
        refuse_overwriting(output, source=output.parent, force=force)
    kind: Kind = "module" if module else "code" if code else "script"
    path = list(sys.path)
    show_live: Callable[[], Callable[[], None] | None] | None = None
    if live:
        # Imported now: the program may have modules of its own by the names of those that draw.
        from jitscope.commands.live import show_live
    launch = Launch(Program(kind, target, args))
    if switches.OFF:
        if check or not no_report:
            unchecked = ", and the budget is not checked" if check else ""
            write_err(f"jitscope: JITSCOPE=0 is set: nothing is watched{unchecked}\n")
        raise Handover(launch.run)

    if with_source:
        # In other processes too.
        os.environ[WITH_SOURCE] = "1"
    session = recorder.files.start_run(output, force=force, followed=not no_children, with_source=with_source)
    shown = session.path
    recording = Path(os.path.abspath(shown))  # noqa: PTH100  # the program may change its folder
    forget_children()
    if quiet or no_report or format_ == "json":
        # In other processes too.
        os.environ[AFTER] = "0"
        os.environ["JITSCOPE_QUIET"] = "1"
        recorder.thrash.quiet = True
    member: Member | None = None
    if not no_children:
        member = recorder.files.member = Member(session.header.run, place_of(recording, named=output is not None), None)
        follow_forks(member)

    def others() -> list[Path]:
        return others_in(member.place, member.program) if member is not None else []

    def at_end() -> None:
        finish()
        recorder.files.stop_run()
        if not no_report or gate is not None:
            # The program may have modules of its own by the names of those that make the report.
            sys.path[:] = path
            launch.restore_modules()
        if not no_report:
            print_report(recording, str(shown), format_="line" if quiet else format_, member=member)
        if gate is not None:
            gate.say(recording, str(shown), others)
        launch.end()

    ending = Ending(at_end, in_child=recorder.files.stop_run if member is not None else None)

    def start() -> None:
        try:
            launch.run() if gate is None else gate.run(launch.run, recording, others)
        except NoProgramError as error:
            ending.cancel()
            recorder.files.stop_run()
            recording.unlink(missing_ok=True)
            write_err(f"jitscope: error: {printable(str(error))}\n")
            sys.exit(BAD_INPUT)

    shown_live = show_live() if show_live is not None else None
    if live and shown_live is None:
        write_err("jitscope: standard error is no terminal (or a small one): no --live\n")
    finish = shown_live or watch_long_compiles()
    autowatch.install()
    began = process_start()
    if began is not None:
        recorder.started("python", began, perf_counter() - began)
    raise Handover(start)


def _gate() -> Gate:
    # What a check needs is imported only for one.
    from jitscope.commands.run_check import Gate

    return Gate()
