"""Each outcome of a call of a jitted function, on JAX's own evidence."""

from __future__ import annotations

import inspect
import re
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jitscope
from jitscope.capture.watched import make_watched
from jitscope.model.events import CompilationEvent


def runs(function):
    """The call history as (outcome, count) pairs."""
    return [(run.outcome, run.count) for run in jitscope.stats(function).history]


def inside_the_call(thread):
    """Whether the thread stands on the line of the wrapper that calls the watched function."""
    frame = sys._current_frames()[thread.ident]
    lines, first = inspect.getsourcelines(make_watched)
    call = first + next(index for index, line in enumerate(lines) if "result = fn(" in line)
    return frame.f_code.co_name == "watched" and frame.f_lineno == call


def array(*shape, dtype=np.float32):
    """A jax array, made without compiling anything."""
    return jnp.asarray(np.ones(shape, dtype))


def test_first_call_compiles_and_later_ones_hit(truth):
    @jitscope.watch
    @jax.jit
    def first_then_hits(x):
        return x * 2

    x = array(3)
    for _ in range(5):
        first_then_hits(x)

    assert [("compile", 1), ("hit", 4)] == runs(first_then_hits)
    assert truth.compilations("first_then_hits") == jitscope.stats(first_then_hits).compilations == 1


def test_each_shape_compiles_once_and_hits_are_counted_by_signature(truth):
    @jitscope.watch
    @jax.jit
    def by_shape(x):
        return x + 1

    for size in (3, 3, 4, 3, 4, 4, 5):
        by_shape(array(size))

    stats = jitscope.stats(by_shape)
    assert {"x: f32[3]": 2, "x: f32[4]": 2, "x: f32[5]": 0} == {s.text: s.hits for s in stats.signatures}
    assert [1, 3, 7] == [s.first_call for s in stats.signatures]
    assert 3 == stats.compilations == truth.compilations("by_shape")
    assert [("compile", 1), ("hit", 1), ("compile", 1), ("hit", 1), ("hit", 2), ("compile", 1)] == runs(by_shape)


def test_numpy_after_jax_array_is_a_dispatch_miss_and_no_compile(truth):
    @jitscope.watch
    @jax.jit
    def numpy_variant(x):
        return x - 1

    numpy_variant(array(3))
    numpy_variant(np.ones(3, np.float32))
    numpy_variant(np.ones(3, np.float32))

    assert [("compile", 1), ("dispatch_miss", 1), ("hit", 1)] == runs(numpy_variant)
    assert 1 == truth.compilations("numpy_variant")


def test_call_after_ahead_of_time_compile_is_a_dispatch_miss(truth, recorded):
    @jitscope.watch
    @jax.jit
    def ahead(x):
        return x * 3

    with jitscope.record(recorded.path):
        ahead.lower(array(7)).compile()
        ahead(array(7))

    (event,) = [e for e in recorded.events(CompilationEvent) if e.program == "ahead"]
    assert ("aot", None) == (event.under, event.call)
    assert [("dispatch_miss", 1)] == runs(ahead)
    assert 1 == truth.compilations("ahead") == jitscope.stats(ahead).compilations


def test_commitment_recompiles_without_a_retrace(truth):
    @jitscope.watch
    @jax.jit
    def commitment(x):
        return x * 5

    commitment(array(3))
    commitment(jax.device_put(array(3), jax.devices()[0]))

    first, second = jitscope.stats(commitment).compilations_detail
    assert ("trace", "lower", "compile") == first.layers
    assert ("lower", "compile") == second.layers
    assert ["committed"] == [cause.kind for cause in second.causes]
    assert 2 == truth.compilations("commitment")


def test_a_function_with_a_callback_takes_the_python_path_each_time(truth):
    @jitscope.watch
    @jax.jit
    def effectful(x):
        jax.debug.callback(lambda value: None, x)
        return x

    for _ in range(4):
        effectful(array(3))

    assert [("compile", 1), ("python_path", 3)] == runs(effectful)
    assert 1 == truth.compilations("effectful")


def test_calls_inside_a_trace_are_nested_and_no_calls(truth):
    @jitscope.watch
    @jax.jit
    def inner(x):
        return jnp.sin(x)

    outer = jax.jit(lambda x: inner(x) + inner(x))
    outer(array(3))
    outer(array(3))

    stats = jitscope.stats(inner)
    assert (0, 2, 0) == (stats.calls, stats.nested_calls, stats.compilations)
    assert 0 == truth.compilations("inner")


