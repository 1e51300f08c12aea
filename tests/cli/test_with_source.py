"""``jitscope run --with-source``: the lines around calls are recorded, in all processes, and only then."""

from __future__ import annotations

import pytest

from jitscope.model.events import SourceEvent
from jitscope.store.reader import load

pytest.importorskip("jax")

PROGRAM = """\
import jax
import jax.numpy as jnp

f = jax.jit(lambda x: x + 1)
f(jnp.ones(3))  # the call
"""


@pytest.mark.parametrize(("options", "texts"), [(["--with-source"], ["the call"]), ([], [])])
def test_source_is_recorded_where_it_is_asked_for(jitscope, tmp_path, options, texts):
    (tmp_path / "train.py").write_text(PROGRAM)

    done = jitscope("run", *options, "-q", "-o", "run.jsonl", "train.py")

    assert 0 == done.returncode, done.stderr
    found = [event for event in load(tmp_path / "run.jsonl").events if isinstance(event, SourceEvent)]
    assert texts == [text for text in texts if any(text in line for event in found for line in event.lines)]
    assert bool(texts) == bool(found)
