"""``jitscope env``: what a shell has to know to have every Python program recorded."""

from __future__ import annotations

import os
import shlex

import click

from jitscope._startup import FOLDER
from jitscope.commands.output import write_out

_EPILOG = """\b
Examples:
  eval "$(jitscope env)"
  eval "$(jitscope env --off)"
"""


@click.command(epilog=_EPILOG)
@click.option("--off", is_flag=True, help="Print what undoes it.")
def env(off: bool) -> None:
    r"""Print the lines for a shell that have each Python program it starts recorded, as jitscope run does.

    \b
    eval "$(jitscope env)"
    python train.py
    eval "$(jitscope env --off)"

    The report comes when a program ends, to standard error, unless JITSCOPE_REPORT=0. Programs that compile nothing
    leave nothing and print nothing. Not for python -E, -I or -S: they do not look at PYTHONPATH.
    """
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    rest = [one for one in path if one and one != FOLDER]
    if off:
        write_out("unset JITSCOPE\n")
        write_out(f"export PYTHONPATH={shlex.quote(os.pathsep.join(rest))}\n" if rest else "unset PYTHONPATH\n")
        return
    write_out(f"export JITSCOPE=1\nexport PYTHONPATH={shlex.quote(os.pathsep.join([FOLDER, *rest]))}\n")
