"""What only a GPU shows on JAX: its backend beside the CPU's, programs for both, the cache of what was compiled.

Left out where there is no GPU. Tried on an H100 with JAX 0.11.2.
"""

from __future__ import annotations

import pytest
from subprocesses import jitscope_run

jax = pytest.importorskip("jax")

import numpy as np  # noqa: E402

import jitscope  # noqa: E402
from jitscope.analysis.build import build_report  # noqa: E402
from jitscope.analysis.first_call import first_calls  # noqa: E402
from jitscope.store.reader import load  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def gpu():
    """Asked for here and not when tests are collected: asking starts JAX's backends."""
    if jax.default_backend() == "cpu":
        pytest.skip("needs a GPU")


PROGRAM = """
import jax, jax.numpy as jnp, numpy as np

@jax.jit
def attention(q, k, v):
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
    weights = jax.nn.softmax(scores.astype(jnp.float32), axis=-1).astype(q.dtype)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v)

given = [np.ones((2, 128, 4, 64), jnp.bfloat16) for _ in range(3)]
attention(*given).block_until_ready()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two processes under ``jitscope run`` with one cache."""
    home = tmp_path_factory.mktemp("gpu")
    (home / "program.py").write_text(PROGRAM, encoding="utf-8")
    for name in ("first", "second"):
        jitscope_run(
            home / "program.py",
            home / f"{name}.jsonl",
            JAX_COMPILATION_CACHE_DIR=str(home / "cache"),
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
            XLA_PYTHON_CLIENT_PREALLOCATE="false",
        )
    return home


def only(recording):
    (one,) = first_calls(recording).calls
    return one


@pytest.mark.parametrize("name", ["first", "second"])
def test_the_parts_are_at_least_95_percent_of_the_call(folder, name):
    assert only(load(folder / f"{name}.jsonl")).attributed >= 0.95


def test_the_start_of_the_devices_runtime_is_a_part_of_the_call_that_needed_it(folder):
    def names(parts):
        return {name for part in parts for name in (part.name, *names(part.parts))}

    assert "start jax cuda" in names(only(load(folder / "first.jsonl")).parts)


def test_the_second_process_hits(folder):
    def found(name):
        (one,) = build_report(load(folder / f"{name}.jsonl")).caches
        return one.hits, one.misses, one.written

    assert (0, 1, 1) == found("first")
    assert (1, 0, 0) == found("second")


@pytest.mark.parametrize("where", ["argument", "default device", "default platform"])
def test_what_ran_on_the_cpu_beside_the_gpu_is_warmed_there(recorded, truth, where):
    cpu, given = jax.devices("cpu")[0], np.ones(5, np.float32)

    def make():
        return jax.jit(lambda x: x * 3 + 1)

    def traffic(f):
        if where == "argument":
            f(jax.device_put(given, cpu))
            return
        with jax.default_device(cpu if where == "default device" else "cpu"):
            f(given)

    with jitscope.record(recorded.path):
        traffic(jitscope.watch(make()))
    again = make()
    assert jitscope.warm(again, recorded.path).ready
    before = truth.compilations()
    traffic(again)
    assert before == truth.compilations()
