"""Where watching could change the program or tell a lie: found by trying to break it."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import warnings
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jitscope
from jitscope.capture import switches
from jitscope.capture.watch import book_of
from jitscope.model.events import CompilationEvent


def array(*shape):
    return jnp.asarray(np.ones(shape, np.float32))


def outcomes(function):
    return [run.outcome for run in jitscope.stats(function).history for _ in range(run.count)]


def unders(function):
    return [c.under for c in jitscope.stats(function).compilations_detail]


def test_transformations_of_a_watched_function_do_not_inherit_its_api():
    inner = jitscope.jit(lambda x: (x**2).sum())
    outer = jax.jit(jax.grad(inner))
    x = array(3)

    np.testing.assert_array_equal(2 * x, outer.lower(x).compile()(x))
    np.testing.assert_array_equal(2 * x, outer(x))
    assert 1 == outer._cache_size()
    assert not hasattr(jax.grad(inner), "lower")
    assert not hasattr(functools.wraps(inner)(lambda x: x), "lower")


def test_a_jitted_transformation_is_watched_apart_from_what_is_in_it():
    inner = jitscope.jit(lambda x: (x**2).sum())
    outer = jitscope.jit(jax.grad(inner))
    for _ in range(2):
        outer(array(3))

    assert (["compile", "hit"], ["nested"]) == (outcomes(outer), outcomes(inner))
    assert jitscope.stats(outer).name.startswith("grad(")


def test_a_jitted_function_watched_twice_has_one_book():
    bare = jax.jit(lambda x: x * 2)
    first = jitscope.watch(bare)
    first(array(3))
    second = jitscope.watch(bare)
    second(array(4))

    assert first is second
    assert ["compile", "compile"] == outcomes(first)


def test_a_function_can_be_watched_again_when_its_wrapper_is_gone():
    bare = jax.jit(lambda x: x * 3)
    first = jitscope.watch(bare)
    first(array(3))
    del first
    gc.collect()
    second = jitscope.watch(bare)
    for size in (4, 5, 4):
        second(array(size))

    assert ["compile", "compile", "hit"] == outcomes(second)


def test_two_jits_of_one_function_count_their_own_hits():
    def body(x):
        return x + 1

    first, second = jitscope.jit(body), jitscope.jit(body)
    first(array(3))
    second(array(4))
    first(array(4))
    first(array(4))

    assert {"x: f32[3]": (1, 0), "x: f32[4]": (2, 2)} == {
        s.text: (s.calls, s.hits) for s in jitscope.stats(first).signatures
    }


def test_ahead_of_time_compiles_keep_their_own_phases():
    watched = jitscope.jit(lambda x: jnp.sin(x) + 1)
    one, two = watched.lower(array(3)), watched.lower(array(4))
    jnp.arccosh(array(7))
    one.compile()
    thread = threading.Thread(target=two.compile)
    thread.start()
    thread.join()

    details = jitscope.stats(watched).compilations_detail
    assert [("trace", "lower", "compile")] * 2 == [c.layers for c in details]
    assert ["aot", "aot"] == [c.under for c in details]


def test_hits_during_a_compile_under_another_setting_did_not_wait():
    entered, go = threading.Event(), threading.Event()
    first = [True]

    @jitscope.watch
    @jax.jit
    def body(x):
        if not first:
            entered.set()
            assert go.wait(20)
        first.clear()
        return x + 1

    x = array(3)
    body(x)

    def compile_again():
        with jax.default_matmul_precision("float32"):
            body(x)

    thread = threading.Thread(target=compile_again)
    thread.start()
    assert entered.wait(20)
    for _ in range(5):
        body(x)
    go.set()
    thread.join()

    stats = jitscope.stats(body)
    assert (2, 5, 0) == (stats.compiling_calls, stats.hits, stats.waited_calls)


def test_a_backward_program_belongs_to_the_closure_that_was_traced():
    def make(scale):
        def loss(x):
            return (scale * x).sum()

        return jitscope.jit(loss)

    first, second = make(1.0), make(2.0)
    jax.grad(first)(array(3))

    assert (["grad", "backward"], []) == (unders(first), unders(second))


def test_dispatch_misses_after_a_cleared_cache():
    watched = jitscope.jit(lambda x: x - 1)
    watched(array(3))
    watched(array(4))
    watched.clear_cache()
    watched(array(3))
    watched(np.ones(3, np.float32))
    watched(np.ones(3, np.float32))

    assert ["compile", "compile", "compile", "dispatch_miss", "hit"] == outcomes(watched)


def test_the_python_path_is_told_from_dispatch_misses_whatever_others_put_in_the_cache():
    def effectful(x):
        jax.debug.callback(lambda value: None, x)
        return x

    watched = jitscope.jit(effectful)
    watched(array(3))
    twin = jax.jit(effectful)
    twin(array(4))
    twin(array(5))
    for _ in range(3):
        watched(array(3))

    assert ["compile", "python_path", "python_path", "python_path"] == outcomes(watched)


def test_a_retrace_after_a_trace_that_raised_is_a_trace():
    fail = [True]

    @jitscope.watch
    @jax.jit
    def body(x):
        if fail:
            fail.clear()
            raise RuntimeError
        return jnp.tan(x)

    with pytest.raises(RuntimeError):
        body(array(3))
    body(array(3))

    assert [("trace", "lower", "compile")] == [c.layers for c in jitscope.stats(body).compilations_detail]
    assert ["error", "compile"] == outcomes(body)


def test_static_arguments_are_let_go_when_jax_lets_them_go():
    class Config:
        pass

    def kept(wrap):
        function = wrap(jax.jit(lambda x, config: x, static_argnums=1))
        good, bad = Config(), Config()
        references = [weakref.ref(good), weakref.ref(bad)]
        function(array(3), good)
        with pytest.raises(TypeError):
            function("text", bad)
        del good, bad
        function.clear_cache()
        jax.clear_caches()
        gc.collect()
        return [reference() is not None for reference in references]

    # jax before 0.9 keeps some of them.
    assert kept(lambda function: function) == kept(jitscope.watch)


def test_static_arguments_are_let_go_when_all_caches_are_cleared():
    class Config:
        pass

    def kept(wrap):
        function = wrap(jax.jit(lambda x, config: x, static_argnums=1))
        config = Config()
        reference = weakref.ref(config)
        function(array(3), config)
        function(array(4), config)
        del config
        jax.clear_caches()
        gc.collect()
        return reference() is not None

    assert kept(lambda function: function) == kept(jitscope.watch)


def test_a_signature_that_cannot_be_read_loses_no_compilation(monkeypatch):
    watched = jitscope.jit(lambda x: x * 3)
    monkeypatch.setattr(switches, "STRICT", False)
    monkeypatch.setattr(book_of(watched).probe.reader, "read", lambda args, kwargs: 1 / 0)
    for _ in range(2):
        watched(array(3))

    (one,) = jitscope.stats(watched).compilations_detail
    assert (None, ("trace", "lower", "compile")) == (one.signature, one.layers)
    assert "compile" == outcomes(watched)[0]


def test_a_pmapped_function_can_be_watched():
    """Up to jax 0.6 it looks like a jitted one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        watched = jitscope.watch(jax.pmap(lambda x: x * 2))

    assert [[2.0, 2.0]] == watched(array(1, 2)).tolist()


