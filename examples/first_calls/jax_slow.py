"""A small transformer whose first call is slow, for another reason than one would think: docs/first-calls.md."""

import jax
import jax.numpy as jnp

WIDTH, LAYERS = 256, 4


def weights(key):
    shapes = {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    keys = dict(zip(shapes, jax.random.split(key, len(shapes)), strict=True))
    return {name: jax.random.normal(keys[name], shape) * shape[0] ** -0.5 for name, shape in shapes.items()}


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


key = jax.random.key(0)
layers = [weights(k) for k in jax.random.split(key, LAYERS)]
x = jax.random.normal(key, (4, 128, WIDTH))
model(layers, x).block_until_ready()
