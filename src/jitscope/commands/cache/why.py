"""``jitscope cache why``: what of a key changed between two runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from jitscope.analysis.cache_misses import misses_of
from jitscope.commands.choose import files_of, read_together, run_of
from jitscope.commands.completing import complete_function
from jitscope.commands.output import write_out
from jitscope.commands.progress import track
from jitscope.errors import JitscopeError
from jitscope.model.recording import Recording
from jitscope.store.locate import directory, recordings_in
from jitscope.store.reader import load, read_header

_EPILOG = """\b
Examples:
  jitscope cache why
  jitscope cache why train_step
  jitscope cache why monday.jsonl tuesday.jsonl
  jitscope cache why train_step 20261123-101500-4711
"""
EARLIER = 10
"""Runs before the one in question that it is held against."""
UNREAD = frozenset({"signature", "calls", "repeat", "context", "note", "label", "added_up"})


@click.command(epilog=_EPILOG)
@click.argument("words", metavar="[FUNCTION] [A] [B]", nargs=-1, shell_complete=complete_function)
@click.option("--all", "all_", is_flag=True, help="Show every miss, and every part that changed.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def why(words: tuple[str, ...], all_: bool, format_: str) -> None:
    """Say why the caches on disk missed in a run, and what of their keys changed since an earlier one.

    A and B are recordings or the ids of runs: the misses of B are held against A. With one of them, against the runs
    before it; without both, those of the newest run. FUNCTION: only its misses.
    """
    function, runs = _read(words)
    before, run = _runs(runs)
    value = misses_of(before, run, function)
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
        return
    from jitscope.render.misses import render_misses

    write_out(render_misses(value, all_=all_))


def _read(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """A function, where the first word is no recording, and recordings."""
    if len(words) > 3:
        raise click.UsageError("At most a function and two recordings.")
    runs = list(words)
    function: str | None = None
    if runs and not _is_recording(runs[0]):
        function = runs.pop(0)
    if len(runs) > 2:
        raise click.UsageError("At most two recordings.")
    return function, runs


def _is_recording(word: str) -> bool:
    path = Path(word)
    if path.is_dir() and "/" not in word and not any(path.glob("*.jsonl")):
        return False  # a program's folder can be called like a function in it
    if path.exists() or word.endswith(".jsonl") or "/" in word or word == "newest":
        return True
    try:
        files_of(word, whole=True)
    except JitscopeError:
        return False
    return True


def _runs(wanted: Sequence[str]) -> tuple[list[Recording], Recording]:
    if len(wanted) == 2:
        return [read_together(files_of(wanted[0], whole=True))], run_of(wanted[1]).recording
    chosen = run_of(wanted[0] if wanted else None)
    own = {path.resolve() for path in chosen.paths}
    folder = chosen.paths[0].parent if chosen.paths else directory()
    started = chosen.recording.header.started
    before: list[tuple[str, Path]] = []
    for path in recordings_in(folder):
        if path.resolve() in own:
            continue
        try:
            header = read_header(path)
        except JitscopeError:
            continue
        if header.started <= started and not header.processes:
            before.append((header.started, path))
    found: list[Recording] = []
    for _, path in track(sorted(before)[-EARLIER:], "reading recordings"):
        try:
            found.append(load(path, without=UNREAD))
        except JitscopeError:
            continue
    return found, chosen.recording
