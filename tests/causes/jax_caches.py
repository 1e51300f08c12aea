"""JAX: caches cleared and full, compiles ahead of time, regions."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

import jitscope
from causes.jax_common import RELOWERED, array, situation
from causes.situation import FIRST, FULL, because

CLEARED = because(("cache_cleared", None))


@situation("compile hit compile hit", [FIRST, CLEARED])
def the_cache_of_a_function_cleared():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    f(array(3))
    f.clear_cache()
    f(array(3))
    f(array(3))


@situation("compile compile hit", [FIRST, CLEARED])
def all_caches_cleared():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    jax.clear_caches()
    f(array(3))
    f(array(3))


@situation("compile compile compile compile hit", [FIRST, because(("shape", "x")), CLEARED, CLEARED])
def both_shapes_compiled_again_after_clearing():
    f = jitscope.jit(lambda x: x * 2)
    for size in (3, 4):
        f(array(size))
    f.clear_cache()
    for size in (3, 4, 3):
        f(array(size))


@situation("compile*3", [FIRST, CLEARED, CLEARED])
def cleared_in_each_step():
    f = jitscope.jit(lambda x: x * 2)
    for _ in range(3):
        f(array(3))
        jax.clear_caches()


@situation("compile hit compile hit", [FIRST, FIRST])
def one_function_is_cleared_and_the_other_hits():
    f = jitscope.jit(lambda x: x * 2)
    g = jitscope.jit(lambda x: x * 3)
    f(array(3))
    f(array(3))
    g(array(3))
    f.clear_cache()
    g(array(3))


@situation("compile dispatch_miss", [FIRST])
def the_dispatch_cache_alone_cleared():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    f._clear_cache()
    f(array(3))


@situation("compile compile", [FIRST, because(("cache_evicted", None))], layers=[FULL, RELOWERED])
def evicted_by_two_thousand_programs():
    """JAX keeps 2,048 lowered programs in all; the NumPy array has to ask for its own. Takes ten seconds."""
    f = jitscope.jit(lambda x: x * 2)
    x = array(3)
    f(x)

    def make():
        def other(x):
            return x

        return jax.jit(other)

    others = [make() for _ in range(2_049)]
    with jax.explain_cache_misses(False):
        for other in others:
            other.lower(x)
    f(np.ones(3, np.float32))


# -- ahead of time --------------------------------------------------------------------------------


@situation("dispatch_miss hit", [FIRST])
def called_after_an_ahead_of_time_compile():
    f = jitscope.jit(lambda x: x * 2)
    f.lower(array(3)).compile()
    f(array(3))
    f(array(3))


@situation("compile dispatch_miss", [FIRST, because(("shape", "x"))])
def another_shape_compiled_ahead_of_time():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    f.lower(jax.ShapeDtypeStruct((4,), jnp.float32)).compile()
    f(array(4))


@situation("dispatch_miss compile", [FIRST, because(("shape", "x"))])
def a_shape_that_was_not_compiled_ahead():
    f = jitscope.jit(lambda x: x * 2)
    f.lower(array(3)).compile()
    f(array(3))
    f(array(4))


@situation("compile", [FIRST, because(("dtype", "x"), ("static_value", "n"))])
def another_program_compiled_ahead_of_time():
    f = jitscope.watch(functools.partial(jax.jit, static_argnames="n")(lambda x, n: x * n))
    f(array(3), n=1)
    f.lower(array(3, dtype=jnp.int32), n=2).compile()


# -- regions --------------------------------------------------------------------------------------


@situation("compile hit compile", [FIRST, because(("shape", "x"))])
def a_region_around_a_function():
    body = jax.jit(lambda x: x * 2)

    @jitscope.watch
    def step(x):
        return body(x)

    for size in (3, 3, 4):
        step(array(size))


@situation("compile hit", [FIRST])
def a_region_after_a_program_that_was_only_lowered():
    def make():
        return jax.jit(lambda x: x * 2)

    make().lower(array(3))
    body = make()

    @jitscope.watch
    def step(x):
        return body(x)

    step(array(3))
    step(array(3))


@situation("compile hit compile hit", [FIRST, FIRST, because(("dtype", "x")), because(("dtype", "x"))])
def a_region_around_two_functions():
    @jax.jit
    def forward(x):
        return x * 2

    @jax.jit
    def total(x):
        return x.sum()

    @jitscope.watch
    def step(x):
        return total(forward(x))

    for dtype in (jnp.float32, jnp.float16):
        step(array(3, dtype=dtype))
        step(array(3, dtype=dtype))


@situation("compile compile compile", [FIRST, *[because(("new_function", "body"))] * 2])
def a_region_that_makes_its_function_anew():
    @jitscope.watch
    def step(x):
        @jax.jit
        def body(x):
            return x * 2

        return body(x)

    for _ in range(3):
        step(array(3))


@situation("compile hit compile", [FIRST, because(("config", "jax_default_matmul_precision"))])
def a_region_under_another_setting():
    body = jax.jit(lambda x: x @ x)

    @jitscope.watch
    def step(x):
        return body(x)

    step(array(3, 3))
    step(array(3, 3))
    with jax.default_matmul_precision("float32"):
        step(array(3, 3))
