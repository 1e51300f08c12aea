"""Arrows go one way: who may import whom."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "jitscope"
FRAMEWORKS = ("jax", "jaxlib", "torch", "numpy")

FORBIDDEN = {
    "model": (
        "jitscope.store",
        "jitscope.analysis",
        "jitscope.render",
        "jitscope.capture",
        "jitscope.commands",
        "rich",
    ),
    "store": ("jitscope.analysis", "jitscope.render", "jitscope.capture", "jitscope.commands", "rich", "networkx"),
    "analysis": ("jitscope.store", "jitscope.render", "jitscope.capture", "jitscope.commands", "rich"),
    "render": ("jitscope.store", "jitscope.capture", "jitscope.commands"),
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_import_goes_the_wrong_way(package):
    forbidden = (*FORBIDDEN[package], *FRAMEWORKS)
    found = [
        (path.name, name)
        for path in sorted((SOURCE / package).glob("*.py"))
        for name in imported(path)
        if name in forbidden or name.startswith(tuple(f"{module}." for module in forbidden))
    ]

    assert [] == found
