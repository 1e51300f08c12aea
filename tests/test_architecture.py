"""Arrows go one way: who may import whom, read off the source."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import jitscope

ROOT = Path(jitscope.__file__).parent

MAY_IMPORT = {
    "model": {"jitscope.model", "msgspec"},
    "store": {"jitscope.model", "jitscope.errors", "jitscope.store", "msgspec"},
    "capture": {
        "jitscope.model",
        "jitscope.errors",
        "jitscope.store",
        "jitscope.capture",
        "jitscope.version",
        "jitscope",
        "jitscope._startup",
        "msgspec",
    },
    "analysis": {"jitscope.model", "jitscope.errors", "jitscope.analysis", "msgspec", "networkx"},
    "caches": {"jitscope.model", "jitscope.errors", "jitscope.caches", "msgspec", "compression", "zstandard"},
    "render": {
        "jitscope.model",
        "jitscope.analysis",
        "jitscope.render",
        "jitscope.version",
        "msgspec",
        "rich",
        "networkx",
        "matplotlib",
    },
}
FRAMEWORKS = {"jax", "jaxlib", "torch", "numpy"}


def imports(path: Path) -> set[str]:
    """Packages that a module imports anywhere in it: ``jitscope.model``, ``rich``; the standard library left out."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    parts = {tuple(name.split(".")[: 2 if name.startswith("jitscope.") else 1]) for name in found}
    return {".".join(part) for part in parts if part[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_it_may(package):
    modules = [path for path in (ROOT / package).rglob("*.py") if path.parent.name != "frameworks"]
    assert modules
    strangers = {
        str(path.relative_to(ROOT)): extra
        for path in modules
        if (extra := imports(path) - MAY_IMPORT[package] - ({"jax", "torch"} if path.name == "watch.py" else set()))
    }

    assert {} == strangers


def test_frameworks_are_imported_by_their_adapters_and_by_the_short_forms_only():
    importers = {
        path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if imports(path) & (FRAMEWORKS - {"numpy"})
    }

    assert {"capture/watch.py", "commands/demo.py"} >= {name for name in importers if "/frameworks/" not in name}
    for name in importers:
        if "/frameworks/" in name:
            own = "jax" if "/jax_" in name else "torch"
            assert imports(ROOT / name) & {"jax", "torch"} <= {own}
