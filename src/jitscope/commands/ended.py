"""What is printed when a program has ended: its report, and what its other processes did."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from jitscope._startup import Member
from jitscope.commands.output import write_err
from jitscope.model.notation import printable


def report_of_program(member: Member) -> None:
    """Print the report of a program that was recorded by ``JITSCOPE=1``; where nothing was compiled, nothing."""
    path = Path(member.place, f"{member.program}.jsonl")
    if path.exists():
        shown = os.path.relpath(path)
        print_report(path, shown if not shown.startswith(os.pardir) else str(path), format_="text", member=member)
    else:
        _print(lambda: _others(member, path))


def print_report(recording: Path, shown: str, *, format_: str, member: Member | None = None) -> None:
    """Print the report of ``recording`` to standard error, under the name ``shown``.

    ``member`` is the first process of a program whose processes were followed: they get a line.
    """
    _print(lambda: _text(recording, shown, format_, member), hint=f"; try jitscope report {shown}")


def _print(make: Callable[[], str], hint: str = "") -> None:
    from jitscope.capture.ending import flush_output

    try:
        text = make()
    except KeyboardInterrupt:
        return
    except Exception as error:  # noqa: BLE001  # whatever the program has done to this process
        text = f"jitscope: no report ({type(error).__name__}: {error}){hint}\n"
    flush_output()
    write_err(text)


def _text(recording: Path, shown: str, format_: str, member: Member | None) -> str:
    from jitscope.analysis.build import build_report
    from jitscope.store.reader import load

    judged = build_report(load(recording))
    if format_ == "json":
        from jitscope.render.json import render_json

        return render_json(judged)
    others = _others(member, recording, shown) if member is not None else ""
    if not judged.functions and not judged.eager_ops and not judged.notes:
        where = " in the first process" if others else ""
        used = " and ".join(name for name in ("jax", "torch") if name in sys.modules)
        why = f"{used} imported, and nothing called that compiles" if used else "neither jax nor torch was imported"
        return f"jitscope: nothing was compiled{where}: {why} · {shown}\n{others}"
    # Imported when it is used: rich takes longer than all the rest.
    from jitscope.render.text import render_text, verdict_line

    if format_ == "line":
        return f"{verdict_line(judged)} · {shown}\n{others}"
    from jitscope.render.page import terminal_color

    return f"\n{render_text(judged, source=shown, color=terminal_color(sys.__stderr__))}{others}"


def _others(member: Member, recording: Path, shown: str | None = None) -> str:
    """A line on what the program's other processes compiled; empty where none compiled anything."""
    from jitscope.store.beside import others_in

    paths = others_in(member.place, member.program)
    if not paths:
        return ""
    from jitscope.analysis.build import build_report
    from jitscope.analysis.verdict import verdict_of
    from jitscope.errors import JitscopeError
    from jitscope.render.numbers import count_text, seconds_text
    from jitscope.store.reader import load

    compilations, seconds, unreadable = 0, 0.0, 0
    for path in paths:
        try:
            verdict = verdict_of(build_report(load(path)))
        except JitscopeError:
            unreadable += 1
            continue
        compilations += verdict.compilations
        seconds += verdict.compiling_seconds
    more = "" if shown is None else "more "
    followed = f"{len(paths)} {more}{'process' if len(paths) == 1 else 'processes'} recorded"
    failed = f", {unreadable} of the recordings can't be read" if unreadable else ""
    if member.place.endswith(os.sep):
        command = f"jitscope combine {member.program}"
    else:
        own = Path(shown or recording)
        beside = own.with_name(f"{own.stem}.")
        command = f"jitscope combine {shlex.quote(str(own))} {shlex.quote(str(beside))}*{shlex.quote(own.suffix)}"
    return (
        f"jitscope: {followed}: {count_text(compilations, 'compilation')} in {seconds_text(seconds)}{failed} · "
        f"{printable(command)}\n"
    )
