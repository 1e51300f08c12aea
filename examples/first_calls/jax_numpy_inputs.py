"""`jax_slow.py` with its weights and inputs made by numpy: docs/first-calls.md."""

import jax
import jax.numpy as jnp
import numpy as np

WIDTH, LAYERS = 256, 4


def weights(rng):
    shapes = {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    return {name: rng.standard_normal(shape, dtype=np.float32) * shape[0] ** -0.5 for name, shape in shapes.items()}


def attention(q, k, v):
    scores = jnp.einsum("bhqd,bhkd->bhqk", q, k) * q.shape[-1] ** -0.5
    causal = jnp.tril(jnp.ones(scores.shape[-2:], bool))
    return jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(jnp.where(causal, scores, -jnp.inf)), v)


def layer(x, w):
    q, k, v = jnp.moveaxis((x @ w["qkv"]).reshape(*x.shape[:2], 3, 8, -1), (2, 3), (0, 2))
    x = x + jnp.moveaxis(attention(q, k, v), 1, 2).reshape(x.shape) @ w["out"]
    return x + jax.nn.gelu(x @ w["up"]) @ w["down"]


@jax.jit
def model(layers, x):
    for w in layers:
        x = layer(x, w)
    return x


rng = np.random.default_rng(0)
layers = [weights(rng) for _ in range(LAYERS)]
x = rng.standard_normal((4, 128, WIDTH), dtype=np.float32)
model(layers, x).block_until_ready()
