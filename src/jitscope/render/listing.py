"""A folder's recordings for a terminal, and what was thrown away."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from jitscope.model.listing import ListedProgram, ListedRecording, Listing, Pruned, Pruning
from jitscope.model.notation import cut
from jitscope.render.numbers import count_text, seconds_text, share_text
from jitscope.render.page import Page, terminal_color, terminal_width

PROCESSES = 8
"""Processes of one program that are listed."""
_STATES = {
    "running": "still running",
    "unfinished": "killed, no end",
    "unknown": "no end: killed, or running on its host",
}
_STYLES = {"recompiled": "yellow", "gave up compiling": "red"}

Part = str | tuple[str, str]


def render_listing(
    listing: Listing, *, width: int | None = None, color: bool | None = None, usual: bool = False
) -> str:
    """Write ``listing`` as lines of at most ``width`` columns; ``width`` and ``color`` are as for `render_text`.

    ``usual`` says that it is of the folder in which commands look for runs: then their ids are enough.
    """
    page = Page(terminal_width() if width is None else width)
    files = [one for program in listing.programs for one in program.recordings]
    total = sum(one.bytes for one in (*files, *listing.unreadable))
    if not files and not listing.unreadable:
        page.add(f"no recordings in {listing.folder}")
        page.add(("jitscope run script.py makes one", "dim"))
        return page.text(color=terminal_color() if color is None else color)
    page.add(
        (listing.folder, "bold"),
        f"  {count_text(len(listing.programs), 'program')}, "
        f"{count_text(len(files) + len(listing.unreadable), 'recording')}, {bytes_text(total)}",
        hang=2,
    )
    for program in listing.programs:
        page.blank()
        _program(page, program)
    if listing.unreadable:
        page.blank()
    for one in listing.unreadable:
        page.add((one.file, "bold"), "  ", ("not readable: ", "red"), one.error or "", hang=2)
    page.blank()
    page.add((_next(listing, usual=usual), "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def render_pruning(pruning: Pruning, *, width: int | None = None, color: bool | None = None) -> str:
    """Write what was deleted, one line a file, then the sum."""
    page = Page(terminal_width() if width is None else width)
    done = "would delete" if pruning.dry_run else "deleted"
    for one in pruning.deleted:
        page.add((f"{done} ", "yellow"), one.file, (_about(one), "dim"), hang=2)
    for one in pruning.kept:
        page.add(("kept ", "green"), f"{one.file}: {one.kept}", hang=2)
    freed = bytes_text(sum(one.bytes for one in pruning.deleted))
    count = count_text(len(pruning.deleted), "recording")
    page.add(
        f"{done} {count}, {freed}; the newest {count_text(pruning.programs_kept, 'program')} in {pruning.folder} "
        f"{'would stay' if pruning.dry_run else 'stayed'}",
        hang=2,
    )
    if pruning.dry_run and pruning.deleted:
        page.add((f"jitscope ls {shlex.quote(pruning.folder)} --keep {pruning.keep}", "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def bytes_text(size: int) -> str:
    """``812 B``, ``12.4 kB``, ``3.1 MB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def when_text(started: str | None) -> str:
    """The local time, to the minute."""
    try:
        moment = datetime.fromisoformat(started or "")
    except ValueError:
        return "at an unknown time"
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _program(page: Page, program: ListedProgram) -> None:
    first = program.recordings[0]
    alone = len(program.recordings) == 1
    page.add(
        (program.id, "bold"),
        f"  {when_text(first.started)}  ",
        cut(" ".join(first.argv), 60) or ("no command line", "dim"),
        hang=2,
    )
    if alone:
        page.add(*_numbers(first, file=first.run != first.file.removesuffix(".jsonl")), indent=2, hang=2)
        return
    page.add(f"{count_text(len(program.recordings), 'recording')}: ", *_sums(program), indent=2, hang=2)
    for one in program.recordings[:PROCESSES]:
        page.add((one.process or one.file, "cyan"), "  ", *_numbers(one, file=True), indent=4, hang=2)
    hidden = len(program.recordings) - PROCESSES
    if hidden > 0:
        page.add(f"… {hidden} more; all with --format json", indent=4)


def _numbers(one: ListedRecording, *, file: bool) -> list[Part]:
    parts: list[Part] = []
    if one.error is not None:
        return [(f"{one.file}  ", ""), ("not readable: ", "red"), one.error]
    share = None
    if one.wall_seconds:
        share = ((one.compile_seconds or 0) + (one.eager_op_compile_seconds or 0)) / one.wall_seconds
    if one.wall_seconds is not None:
        parts.append(f"{'at least ' if one.state != 'complete' else ''}{seconds_text(one.wall_seconds)}")
        # Of processes' times added up it would be another share.
        parts.append(f", {share_text(share)} compiling" if share and not one.combined else "")
        parts.append(" · ")
    parts += _compiled(one)
    if one.combined:
        parts.append((f" · combined of {count_text(one.combined, 'process', 'processes')}", "cyan"))
    if one.state not in ("complete", None):
        parts.append((f" · {_STATES[one.state]}", "magenta"))
    if one.torn:
        parts.append((" · its last line is cut off", "magenta"))
    if one.part_of is not None:
        parts.append((f" · all of it is in {one.part_of} too", "dim"))
    if file:
        parts.append((f" · {one.file}", "dim"))
    return parts


def _sums(program: ListedProgram) -> list[Part]:
    wall = f"{seconds_text(program.wall_seconds)} · " if program.wall_seconds is not None else ""
    return [wall, *_compiled(program)]


def _compiled(one: ListedRecording | ListedProgram) -> list[Part]:
    found: list[Part] = []
    if one.compilations:
        again = one.recompilations or 0
        found.append(f"{count_text(one.compilations, 'compilation')}, {seconds_text(one.compile_seconds or 0)}")
        if again:
            found.append((f", {again} again, {seconds_text(one.recompile_seconds or 0)}", _STYLES["recompiled"]))
    elif one.eager_op_compilations:
        found.append(
            f"{count_text(one.eager_op_compilations, 'compilation')} of what is not watched, "
            f"{seconds_text(one.eager_op_compile_seconds or 0)}"
        )
    else:
        found.append("nothing compiled")
    if one.verdict == "gave up compiling":
        found.append((" · gave up compiling", _STYLES["gave up compiling"]))
    return found


def _about(one: Pruned) -> str:
    return f"  {when_text(one.started)}, {bytes_text(one.bytes)}"


def _next(listing: Listing, *, usual: bool) -> str:
    if not listing.programs:
        return "jitscope run script.py"
    newest = listing.programs[0]
    same = [one for one in listing.programs[1:] if one.recordings[0].argv[:1] == newest.recordings[0].argv[:1]]
    # Nothing can be compared with what can't be read, nor with what is a combined recording of the same processes.
    if same and all(one.recordings[0].error is None and not one.recordings[0].combined for one in (newest, same[0])):
        return f"jitscope diff {_named(listing, same[0], usual)} {_named(listing, newest, usual)}"
    return f"jitscope report {_named(listing, newest, usual)}"


def _named(listing: Listing, program: ListedProgram, usual: bool) -> str:
    """A run's id, or the path of its first recording, as an argument."""
    return shlex.quote(program.id if usual else f"{listing.folder.rstrip('/')}/{program.recordings[0].file}")
