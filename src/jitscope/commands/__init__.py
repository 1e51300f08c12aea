"""The command line: ``jitscope VERB``. A verb's module is imported when the verb is used."""

from __future__ import annotations

import importlib
import sys
from typing import IO, Any

import click

from jitscope._startup import stand_aside
from jitscope.commands.handover import Handover
from jitscope.errors import BAD_INPUT, JitscopeError
from jitscope.model.notation import printable
from jitscope.version import __version__

_VERBS: dict[str, tuple[str, str]] = {
    "run": ("jitscope.commands.run:run", "Run a program, unchanged, and report what it compiled."),
    "env": ("jitscope.commands.env:env", "Print what has every Python program of a shell recorded."),
    "report": ("jitscope.commands.report:report", "Say what a recording shows: what was compiled, why, at what cost."),
    "why": ("jitscope.commands.why:why", "Tell the story of one function, or of one of its compilations."),
    "demo": ("jitscope.commands.demo:demo", "Run an example that recompiles, and report it."),
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])

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


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jitscope", message="%(prog)s %(version)s")
def main() -> None:
    """Compilation cache and recompilation inspector for jax.jit and torch.compile."""
