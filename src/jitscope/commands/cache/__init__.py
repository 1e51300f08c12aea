"""``jitscope cache``: the frameworks' caches on disk. One file a verb."""

from __future__ import annotations

import difflib
import importlib

import click
from click.shell_completion import CompletionItem

from jitscope.model.notation import printable

_VERBS: dict[str, tuple[str, str]] = {
    "ls": ("jitscope.commands.cache.ls:ls", "List the entries, with what they save and whose they are."),
    "stats": ("jitscope.commands.cache.stats:stats", "Add up what the folders hold."),
    "why": ("jitscope.commands.cache.why:why", "Say why the cache missed: what of the key changed between two runs."),
    "prune": ("jitscope.commands.cache.prune:prune", "Delete entries, by age or until the rest is small enough."),
    "verify": ("jitscope.commands.cache.verify:verify", "Find entries that can't be read."),
}
"""Where each verb is, and its line in the help."""


class _CacheVerbs(click.Group):
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
            close = difflib.get_close_matches(name.lower(), _VERBS, n=1, cutoff=0.5)
            meant = f"Did you mean {close[0]}?" if close else f"There are {', '.join(_VERBS)}."
            ctx.fail(f"No such command {printable(name)!r}. {meant}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs without importing them."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=text) for name, (_, text) in _VERBS.items() if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])


_EPILOG = """\b
Examples:
  jitscope cache ls
  jitscope cache why train_step
  jitscope cache prune --older-than 30d
"""


@click.group(cls=_CacheVerbs, epilog=_EPILOG)
def cache() -> None:
    """Look into the caches of compiled programs on disk: JAX's, Inductor's, AOTAutograd's, Triton's.

    Without a folder, those in force: of JAX_COMPILATION_CACHE_DIR, TORCHINDUCTOR_CACHE_DIR and TRITON_CACHE_DIR, the
    frameworks' defaults, and those that recordings tell of. No framework is imported, and no entry is loaded.
    """
