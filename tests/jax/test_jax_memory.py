"""Watching keeps nothing alive that the program let go of."""

from __future__ import annotations

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np

import jitscope
from jitscope.capture.watch import jax_adapter


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
