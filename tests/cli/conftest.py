"""The command line in a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from builders import training, write

SCRIPT = shutil.which("jitscope", path=str(Path(sys.executable).parent))
ENTRIES = [[sys.executable, "-W", "error", "-m", "jitscope"], *([[SCRIPT]] if SCRIPT else [])]


@pytest.fixture(params=ENTRIES, ids=lambda entry: "module" if "-m" in entry else "script")
def jitscope(request, tmp_path):
    """Run jitscope in an empty folder."""

    own = ("JITSCOPE", "_JITSCOPE", "COLUMNS", "GITHUB")

    def run(*arguments, cwd=tmp_path, **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return subprocess.run(
            [*request.param, *map(str, arguments)],
            cwd=cwd,
            env=kept | environment,
            capture_output=True,
            text=True,
            encoding=environment.get("PYTHONIOENCODING", "utf-8"),
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def saved(tmp_path):
    return write(tmp_path / "run.jsonl", training())


@pytest.fixture
def refused():
    """The one line of an error, of a command that refused."""

    def line_of(done) -> str:
        assert (2, "") == (done.returncode, done.stdout)
        (line,) = done.stderr.splitlines()
        assert line.startswith("jitscope: error: ")
        return line

    return line_of
