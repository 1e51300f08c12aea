"""JAX: what happens with Flax, Equinox and Optax."""

from __future__ import annotations

import functools

import jax
import numpy as np

import jitscope
from causes.jax_common import array, situation
from causes.situation import FIRST, because

# -- Optax ----------------------------------------------------------------------------------------


@situation("compile*3", [FIRST, *[because(("static_value", "tx"))] * 2], needs=["optax"])
def an_optimizer_made_in_each_step():
    import optax

    @jitscope.watch
    @functools.partial(jax.jit, static_argnames="tx")
    def update(params, grads, tx):
        updates, _ = tx.update(grads, tx.init(params), params)
        return optax.apply_updates(params, updates)

    params = array(3)
    for _ in range(3):
        params = update(params, array(3), tx=optax.sgd(0.1))


@situation("compile hit compile hit", [FIRST, because(("new_function", "step"))], needs=["optax"])
def a_step_function_made_for_each_optimizer():
    import optax

    def train(rate):
        tx = optax.sgd(rate)

        @jitscope.watch
        @jax.jit
        def step(params, grads):
            updates, _ = tx.update(grads, tx.init(params), params)
            return optax.apply_updates(params, updates)

        params = array(3)
        for _ in range(2):
            params = step(params, array(3))

    for rate in (0.1, 0.01):
        train(rate)


@situation("compile hit hit", [FIRST], needs=["optax"])
def an_injected_learning_rate():
    import optax

    tx = optax.inject_hyperparams(optax.adam)(learning_rate=0.1)

    @jitscope.watch
    @jax.jit
    def step(params, state, grads):
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    params = array(3)
    state = tx.init(params)
    for rate in (0.1, 0.05, 0.01):
        state.hyperparams["learning_rate"] = jax.device_put(np.float32(rate))
        params, state = step(params, state, array(3))


# -- Flax -----------------------------------------------------------------------------------------


@situation("compile hit compile", [FIRST, because(("tree_structure", "state.tx"))], needs=["flax", "optax"])
def a_train_state_with_a_new_optimizer():
    import optax
    from flax.training.train_state import TrainState

    def apply_fn(params, x):
        return x @ params["w"]

    @jitscope.watch
    @jax.jit
    def step(state, x):
        grads = jax.grad(lambda params: apply_fn(params, x).sum())(state.params)
        return state.apply_gradients(grads=grads)

    def new_state():
        state = TrainState.create(apply_fn=apply_fn, params={"w": array(3, 2)}, tx=optax.sgd(0.1))
        return state.replace(step=array(dtype=np.int32))

    state = new_state()
    for _ in range(2):
        state = step(state, array(4, 3))
    step(new_state(), array(4, 3))


@situation("compile hit compile", [FIRST, because(("shape", "x"))], needs=["flax"])
def an_nnx_model_in_a_region():
    from flax import nnx

    model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))

    @nnx.jit
    def forward(model, x):
        return model(x)

    @jitscope.watch
    def serve(x):
        return forward(model, x)

    for size in (4, 4, 7):
        serve(array(size, 3))


# -- Equinox --------------------------------------------------------------------------------------


@situation("compile hit compile", [FIRST, because(("shape", "x"))], needs=["equinox"])
def a_filtered_jit_in_a_region():
    import equinox as eqx

    model = eqx.nn.MLP(3, 2, width_size=4, depth=1, key=jax.random.key(0))

    @eqx.filter_jit
    def forward(model, x):
        return jax.vmap(model)(x)

    @jitscope.watch
    def serve(x):
        return forward(model, x)

    for size in (4, 4, 7):
        serve(array(size, 3))


@situation(
    "compile compile",
    [FIRST, because(("shape", "model.weight"), ("tree_structure", "model.in_features"), ("shape", "x"))],
    needs=["equinox"],
)
def an_equinox_layer_of_another_width():
    import equinox as eqx

    forward = jitscope.jit(lambda model, x: model(x))
    for width in (3, 5):
        forward(eqx.nn.Linear(width, 2, key=jax.random.key(0)), array(width))


@situation("compile compile", [FIRST, because(("dtype", "model.weight"))], needs=["equinox"])
def an_equinox_layer_in_half_precision():
    import equinox as eqx

    forward = jitscope.jit(lambda model, x: model(x))
    model = eqx.nn.Linear(3, 2, use_bias=False, key=jax.random.key(0))
    forward(model, array(3))
    forward(jax.tree_util.tree_map(lambda leaf: leaf.astype(np.float16), model), array(3))
