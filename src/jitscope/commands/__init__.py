"""The command line: ``jitscope VERB``. A verb's module is imported when the verb is used."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path
from typing import IO, Any

import click
from click.shell_completion import CompletionItem

from jitscope._startup import stand_aside
from jitscope.commands.handover import Handover
from jitscope.errors import BAD_INPUT, JitscopeError
from jitscope.model.notation import printable
from jitscope.version import __version__

_VERBS: dict[str, tuple[str, str]] = {
    "run": ("jitscope.commands.run:run", "Run a program, unchanged, and report what it compiled."),
    "env": ("jitscope.commands.env:env", "Print what has every Python program of a shell recorded."),
    "report": ("jitscope.commands.report:report", "Say what a recording shows: what was compiled, why, at what cost."),
    "html": ("jitscope.commands.html:html", "Write the report as one page for a browser."),
    "why": ("jitscope.commands.why:why", "Tell the story of one function, or of one of its compilations."),
    "first": ("jitscope.commands.first:first", "Take a slow first call apart: where its time went."),
    "ls": ("jitscope.commands.ls:ls", "List the recordings, and throw old ones away."),
    "cache": ("jitscope.commands.cache:cache", "Look into the caches on disk: what they hold, and why they missed."),
    "diff": ("jitscope.commands.diff:diff", "Compare two runs: what is compiled no more, and what is new."),
    "combine": ("jitscope.commands.combine:combine", "Put the processes or ranks of a run together."),
    "check": ("jitscope.commands.check:check", "Hold a recording against a budget: limits on what may compile."),
    "warm": ("jitscope.commands.warm:warm", "Compile, before traffic comes, what an earlier run compiled."),
    "doctor": ("jitscope.commands.doctor:doctor", "Say what of a program can be seen here, and what is in the way."),
    "demo": ("jitscope.commands.demo:demo", "Run an example that recompiles, and report it."),
    "completion": ("jitscope.commands.completion:completion", "Print a script that completes commands in a shell."),
}
"""Where each verb is, and its line in the help: showing the help imports none of them."""


class _Failure(click.ClickException):
    """A `JitscopeError` on its way out: one line, no traceback."""

    exit_code = BAD_INPUT

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"jitscope: error: {printable(self.message)}", file=file or sys.stderr)


class _Verbs(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module, _, name = _VERBS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _VERBS and not name.startswith("-"):
            ctx.fail(f"No such command {printable(name)!r}. {_meant(name)}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs without importing them; options where one is begun."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=text) for name, (_, text) in _VERBS.items() if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As click's; but a frame of click's below the program would be part of JAX's source locations."""
        return self.main(*args, **kwargs)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        stand_aside()
        try:
            return super().main(*args, **kwargs)
        except Handover as handover:
            then = handover.then
        return then()

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except JitscopeError as error:
            raise _Failure(str(error)) from error


def _meant(name: str) -> str:
    """What to type instead of a command that there is not."""
    close = difflib.get_close_matches(name.lower(), _VERBS, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    if name.endswith(".jsonl"):
        return f"To report on a recording: jitscope report {printable(name)}"
    if name.endswith(".py") or Path(name).is_file():
        return f"To run a program: jitscope run {printable(name)}"
    return f"There are {', '.join(_VERBS)}."


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jitscope", message="%(prog)s %(version)s")
def main() -> None:
    """Compilation cache and recompilation inspector for jax.jit and torch.compile."""
