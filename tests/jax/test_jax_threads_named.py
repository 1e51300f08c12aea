"""A compilation says which thread it ran in, where that was not the main one."""

from __future__ import annotations

import threading

import jax
import jax.numpy as jnp

import jitscope
from jitscope.model.events import CompilationEvent


def test_the_thread_that_compiled_is_named(recorded):
    f = jitscope.watch(jax.jit(lambda x: x * 2))
    with jitscope.record(recorded.path):
        f(jnp.ones(2))
        worker = threading.Thread(target=lambda: f(jnp.ones(3)), name="loader-1")
        worker.start()
        worker.join()

    own = [event for event in recorded.events(CompilationEvent) if event.function is not None]
    assert [None, "loader-1"] == [event.thread for event in own]
