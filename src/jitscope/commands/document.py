"""The page of all commands, from their own help; ``python -m jitscope.commands.document`` writes docs/cli.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from jitscope.commands import main

DEFAULT = Path("docs/cli.md")
WIDTH = 80

_HEAD = """\
# Command line

What `jitscope COMMAND --help` prints, for all commands (`make cli` writes this page).

Exit codes: 0 fine, 1 jitscope failed or something is broken, 2 bad usage or input, 3 over budget; `run` passes the
program's own code through.
"""


def page() -> str:
    """The page as the file holds it."""
    sections = [f"## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(main, None, "jitscope")]
    return "\n".join([_HEAD, *sections])


def _helps(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    """Full name and help of a command, and of those in it."""
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    context.terminal_width = context.max_content_width = WIDTH
    lines = command.get_help(context).splitlines()
    yield context.command_path, "\n".join(line.rstrip() for line in lines)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            if inner is not None and not inner.hidden:
                yield from _helps(inner, context, each)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    target.write_text(page(), encoding="utf-8")
