"""torch's own counts, kept by the tests, to hold jitscope's against."""

from __future__ import annotations

import logging

import pytest

torch = pytest.importorskip("torch")

from torch._dynamo import convert_frame  # noqa: E402

_made: list[tuple[str, str]] = []


def _on_code(code, new_code):
    identity = torch._guards.CompileContext.current_compile_id()
    _made.append((code.co_name, str(identity)))


convert_frame.register_bytecode_hook(_on_code)


class Truth:
    """What Dynamo itself made since the test began."""

    def __init__(self):
        self._start = len(_made)

    def compiled(self, *names):
        """Compile ids that ended in code, of frames with these names (of all, where none is given)."""
        return [identity for name, identity in _made[self._start :] if not names or name.startswith(names)]


class Backend:
    """A backend that counts the graphs it is given and runs them eagerly."""

    def __init__(self):
        self.graphs = 0

    def __call__(self, graph, inputs):
        self.graphs += 1
        return graph.forward


@pytest.fixture
def truth():
    return Truth()


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture(autouse=True)
def fresh_dynamo():
    """Each test starts with empty caches, default limits, and without Dynamo's warnings on stderr."""
    torch.compiler.reset()
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)
    # torch 2.11 leaves automatic_dynamic_shapes off for the process now and then, bare too: after threads have called
    # a function that was compiled with dynamic=False.
    with torch._dynamo.config.patch(recompile_limit=8, automatic_dynamic_shapes=True):
        yield


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/torch/" in str(item.path):
            item.add_marker(pytest.mark.torch)
