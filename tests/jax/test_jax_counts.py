"""No count is lost, nothing changes: threads, donation, other wrappers, random programs."""

from __future__ import annotations

import random
import threading

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import jitscope

THREADS = 8
CALLS = 10_000


def test_no_call_is_lost_between_threads(eager_switching):
    @jitscope.watch
    @jax.jit
    def counted(x):
        return x + 1

    arrays = [jnp.asarray(np.ones(n, np.float32)) for n in (2, 3, 4)]
    expected = [0, 0, 0]
    plans = []
    for seed in range(THREADS):
        plan = random.Random(seed).choices(range(3), k=CALLS // THREADS)
        plans.append(plan)
        for index in plan:
            expected[index] += 1

    def work(plan):
        for index in plan:
            counted(arrays[index])

    threads = [threading.Thread(target=work, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    stats = jitscope.stats(counted)
    assert sum(expected) == stats.calls
    assert stats.calls == stats.hits + stats.compiling_calls + stats.waited_calls + stats.dispatch_misses
    assert dict(zip(["x: f32[2]", "x: f32[3]", "x: f32[4]"], expected, strict=True)) == {
        s.text: s.calls for s in stats.signatures
    }
    assert 3 == stats.compilations


def test_no_hit_of_a_single_signature_is_lost_between_threads(eager_switching):
    @jitscope.watch
    @jax.jit
    def quiet(x):
        return x + 2

    x = jnp.asarray(np.ones(3, np.float32))
    quiet(x)

    def work():
        for _ in range(CALLS // THREADS):
            quiet(x)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (CALLS + 1, CALLS) == (jitscope.stats(quiet).calls, jitscope.stats(quiet).hits)


def test_donated_arguments_are_read_all_the_same():
    donating = jitscope.jit(lambda x: x + 1, donate_argnums=0)
    x = jnp.asarray(np.ones(3, np.float32))
    for _ in range(3):
        x = donating(x)

    stats = jitscope.stats(donating)
    assert 3 == stats.calls
    assert ["x: f32[3]"] == [s.text for s in stats.signatures]


def test_results_and_traces_are_those_of_the_bare_function():
    traces = {"bare": 0, "watched": 0}

    def make(name):
        def body(x, flag=True):
            traces[name] += 1
            return jnp.tanh(x @ x.T) * (2 if flag else 3)

        return jax.jit(body, static_argnames="flag")

    bare, watched = make("bare"), jitscope.watch(make("watched"))
    rng = np.random.default_rng(0)
    for size in (3, 4, 3, 5, 4):
        x = rng.normal(size=(size, size)).astype(np.float32)
        for flag in (True, False):
            np.testing.assert_array_equal(bare(x, flag=flag), watched(x, flag=flag), strict=True)

    assert traces["bare"] == traces["watched"]
    assert bare._cache_size() == watched._cache_size() == len(jitscope.stats(watched).signatures)


def test_signatures_are_what_jax_typeof_says():
    @jitscope.watch
    @jax.jit
    def typed(tree, scale):
        return jax.tree.map(lambda leaf: leaf * scale, tree)

    tree = {"w": jnp.ones((2, 3), jnp.bfloat16), "layers": [jnp.ones(4, jnp.int32), (jnp.ones((), jnp.float16),)]}
    typed(tree, 2)

    (signature,) = jitscope.stats(typed).signatures
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    expected = [f"tree{jax.tree_util.keystr(path)}: {jax.typeof(leaf).str_short(True)}" for path, leaf in leaves]
    assert ", ".join([*expected, "scale: i32[]{weak_type, int}"]) == signature.text


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["jax", "numpy", "float", "int"]),
            st.integers(1, 3),
            st.sampled_from(["f", "g"]),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_any_program_of_calls_is_counted_as_jax_counts_it(program):
    def body(x, mode="f"):
        return x * (2 if mode == "f" else 3)

    bare = jax.jit(body, static_argnames="mode")
    watched = jitscope.watch(bare)
    calls = 0
    for kind, size, mode, keyword in program:
        value = {
            "jax": lambda n: jnp.asarray(np.ones(n, np.float32)),
            "numpy": lambda n: np.ones(n, np.float32),
            "float": float,
            "int": int,
        }[kind](size)
        _ = watched(value, mode=mode) if keyword else watched(value, mode)
        calls += 1

    stats = jitscope.stats(watched)
    assert calls == stats.calls == stats.hits + stats.compiling_calls + stats.dispatch_misses
    assert bare._cache_size() == len(stats.signatures) == stats.compiling_calls + stats.dispatch_misses
    assert calls == sum(s.calls for s in stats.signatures)
    assert calls == sum(run.count for run in stats.history)
