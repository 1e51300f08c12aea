"""Watching keeps nothing alive that the program let go of."""

from __future__ import annotations

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np

import jitscope
from jitscope.capture.watch import book_of, jax_adapter


def test_a_watched_function_and_its_arguments_can_be_collected():
    class Config:
        pass

    def make():
        config = Config()
        body = lambda x, c: x + 1  # noqa: E731
        watched = jitscope.jit(body, static_argnums=1)
        array = jnp.asarray(np.ones(3, np.float32))
        watched(array, config)
        watched(array, config)
        assert (2, 1) == (jitscope.stats(watched).calls, jitscope.stats(watched).hits)
        # jax itself keeps static arguments until its caches are cleared.
        watched.clear_cache()
        return [weakref.ref(thing) for thing in (watched, body, config, array)]

    jax.clear_caches()  # of what other tests left there
    gc.collect()
    before = len(jax_adapter().owners.probes())
    references = make()
    jax.clear_caches()
    gc.collect()

    assert [None] * 4 == [reference() for reference in references]
    assert before == len(jax_adapter().owners.probes())


def test_where_jaxs_cache_is_full_the_entries_that_it_kept_are_told_apart(monkeypatch):
    """A full cache does not grow with a miss: one entry went, and silent calls are hits of any of the others."""
    step = jitscope.jit(lambda x: x + 1)
    arrays = [jnp.ones(size) for size in range(2, 6)]
    for x in arrays[:3]:
        step(x)
    probe = book_of(step).probe
    monkeypatch.setattr(probe, "cache_size", lambda: 3)
    step(arrays[3])
    for x in (arrays[1], arrays[1], arrays[2], arrays[3]):
        step(x)

    assert {"x: f32[2]": 0, "x: f32[3]": 2, "x: f32[4]": 1, "x: f32[5]": 1} == {
        known.text: known.hits for known in jitscope.stats(step).signatures
    }
