"""A training loop whose last batch of each epoch is shorter: one shape too many, and an evaluation with a third."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

WIDTH, BATCH, EXAMPLES = 64, 32, 32 * 12 + 11


def loss(weights: dict[str, Any], batch: Any) -> Any:
    """Of two layers that are to give back what they get."""
    hidden = jnp.tanh(batch @ weights["up"])
    return jnp.mean((hidden @ weights["down"] - batch) ** 2)


@jax.jit
def train_step(weights: dict[str, Any], batch: Any) -> Any:
    """One step down the gradient."""
    value, slopes = jax.value_and_grad(loss)(weights, batch)
    return jax.tree.map(lambda weight, slope: weight - 0.05 * slope, weights, slopes), value


@jax.jit
def evaluate(weights: dict[str, Any], batch: Any) -> Any:
    """The loss, and no step."""
    return loss(weights, batch)


def main() -> None:
    """Train for three epochs."""
    made = np.random.default_rng(0)
    data = made.normal(size=(EXAMPLES, WIDTH)).astype(np.float32)
    weights = {
        "up": made.normal(size=(WIDTH, 2 * WIDTH), scale=0.1).astype(np.float32),
        "down": made.normal(size=(2 * WIDTH, WIDTH), scale=0.1).astype(np.float32),
    }
    for epoch in range(3):
        for start in range(0, EXAMPLES, BATCH):
            weights, value = train_step(weights, data[start : start + BATCH])
        print(f"epoch {epoch}: {float(value):.4f}, all {float(evaluate(weights, data)):.4f}")


if __name__ == "__main__":
    main()
