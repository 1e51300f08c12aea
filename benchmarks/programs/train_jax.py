"""A small training loop on JAX: a network of three layers, epochs of 50 batches of which the last one is shorter.

python train_jax.py STEPS   or   python train_jax.py --seconds S, which says how many steps that are.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp


def loss(weights: dict[str, Any], x: Any, y: Any) -> Any:
    """Mean squared error."""
    hidden = jax.nn.gelu(x @ weights["in"])
    hidden = jax.nn.gelu(hidden @ weights["middle"])
    return jnp.mean((hidden @ weights["out"] - y) ** 2)


@jax.jit
def step(weights: dict[str, Any], x: Any, y: Any) -> tuple[dict[str, Any], Any]:
    """One step of gradient descent."""
    value, gradient = jax.value_and_grad(loss)(weights, x, y)
    return jax.tree_util.tree_map(lambda w, g: w - 1e-3 * g, weights, gradient), value


def main() -> None:
    """Train, and print what that took."""
    limit = float(sys.argv[2]) if sys.argv[1] == "--seconds" else None
    steps = 10**9 if limit else int(sys.argv[1])
    key = jax.random.key(0)
    sizes = {"in": (128, 256), "middle": (256, 256), "out": (256, 16)}
    weights = {name: jax.random.normal(key, size) * 0.05 for name, size in sizes.items()}
    batches = [(jnp.ones((size, 128)), jnp.ones((size, 16))) for size in [64] * 49 + [40]]
    for batch in batches[-2:]:
        float(step(weights, *batch)[1])  # compiles
    start, done = perf_counter(), 0
    while done < steps and (limit is None or perf_counter() - start < limit):
        weights, value = step(weights, *batches[done % 50])
        float(value)
        done += 1
    print(json.dumps({"steps": done, "loop": perf_counter() - start, "loss": float(value)}))


if __name__ == "__main__":
    main()
