"""Programs in a process of their own, not strict, with jitscope importable."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import jitscope

SRC = str(Path(jitscope.__file__).parents[1])


def installed(name):
    """Whether a package is there. Nothing is imported, and the folders tests/jax and tests/torch are no packages."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None


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


def jitscope_run(script, recording, **environment):
    """``jitscope run -o RECORDING SCRIPT`` in strict mode."""
    program = f"""
        import sys
        from jitscope.commands import main
        sys.argv = ["jitscope", "run", "-o", {str(recording)!r}, {str(script)!r}]
        main()
    """
    return run(program, JITSCOPE_STRICT="1", **environment)