def test_static_and_class_methods_can_be_watched_in_any_order():
    class Model:
        @jitscope.watch
        @staticmethod
        @jax.jit
        def static(x):
            return x + 1

        @classmethod
        @jitscope.watch
        @functools.partial(jax.jit, static_argnums=0)
        def of_class(cls, x):
            return x + 2

    np.testing.assert_array_equal(2 * np.ones(3), Model().static(array(3)))
    np.testing.assert_array_equal(3 * np.ones(3), Model.of_class(array(3)))
    assert 1 == jitscope.stats(Model.static).calls


def test_what_a_wrapper_would_harm_is_returned_with_a_warning():
    @jax.custom_vjp
    def custom(x):
        return x

    async def coroutine():
        return 1

    for thing in (custom, coroutine):
        with pytest.warns(UserWarning, match="it is not watched"):
            assert thing is jitscope.watch(thing)


def test_a_host_array_first_is_no_cause_of_a_later_recompile():
    watched = jitscope.jit(lambda p, b: p + b.sum())
    p = np.ones(3, np.float32)
    for size in (3, 3, 3, 4):
        p = watched(p, array(size))

    assert ["compile", "dispatch_miss", "hit", "compile"] == outcomes(watched)
    (cause,) = jitscope.stats(watched).compilations_detail[-1].causes
    assert ("shape", "b") == (cause.kind, cause.path)