def test_compiles_under_vmap_belong_to_the_function(truth):
    @jitscope.watch
    @jax.jit
    def mapped(x):
        return jnp.sin(x)

    for _ in range(3):
        jax.vmap(mapped)(array(2, 3))

    stats = jitscope.stats(mapped)
    assert (0, 3, 1) == (stats.calls, stats.nested_calls, stats.compilations)
    assert ["vmap"] == [c.under for c in stats.compilations_detail]
    assert 1 == truth.compilations("mapped")


def test_forward_and_backward_programs_of_grad_belong_to_the_function(truth):
    @jitscope.watch
    @jax.jit
    def loss(x):
        return (jnp.sin(x) * x).sum()

    for _ in range(3):
        jax.grad(loss)(array(3))

    stats = jitscope.stats(loss)
    assert ["grad", "backward"] == [c.under for c in stats.compilations_detail]
    assert truth.compilations("loss") == stats.compilations == 2
    assert 3 == stats.nested_calls


def test_an_exception_passes_unchanged_and_is_counted():
    @jitscope.watch
    @jax.jit
    def raises(x):
        raise LookupError("mine")

    for _ in range(2):
        with pytest.raises(LookupError, match="mine") as caught:
            raises(array(3))
        frames = [entry.frame.code.path.name for entry in caught.traceback if "jitscope" in str(entry.path)]
        assert ["watched.py"] == [name for name in frames if name != "test_jax_outcomes.py"]

    assert [("error", 2)] == runs(raises)


def test_an_invalid_argument_raises_jaxs_own_error_and_is_counted():
    bare = jax.jit(lambda x: x)
    watched = jitscope.watch(jax.jit(lambda x: x))

    with pytest.raises(TypeError) as expected:
        bare("text")
    with pytest.raises(TypeError) as actual:
        watched("text")

    def text(caught):
        return re.sub(r"0x[0-9a-f]+", "0x…", str(caught.value))

    assert text(expected) == text(actual)
    assert 1 == jitscope.stats(watched).failed_calls


def test_a_thread_that_waits_for_anothers_compile_is_counted_as_waiting(truth):
    entered, go = threading.Event(), threading.Event()

    @jitscope.watch
    @jax.jit
    def slow_to_trace(x):
        entered.set()
        assert go.wait(20)
        return x * 2

    x = array(3)
    threads = [threading.Thread(target=slow_to_trace, args=(x,))]
    threads[0].start()
    assert entered.wait(20)
    threads.append(threading.Thread(target=slow_to_trace, args=(x,)))
    threads[1].start()
    while not inside_the_call(threads[1]):
        threads[1].join(0.001)
    go.set()
    for thread in threads:
        thread.join(60)

    stats = jitscope.stats(slow_to_trace)
    assert (2, 1, 1) == (stats.calls, stats.compiling_calls, stats.waited_calls)
    assert 1 == truth.compilations("slow_to_trace")


def test_clear_cache_makes_the_next_call_compile_again(truth):
    @jitscope.watch
    @jax.jit
    def cleared(x):
        return x * 7

    cleared(array(3))
    cleared(array(3))
    cleared.clear_cache()
    cleared(array(3))
    cleared(array(3))

    assert [("compile", 1), ("hit", 1), ("compile", 1), ("hit", 1)] == runs(cleared)
    assert 2 == truth.compilations("cleared")


def test_entries_made_before_watching_are_hits_with_a_note(recorded):
    bare = jax.jit(lambda x: x * 11)
    bare(array(3))
    watched = jitscope.watch(bare)
    watched(array(3))
    bare(array(4))
    watched(array(4))
    watched(array(3))

    stats = jitscope.stats(watched)
    assert (3, 3) == (stats.calls, stats.hits)
    # The one that the bare function caused is its own too, though no watched call's.
    assert [None] == [c.call for c in stats.compilations_detail]
    assert {"x: f32[3]": 2, "x: f32[4]": 1} == {s.text: s.hits for s in stats.signatures}
    assert any(note.slug == "entries-before-watch" for note in jitscope.report().value.notes)


