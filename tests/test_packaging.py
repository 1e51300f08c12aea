"""What an installed jitscope promises before anything of it is used."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import jitscope
from jitscope.render.schema import schema_text

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("jax", "torch", "rich", "networkx", "click")


def test_front_door_imports_nothing_heavy():
    """``import jitscope`` costs a program neither a framework nor a library for reports."""
    code = f"import sys, jitscope; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_commands_import_no_framework():
    """``jitscope --help`` answers at once."""
    code = "import sys, jitscope.commands; print([name for name in ('jax', 'torch', 'rich') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_types_are_shipped():
    assert (Path(jitscope.__file__).parent / "py.typed").is_file()


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == jitscope.__version__
    try:
        installed = metadata.version("jitscope")
    except metadata.PackageNotFoundError:
        pytest.skip("jitscope is on the path, not installed")
    assert installed == jitscope.__version__


def test_pytest_finds_the_plugin():
    """The entry point names a module that pytest can load, under the name that ``-p no:jitscope`` refuses."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entry = metadata.EntryPoint("jitscope", project["entry-points"]["pytest11"]["jitscope"], "pytest11")
    assert hasattr(entry.load(), "pytest_runtest_call")


def test_notebooks_find_the_extension_without_loading_it():
    """``%load_ext jitscope`` asks the front door for it; nothing of it is imported before."""
    code = "import sys, jitscope; print('jitscope.ipython' in sys.modules, callable(jitscope.load_ipython_extension))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True"


def test_few_dependencies():
    """Everything else is an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {requirement.partition(">")[0] for requirement in project["dependencies"]}
    assert names == {"click", "msgspec", "networkx", "rich"}


def test_schema_is_current():
    """``make schema`` was run after the last change to the report."""
    assert (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8") == schema_text()
