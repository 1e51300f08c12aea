"""JAX: other function objects, other options, calls inside of others, transformations."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

import jitscope
from causes.jax_common import RECOMPILED, RELOWERED, array, mesh, situation
from causes.situation import FIRST, FULL, because

# -- controls -------------------------------------------------------------------------------------


@situation("compile hit hit", [FIRST])
def the_same_closure_jitted_in_a_loop():
    def body(x):
        return x * 2

    for _ in range(3):
        jitscope.jit(body)(array(3))


@situation("compile hit compile hit", [FIRST, FIRST])
def two_functions_of_one_name():
    def make_first():
        def step(x):
            return x + 1

        return jitscope.jit(step)

    def make_second():
        def step(x):
            return x - 1

        return jitscope.jit(step)

    for step in (make_first(), make_second()):
        step(array(3))
        step(array(3))


@situation("compile compile compile", [FIRST, FIRST, FIRST])
def a_function_its_gradient_and_its_vmap():
    def loss(x):
        return (x**2).sum()

    jitscope.jit(loss)(array(3))
    jitscope.jit(jax.grad(loss))(array(3))
    jitscope.jit(jax.vmap(loss))(array(2, 3))


# -- another function object ----------------------------------------------------------------------


@situation("compile*3", [FIRST, *[because(("new_function", "<lambda>"))] * 2])
def a_lambda_in_a_loop():
    for _ in range(3):
        jitscope.jit(lambda x: x * 2)(array(3))


@situation("compile*3", [FIRST, *[because(("new_function", "<lambda>"), ("shape", "x"))] * 2])
def a_lambda_in_a_loop_of_growing_arrays():
    for size in (3, 4, 5):
        jitscope.jit(lambda x: x * 2)(array(size))


@situation("compile compile", [FIRST, because(("new_function", "scale"))])
def a_partial_made_anew():
    def scale(factor, x):
        return factor * x

    for _ in range(2):
        jitscope.jit(functools.partial(scale, 2.0))(array(3))


@situation("compile hit compile hit", [FIRST, because(("new_function", "apply"))])
def a_closure_factory():
    def make(factor):
        def apply(x):
            return factor * x

        return jitscope.jit(apply)

    for factor in (1.0, 2.0):
        apply = make(factor)
        apply(array(3))
        apply(array(3))


@situation("compile*3", [FIRST, *[because(("new_function", "forward"))] * 2])
def a_decorated_function_inside_a_function():
    def evaluate(x):
        @jitscope.watch
        @jax.jit
        def forward(x):
            return jnp.tanh(x)

        return forward(x)

    for _ in range(3):
        evaluate(array(3))


@situation("compile compile", [FIRST, because(("new_function", "Model.step"))])
def bound_methods_of_two_instances():
    class Model:
        def step(self, x):
            return x + 1

    for model in [Model(), Model()]:
        jitscope.jit(model.step)(array(3))


@situation("compile compile", [FIRST, because(("new_function", "Model.step"))])
def a_bound_method_jitted_twice():
    class Model:
        def step(self, x):
            return x + 1

    model = Model()
    for _ in range(2):
        jitscope.jit(model.step)(array(3))


@situation("compile compile", [FIRST, because(("new_function", "Layer"))])
def callable_instances():
    class Layer:
        def __call__(self, x):
            return x * 2

    for layer in [Layer(), Layer()]:
        jitscope.jit(layer)(array(3))


@situation("compile*3", [FIRST, *[because(("new_function", "grad(loss)"))] * 2])
def the_gradient_jitted_in_each_step():
    def loss(w, x):
        return ((x @ w) ** 2).sum()

    w = array(3)
    for _ in range(3):
        w = w - 0.1 * jax.device_get(jitscope.jit(jax.grad(loss))(w, array(4, 3)))


@situation("compile*2", [FIRST, because(("new_function", "vmap(score)"), ("shape", "x"))])
def a_vmap_jitted_for_each_batch():
    def score(x):
        return jnp.dot(x, x)

    for size in (2, 4):
        jitscope.jit(jax.vmap(score))(array(size, 3))


@situation("compile compile compile", [FIRST, because(("new_function", "apply")), because(("shape", "x"))])
def the_second_closure_has_a_history_of_its_own():
    def make():
        def apply(x):
            return x + 1

        return jitscope.jit(apply)

    make()(array(3))
    second = make()
    second(array(3))
    second(array(4))


# -- other options --------------------------------------------------------------------------------


@situation("compile compile", [FIRST, because(("options", "donate_argnums"))], layers=[FULL, RELOWERED])
def donation_in_one_of_two_jits():
    def update(params, grad):
        return params - grad

    jitscope.jit(update)(array(3), array(3))
    jitscope.jit(update, donate_argnums=0)(array(3), array(3))


@situation("compile compile", [FIRST, because(("options", "compiler_options"))], layers=[FULL, RECOMPILED])
def compiler_options_in_one_of_two_jits():
    def update(x):
        return x * 2

    jitscope.jit(update)(array(3))
    jitscope.jit(update, compiler_options={"xla_cpu_enable_fast_math": True})(array(3))


@situation("compile hit", [FIRST])
def an_option_that_the_dispatch_cache_does_not_see():
    def first_of(x, y):
        return x * 2

    jitscope.jit(first_of)(array(3), array(3))
    jitscope.jit(first_of, keep_unused=True)(array(3), array(3))


@situation("compile compile", [FIRST, because(("options", "static_argnames"))])
def a_static_argument_in_one_of_two_jits():
    def power(x, n):
        return x**n

    jitscope.jit(power)(array(3), n=2)
    jitscope.jit(power, static_argnames="n")(array(3), n=2)


@situation("compile compile", [FIRST, because(("options", "out_shardings"))], layers=[FULL, RELOWERED])
def a_sharded_output_in_one_of_two_jits():
    def double(x):
        return x * 2

    sharding = jax.sharding.NamedSharding(mesh("x"), jax.sharding.PartitionSpec("x"))
    x = jax.device_put(np.ones(8, np.float32), sharding)
    replicated = jax.sharding.NamedSharding(mesh("x"), jax.sharding.PartitionSpec())
    jitscope.jit(double)(x)
    jitscope.jit(double, out_shardings=replicated)(x)


@situation("compile compile", [FIRST, because(("options", "donate_argnums"), ("shape", "x"))])
def donation_and_a_shape():
    def double(x):
        return x * 2

    jitscope.jit(double)(array(3))
    jitscope.jit(double, donate_argnums=0)(array(5))


# -- inside of others -----------------------------------------------------------------------------


@situation("compile hit compile", [FIRST, because(("shape", "x"))])
def an_inner_function_is_part_of_the_outer_one():
    inner = jitscope.jit(lambda x: jnp.sin(x) + 1)

    @jitscope.watch
    @jax.jit
    def outer(x):
        return inner(x) + inner(x)

    for size in (3, 3, 4):
        outer(array(size))


@situation("compile hit", [because(("nested_first", None))], layers=[RELOWERED])
def called_directly_after_nested_use():
    @jitscope.watch
    @jax.jit
    def inner(x):
        return jnp.sin(x)

    @jax.jit
    def outer(x):
        return inner(x) * 2

    outer.lower(array(3))
    inner(array(3))
    inner(array(3))


@situation("compile compile", [FIRST, because(("nested_first", None))], layers=[FULL, RELOWERED])
def called_directly_after_the_watched_outer_one():
    @jitscope.watch
    @jax.jit
    def inner(x):
        return jnp.cos(x)

    @jitscope.watch
    @jax.jit
    def outer(x):
        return inner(x) * 2

    outer(array(3))
    inner(array(3))


@situation("compile", [FIRST, FIRST, because(("backward", "loss"))], layers=[FULL, RELOWERED, RELOWERED])
def a_direct_call_then_the_gradient():
    @jitscope.watch
    @jax.jit
    def loss(x):
        return (jnp.sin(x) * x).sum()

    loss(array(3))
    for _ in range(2):
        jax.grad(loss)(array(3))


@situation(
    "",
    [FIRST, because(("backward", "loss")), because(("shape", "x")), because(("backward", "loss"))],
    layers=[RELOWERED] * 4,
)
def the_gradient_at_two_shapes():
    @jitscope.watch
    @jax.jit
    def loss(x):
        return (jnp.tanh(x) * x).sum()

    for size in (3, 3, 5):
        jax.grad(loss)(array(size))


@situation("compile", [FIRST, FIRST], layers=[FULL, RELOWERED])
def a_direct_call_then_under_vmap():
    double = jitscope.jit(lambda x: jnp.sin(x) * 2)
    double(array(3))
    for _ in range(2):
        jax.vmap(double)(array(4, 3))


@situation("", [FIRST, because(("shape", "x"))], layers=[RELOWERED] * 2)
def two_shapes_under_vmap():
    norm = jitscope.jit(lambda x: jnp.sqrt((x * x).sum()))
    for size in (3, 3, 5):
        jax.vmap(norm)(array(4, size))


@situation(
    "",
    [FIRST, because(("backward", "model")), because(("dtype", "x")), because(("backward", "model"))],
    layers=[RELOWERED] * 4,
)
def value_and_grad_in_two_precisions():
    @jitscope.watch
    @jax.jit
    def model(w, x):
        return (w * x.astype(np.float32)).sum()

    for dtype in (np.float32, np.float16):
        jax.value_and_grad(model)(array(3), array(3, dtype=dtype))


# -- errors and the Python path -------------------------------------------------------------------


@situation("compile error error hit", [FIRST])
def a_body_that_raises_for_one_shape():
    @jitscope.watch
    @jax.jit
    def pairs(x):
        if x.shape[0] % 2:
            raise ValueError(x.shape)
        return x.reshape(-1, 2)

    for size in (4, 3, 3, 4):
        try:
            pairs(array(size))
        except ValueError:
            assert size == 3


@situation("error compile hit", [FIRST])
def an_invalid_argument_first():
    f = jitscope.jit(lambda x: x + 1)
    try:
        f("text")
    except TypeError:
        pass
    else:
        raise AssertionError
    f(array(3))
    f(array(3))


@situation("compile python_path*2 compile python_path", [FIRST, because(("shape", "x"))])
def a_callback_keeps_the_call_in_python():
    @jitscope.watch
    @jax.jit
    def logged(x):
        jax.debug.callback(lambda value: None, x)
        return x

    for size in (3, 3, 3, 4, 4):
        logged(array(size))
    jax.effects_barrier()


@situation("compile eager_fallback hit", [FIRST])
def jit_disabled_for_one_call():
    f = jitscope.jit(lambda x: -x)
    f(array(3))
    with jax.disable_jit():
        f(array(3))
    f(array(3))
