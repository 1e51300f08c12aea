"""Fresh Python processes, timed."""

from __future__ import annotations

import compileall
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"


def source() -> Path:
    """The folder of the package `jitscope` that is measured."""
    spec = importlib.util.find_spec("jitscope")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def compile_source() -> None:
    """Write jitscope's byte code, which an installed package has, whatever ``PYTHONDONTWRITEBYTECODE`` says.

    Without it the first `watch` takes three times as long, to compile jitscope's source.
    """
    compileall.compile_dir(source(), quiet=2)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of this process, quiet, and with this very jitscope on the path."""
    path = os.pathsep.join([str(source().parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JITSCOPE")}
    return {**kept, "PYTHONPATH": path, "JITSCOPE_QUIET": "1", **(extra or {})}


def python(*args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> tuple[float, str]:
    """Run Python; return the seconds from start to end, and what it printed.

    Raises:
        RuntimeError: if it fails, with what it wrote to standard error.
    """
    start = perf_counter()
    done = subprocess.run(  # noqa: S603  # this very interpreter
        [sys.executable, *args], check=False, capture_output=True, text=True, env=environment(env), cwd=cwd
    )
    seconds = perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"python {' '.join(args)} failed with {done.returncode}:\n{done.stderr[-3000:]}")
    return seconds, done.stdout


def answer(*args: str, env: Mapping[str, str] | None = None) -> Any:
    """What a program printed last, which is JSON."""
    return json.loads(python(*args, env=env)[1].splitlines()[-1])
