"""The pytest plugin on real torch, with backend="eager"."""

from __future__ import annotations

import pytest
from subprocesses import installed

pytestmark = pytest.mark.skipif(not installed("torch"), reason="torch is not installed")

LIBRARY = """
import torch

@torch.compile(backend="eager", dynamic=False)
def step(x):
    return x * 2

class Net(torch.nn.Module):
    def forward(self, x):
        return x + 1
"""

TESTS = """
import pytest, torch
from {library} import Net, step

def test_warm():
    step(torch.ones(1))

@pytest.mark.max_compilations(1)
def test_within():
    step(torch.ones(3)); step(torch.ones(3))

@pytest.mark.max_compilations(1, function=step)
def test_over():
    step(torch.ones(4)); step(torch.ones(5))

@pytest.mark.max_recompilations(0)
def test_recompiled():
    step(torch.ones(6)); step(torch.ones(7))
"""


def test_marks_and_fixture(session):
    session.write(
        library=LIBRARY,
        test_torch=TESTS.format(library="library")
        + """
@pytest.mark.max_compilations(0, function="Net")
def test_module():
    torch.compile(Net(), backend="eager")(torch.ones(2))

def test_fixture(jitscope):
    net = Net()
    net.compile(backend="eager")
    net(torch.ones(2, 2)); net(torch.ones(2, 2))
    assert (1, 0, 1) == (jitscope.compilations, jitscope.recompilations, jitscope.hits)
    assert "Net" == jitscope.function(net).name
    jitscope.assert_no_recompilation()
""",
    )
    done = session.run("--jitscope=run.jsonl")

    assert {
        "test_warm": "passed",
        "test_within": "passed",
        "test_over": "failure",
        "test_recompiled": "failure",
        "test_module": "failure",
        "test_fixture": "passed",
    } == done.outcomes(), done.output
    assert "max_compilations(1, function=step): 2 compilations" in done.said("test_over")
    assert "x: f32[4] → f32[5] (shape)" in done.said("test_over")
    assert "test_torch.py:14" in done.said("test_over")
    assert "max_compilations(0, function='Net'): 1 compilation" in done.said("test_module")
    assert "5 again in 3 tests: x (shape)" in done.output


def test_functions_compiled_too_early_are_counted(session):
    session.write(
        conftest="import early_library",
        early_library=LIBRARY,
        test_torch=TESTS.format(library="early_library")
        + """
def test_unwatched(jitscope):
    assert ("step (early_library.py:4)",) == jitscope.unwatched
""",
    )
    done = session.run("-k", "not warm")

    assert {
        "test_within": "passed",
        "test_over": "failure",
        "test_recompiled": "failure",
        "test_unwatched": "passed",
    } == done.outcomes(), done.output
    assert "step  2 compilations" in done.said("test_over")
    assert "not watched" in done.said("test_over")
    assert "1 compilation of functions that are not watched may be compilations again" in done.said("test_recompiled")