def test_grad_and_vmap_of_one_function_are_no_recompilations_of_it():
    def loss(x):
        return (x**3).sum()

    watched = [jitscope.jit(jax.grad(loss)), jitscope.jit(loss), jitscope.jit(jax.vmap(loss))]
    watched[0](array(3))
    watched[1](array(3))
    watched[2](array(2, 3))

    stats = [jitscope.stats(function) for function in watched]
    assert [0, 0, 0] == [one.recompilations for one in stats]
    prefix = "test_grad_and_vmap_of_one_function_are_no_recompilations_of_it.<locals>.loss"
    assert [f"grad({prefix})", prefix, f"vmap({prefix})"] == [one.name for one in stats]


def raising_once():
    boom = []

    @jitscope.watch
    @jax.jit
    def raises_once(x):
        if boom:
            raise ValueError(boom.pop())
        return x * 2

    raises_once(np.ones(2))
    boom.append("once")
    with pytest.raises(ValueError, match="once"):
        raises_once(np.ones(3))
    return raises_once


def test_a_call_that_raised_does_not_pass_for_a_cleared_cache(recorded):
    with jitscope.record(recorded.path):
        raises_once = raising_once()
        raises_once(np.ones(3))
        with jax.default_matmul_precision("high"):
            raises_once(np.ones(2))

    found = [event for event in recorded.events(CompilationEvent) if event.function is not None]
    assert [False, False, False] == [event.cleared for event in found]


def test_a_signature_that_raised_first_is_on_jaxs_python_path_for_good_and_that_is_said():
    raises_once = raising_once()
    raises_once(np.ones(3))
    left_the_fast_path = []

    def profile(frame, event, _):
        if event == "call" and frame.f_code.co_name == "_infer_params":
            left_the_fast_path.append(frame.f_code.co_filename)

    sys.setprofile(profile)
    try:
        for _ in range(3):
            raises_once(np.ones(3))
    finally:
        sys.setprofile(None)

    assert 3 == len(left_the_fast_path)
    found = jitscope.stats(raises_once)
    assert (6, 0, 3, 0) == (found.calls, found.hits, found.python_path_calls, found.dispatch_misses)
    notes = [note.text for note in jitscope.report().value.notes if note.slug == "python-path-after-error"]
    assert any("raises_once" in text for text in notes)


def test_what_was_lowered_and_never_compiled_is_no_part_of_a_later_program_of_that_name(recorded):
    jitted = jax.jit(lambda x: jnp.sin(x).sum())
    jitscope.watch(jax.jit(lambda x: x))(1.0)  # from now on JAX is listened to
    jitted.lower(array(5))

    with jitscope.record(recorded.path):
        watched = jitscope.watch(jitted)
        jax.grad(watched)(array(7))

    programs = [event for event in recorded.events(CompilationEvent) if event.function is not None]
    assert programs
    for event in programs:
        assert event.start >= 0
        assert ["lower", "compile"] == [phase.name for phase in event.phases if phase.name != "trace"]
