"""``jitscope completion``: a script that completes jitscope's commands in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from jitscope.commands.output import write_out

_EPILOG = """\b
Where to put it:
  jitscope completion bash > ~/.local/share/bash-completion/completions/jitscope
  jitscope completion zsh > ~/.zfunc/_jitscope      (a folder of $fpath)
  jitscope completion fish > ~/.config/fish/completions/jitscope.fish
Only for this shell:
  eval "$(jitscope completion bash)"
"""


@click.command(epilog=_EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script for SHELL that completes commands, options, recordings and names of functions."""
    main = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    assert kind is not None
    write_out(kind(main, {}, "jitscope", "_JITSCOPE_COMPLETE").source() + "\n")
