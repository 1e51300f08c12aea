"""pytest runs of their own, in a process of their own, with the plugin loaded and no other."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from subprocesses import SRC


@dataclass
class Result:
    """How a pytest run went."""

    code: int
    output: str
    tests: dict[str, tuple[str, str]]
    """By name: outcome, and what was said."""
    folder: Path

    def outcomes(self):
        return {name: outcome for name, (outcome, _) in self.tests.items()}

    def said(self, name):
        return self.tests[name][1]


class Session:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, **modules):
        for name, source in modules.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(source))

    def run(
        self, *arguments, plugin=("-p", "jitscope.pytest_plugin"), command=("-m", "pytest"), path=(), **environment
    ):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JITSCOPE", "PYTEST"))}
        xml = self.folder / "result.xml"
        done = subprocess.run(
            [
                sys.executable,
                *command,
                *plugin,
                "-p",
                "no:cacheprovider",
                "-p",
                "no:logging",
                f"--junitxml={xml}",
                *arguments,
            ],
            cwd=self.folder,
            env={
                **inherited,
                "PYTHONPATH": os.pathsep.join([*map(str, path), SRC, *sys.path]),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "JITSCOPE_STRICT": "1",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        tests = {}
        if xml.exists():
            for case in ET.parse(xml).getroot().iter("testcase"):
                found = next((part for part in case if part.tag in ("failure", "error", "skipped")), None)
                outcome = "passed" if found is None else found.tag
                text = "" if found is None else f"{found.get('message')}\n{found.text}"
                tests[case.get("name")] = (outcome, text)
            xml.unlink()
        return Result(done.returncode, done.stdout + done.stderr, tests, self.folder)


@pytest.fixture
def session(tmp_path):
    return Session(tmp_path)


@pytest.fixture(scope="session")
def make_session():
    return Session
