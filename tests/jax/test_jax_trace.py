"""Traces of what JAX compiled."""

from __future__ import annotations

import threading

import jax
import jax.numpy as jnp
import numpy as np
from trace_check import check, slices, trace, tracks

import jitscope
from jitscope.store.reader import load


def test_a_recording_of_jax_is_a_valid_trace(tmp_path):
    with jitscope.record(tmp_path / "run.jsonl"):
        inner = jitscope.jit(lambda x: jnp.sin(x) * 2)

        @jitscope.watch
        @jax.jit
        def outer(x):
            with jax.ensure_compile_time_eval():
                scale = inner(np.ones(x.shape, np.float32))
            return x * scale

        outer(np.ones(3, np.float32))
        outer(np.ones(4, np.float32))
        outer(np.ones(4, np.float32))
    events = trace(load(tmp_path / "run.jsonl"))
    arrows = {(source["name"], target["args"].get("function")) for source, target in check(events).values()}

    assert {"trace", "lower", "compile"} == {one["name"] for one in slices(events, "phase")}
    assert ["call 1", "call 2"] == [
        one["name"] for one in slices(events, "call") if one["tid"] == _track(events, outer.__qualname__)
    ]
    assert ("compile", inner.__qualname__) in arrows, "the outer function's compile led to the inner one's"


def test_each_thread_has_a_track(tmp_path):
    step = jitscope.jit(lambda x: x + 1)
    with jitscope.record(tmp_path / "run.jsonl"):
        threads = [
            threading.Thread(target=step, args=(np.ones(size, np.float32),), name=f"loader-{size}") for size in (2, 3)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    found = tracks(trace(load(tmp_path / "run.jsonl")))

    assert {"loader-2", "loader-3"} == {name.partition(" · ")[2] for name in found if "lambda" in name}


def _track(events, name):
    (found,) = [event["tid"] for event in events if event["ph"] == "M" and event["args"].get("name") == name]
    return found
