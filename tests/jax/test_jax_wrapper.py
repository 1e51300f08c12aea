"""What `watch` returns behaves as what was passed in."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jitscope


@jitscope.watch
@jax.jit
def at_module_level(x, n=2):
    """Documented."""
    return x * n


X = np.ones(3, np.float32)


def test_it_keeps_the_api_of_a_jitted_function():
    assert "Documented." == at_module_level.__doc__
    assert "(x, n=2)" == str(inspect.signature(at_module_level))
    assert "at_module_level" == at_module_level.__name__
    assert not hasattr(at_module_level.__wrapped__, "lower")
    assert (3,) == at_module_level.eval_shape(X).shape
    assert "at_module_level" in at_module_level.lower(X).as_text()
    assert at_module_level.trace(X).jaxpr is not None
    assert isinstance(at_module_level, jax.stages.Wrapped)
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level
    assert copy.deepcopy(at_module_level) is at_module_level


def test_watching_twice_changes_nothing():
    assert at_module_level is jitscope.watch(at_module_level)


def test_it_can_be_jitted_and_transformed_again():
    np.testing.assert_array_equal(2 * X, jax.jit(at_module_level)(X))
    np.testing.assert_array_equal(2 * np.ones((2, 3)), jax.vmap(at_module_level)(np.ones((2, 3), np.float32)))


def test_a_jitted_method_binds():
    class Model:
        scale = 3

        @jitscope.watch
        @functools.partial(jax.jit, static_argnums=0)
        def apply(self, x):
            return x * self.scale

    model = Model()
    model.apply(X)
    np.testing.assert_array_equal(3 * X, model.apply(X))

    stats = jitscope.stats(Model.apply)
    assert (2, 1) == (stats.calls, stats.hits)
    assert stats.name.endswith("Model.apply")
    assert "self=<test_a_jitted_method_binds.<locals>.Model>, x: f32[3]{numpy}" == stats.signatures[0].text


def test_a_bound_method_of_a_jitted_function_can_be_watched():
    class Model:
        @functools.partial(jax.jit, static_argnums=0)
        def apply(self, x):
            return x + 1

    bound = jitscope.watch(Model().apply)
    bound(X)

    assert 1 == jitscope.stats(bound).calls


def test_a_partial_of_a_jitted_function_can_be_watched():
    base = jax.jit(lambda x, y: x + y)
    partial = jitscope.watch(functools.partial(base, X))
    np.testing.assert_array_equal(2 * X, partial(X))

    assert isinstance(partial, functools.partial)
    assert 1 == jitscope.stats(partial).calls


def test_jit_takes_the_options_of_jax_jit_as_function_and_as_decorator():
    @jitscope.jit(static_argnames=("n",))
    def power(x, n):
        return x**n

    power(X, n=2)
    power(X, n=3)

    stats = jitscope.stats(power)
    assert ["n=2", "n=3"] == [s.text.split(", ")[1] for s in stats.signatures]
    assert ["static_value"] == [cause.kind for cause in stats.compilations_detail[1].causes]


def test_a_plain_function_is_a_region_that_owns_what_compiles_inside():
    inner = jax.jit(lambda x: jnp.sinh(x) * 1.5)

    @jitscope.watch
    def step(x):
        return inner(x)

    for size in (3, 3, 4):
        step(np.ones(size, np.float32))

    stats = jitscope.stats(step)
    assert (3, 1, 2, 2) == (stats.calls, stats.hits, stats.compiling_calls, stats.compilations)
    assert [1, 3] == [c.call for c in stats.compilations_detail]


def test_a_watched_function_inside_a_region_keeps_its_compiles():
    inner = jitscope.watch(jax.jit(lambda x: jnp.cosh(x) * 1.5))

    @jitscope.watch
    def step(x):
        return inner(x)

    step(X)

    assert (1, 0) == (jitscope.stats(inner).compilations, jitscope.stats(step).compilations)


def test_watch_below_jit_warns_once_and_names_the_fix():
    @jax.jit
    @jitscope.watch
    def upside_down(x):
        return x

    with pytest.warns(UserWarning, match=r"jitscope\.watch is below jax\.jit on .*upside_down"):
        upside_down(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        upside_down(np.ones(4, np.float32))


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="takes a callable, not int"):
        jitscope.watch(3)
    with pytest.raises(TypeError, match="not the class"):
        jitscope.watch(type("Model", (), {}))


def test_stats_of_a_function_that_is_not_watched_say_so():
    with pytest.raises(jitscope.JitscopeError, match="is not watched"):
        jitscope.stats(len)
