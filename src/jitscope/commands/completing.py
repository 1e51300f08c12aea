"""What a shell completes: recordings, functions of the newest one, kinds of causes. Fast, and silent where it fails."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click
import msgspec
from click.shell_completion import CompletionItem

from jitscope.errors import JitscopeError
from jitscope.model.cause import CAUSE_KINDS
from jitscope.store.locate import directory, newest

_MOST = 16_000_000
"""Bytes of a recording that are looked through for functions."""
_SHOWN = 50
"""Recordings that are offered, the newest ones."""


class _Function(msgspec.Struct):
    """What is needed of a line that defines a function."""

    name: str
    file: str = ""
    line: int = 0


def complete_recording(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Recordings where they are kept, the newest first; any file where none of them fits."""
    try:
        found = sorted(directory().glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    except OSError:
        found = []
    names = [str(path) for path in found]
    fitting = [CompletionItem(name) for name in names if name.startswith(incomplete)][:_SHOWN]
    return fitting or [CompletionItem(incomplete, type="file")]


def complete_function(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Functions of the recording that the line names, else of the newest one, by the names that need no quotes."""
    try:
        with (_named() or newest()).open("rb") as file:
            lines = file.read(_MOST).split(b"\n")
    except (JitscopeError, OSError):
        return []
    found: dict[str, str] = {}
    for line in lines:
        if not line.startswith(b'{"event":"function"'):
            continue
        try:
            one = msgspec.json.decode(line, type=_Function)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # the last line, cut off
        name = one.name.rpartition("<locals>.")[2]
        if name.startswith(incomplete) and shlex.quote(name) == name:
            found.setdefault(name, f"{Path(one.file).name}:{one.line}" if one.file else "")
    return [CompletionItem(name, help=place or None) for name, place in sorted(found.items())]


def _named() -> Path | None:
    """The recording on the command line. Click does not know it: the line can't be parsed while it is written."""
    words = os.environ.get("COMP_WORDS", "").split()
    return next((Path(word) for word in words if word.endswith(".jsonl") and Path(word).is_file()), None)


def complete_kinds(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Kinds of causes, the last one after commas."""
    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{kind}") for kind in CAUSE_KINDS if kind.startswith(last)]
