"""Shared by all tests: strict mode, and recordings in a temporary folder."""

from __future__ import annotations

import os

os.environ["JITSCOPE_STRICT"] = "1"
os.environ.pop("JITSCOPE", None)

import pytest


@pytest.fixture
def recorded(tmp_path):
    """A function that loads what was recorded in this test, and the path to record to."""
    from jitscope.store.reader import load

    class Recorded:
        path = tmp_path / "run.jsonl"

        def load(self):
            return load(self.path)

        def events(self, kind):
            return [event for event in self.load().events if isinstance(event, kind)]

    return Recorded()


@pytest.fixture
def eager_switching():
    """Threads take turns as often as Python lets them, so that races show."""
    import sys

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
