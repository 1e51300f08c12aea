"""Programs in a process of their own, not strict, with jitscope importable."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import jitscope

SRC = str(Path(jitscope.__file__).parents[1])


def run(program, *, check=True, **environment):
    """Run ``program`` (source code) and return what `subprocess.run` does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JITSCOPE")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**inherited, "PYTHONPATH": os.pathsep.join([SRC, *sys.path]), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if check:
        assert 0 == done.returncode, done.stderr
    return done