def test_eager_operations_inside_a_trace_are_listed_and_their_time_is_subtracted(truth, recorded):
    def operation_nobody_else_uses(x):
        return jnp.cbrt(jnp.arange(17.0) + x).sum()

    @jitscope.watch
    @jax.jit
    def traces_eagerly(x):
        with jax.ensure_compile_time_eval():
            constant = operation_nobody_else_uses(1.5)
        return x * constant

    with jitscope.record(recorded.path):
        traces_eagerly(array(3))

    compilations = recorded.events(CompilationEvent)
    (own,) = [e for e in compilations if e.function is not None]
    eager = [e for e in compilations if e.function is None]
    assert truth.compilations() == len(compilations)
    assert 1 == truth.compilations("traces_eagerly")
    assert eager
    assert all(e.library and e.inside == own.function for e in eager)
    (trace,) = [p.seconds for p in own.phases if p.name == "trace"]
    (whole,) = truth.events("jaxpr_trace_duration", "traces_eagerly")
    inside = sum(p.seconds for e in eager for p in e.phases)
    assert trace == pytest.approx(whole - inside, abs=1e-4)


def test_everything_that_jax_compiles_while_recording_is_in_the_totals(truth, recorded):
    @jitscope.watch
    @jax.jit
    def one_of_many(x):
        return jnp.tanh(x) @ x.T

    unwatched = jax.jit(lambda x: jnp.cosh(x) * 3)
    with jitscope.record(recorded.path) as recording:
        before = truth.compilations()
        for size in (3, 4):
            one_of_many(jnp.full((size, size), 1.25))
            unwatched(jnp.full((size,), 1.25))
        compiled = truth.compilations() - before

    totals = recording.report().value.totals
    assert compiled == totals.compilations + totals.eager_op_compilations
    assert 2 == totals.compilations
    names = {op.name: op.library for op in recording.report().value.eager_ops}
    assert names.pop("<lambda>") is False
    assert all(names.values())


def test_an_unhashable_static_argument_raises_jaxs_own_error_and_is_counted():
    static = jitscope.jit(lambda x, n: x, static_argnames="n")
    with pytest.raises(ValueError, match=r"[Nn]on-hashable static argument"):
        static(array(3), n=[1])

    stats = jitscope.stats(static)
    assert (1, 1, 0) == (stats.calls, stats.failed_calls, stats.compilations)


def test_calls_under_disable_jit_are_no_hits():
    plain = jitscope.jit(lambda x: x + 13)
    plain(array(3))
    plain(array(3))
    with jax.disable_jit():
        plain(array(3))
    plain(array(3))

    assert [("compile", 1), ("hit", 1), ("eager_fallback", 1), ("hit", 1)] == runs(plain)


def test_another_sharding_recompiles_and_both_are_named():
    if len(jax.devices()) < 2:
        pytest.skip("one device")
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:2]), ("x",))
    shard = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("x"))
    replicate = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    sharded = jitscope.jit(lambda x: x * 17, out_shardings=replicate)
    for sharding in (shard, shard, replicate):
        sharded(jax.device_put(np.ones(4, np.float32), sharding))

    stats = jitscope.stats(sharded)
    (cause,) = stats.compilations_detail[1].causes
    assert ("sharding", "x", "P('x',) on (x:2)", "P() on (x:2)") == (cause.kind, cause.path, cause.old, cause.new)
    assert (3, 1, 2) == (stats.calls, stats.hits, stats.compilations)


def test_a_compile_from_the_persistent_cache_says_so(tmp_path, recorded):
    from jax._src import compilation_cache

    options = {
        "jax_compilation_cache_dir": str(tmp_path / "cache"),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in options}
    compilation_cache.reset_cache()
    for name, value in options.items():
        jax.config.update(name, value)
    try:

        def cached(x):
            return jnp.sin(x) * 19

        with jitscope.record(recorded.path):
            for _ in range(2):
                watched = jitscope.jit(cached)
                watched(array(3))
                watched.clear_cache()
                jax.clear_caches()
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()

    first, second = (e for e in recorded.events(CompilationEvent) if e.program == "cached")
    assert ("miss", "hit") == (first.persistent_cache, second.persistent_cache)
    assert "cache_read" in [phase.name for phase in second.phases]


def test_a_retrace_that_jax_finds_in_its_cache_is_not_called_a_trace():
    def body(x):
        return x * 23

    jitscope.jit(body)(array(3))
    donating = jitscope.jit(body, donate_argnums=0)
    donating(array(3))

    (compilation,) = jitscope.stats(donating).compilations_detail
    assert ("lower", "compile") == compilation.layers
