"""A small training loop: the last batch of an epoch is shorter, and the learning rate changes from epoch to epoch.

``python train.py`` compiles the step anew for both; ``python train.py --fixed`` compiles it once.
"""

from __future__ import annotations

import argparse
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

BATCH = 32
SAMPLES = 80  # two batches of 32, and one of 16


def loss(weights: jax.Array, x: jax.Array, y: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean squared error over the samples that count."""
    return jnp.sum(mask * (x @ weights - y) ** 2) / jnp.sum(mask)


@partial(jax.jit, static_argnames="rate")
def train_step(weights: jax.Array, x: jax.Array, y: jax.Array, mask: jax.Array, rate: float) -> jax.Array:
    """One step of gradient descent. The rate is part of the cache key: each new one compiles."""
    return weights - rate * jax.grad(loss)(weights, x, y, mask)


@jax.jit  # type: ignore[untyped-decorator]
def train_step_fixed(weights: jax.Array, x: jax.Array, y: jax.Array, mask: jax.Array, rate: jax.Array) -> jax.Array:
    """The same, with the rate as an array."""
    return weights - rate * jax.grad(loss)(weights, x, y, mask)


def main() -> None:
    """Train for two epochs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fixed", action="store_true", help="pad the last batch, and pass the rate as an array")
    fixed = parser.parse_args().fixed
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(SAMPLES, 4)).astype(np.float32)
    targets = inputs @ np.arange(4, dtype=np.float32)
    weights = jnp.zeros(4)
    for rate in (0.1, 0.05):
        for start in range(0, SAMPLES, BATCH):
            x, y = inputs[start : start + BATCH], targets[start : start + BATCH]
            mask: np.ndarray = np.ones(len(x), np.float32)
            if fixed:
                missing = BATCH - len(x)
                x, y, mask = np.pad(x, ((0, missing), (0, 0))), np.pad(y, (0, missing)), np.pad(mask, (0, missing))
                weights = train_step_fixed(weights, x, y, mask, np.float32(rate))
            else:
                weights = train_step(weights, x, y, mask, rate)
    print("weights", np.round(weights, 2))


if __name__ == "__main__":
    main()
