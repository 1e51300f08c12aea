"""A small server's models on JAX: ``python warm_jax.py record|cold|warm RECORDING [JOBS]``; prints JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

LENGTHS = (64, 128, 192, 256)
LAYERS, WIDTH, HEADS, WORDS = 8, 128, 4, 512


@jax.jit
def attention(q: Any, k: Any, v: Any) -> Any:
    """Attend from every query to every key."""
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
    weights = jax.nn.softmax(scores.astype(jnp.float32), axis=-1).astype(q.dtype)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v)


@jax.jit
def transformer(params: Any, tokens: Any) -> Any:
    """Logits for each token; the layers are unrolled."""
    x = params["words"][tokens]
    for layer in params["layers"]:
        split = (*x.shape[:2], HEADS, WIDTH // HEADS)
        q, k, v = ((x @ layer[name]).reshape(split) for name in ("q", "k", "v"))
        x = x + attention(q, k, v).reshape(x.shape) @ layer["out"]
        x = x + jax.nn.gelu(x @ layer["up"]) @ layer["down"]
        x = (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1e-6)
    return x @ params["words"].T


def parameters() -> Any:
    """Random weights, made by NumPy so that nothing is compiled for it."""
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> Any:
        return jax.device_put(rng.standard_normal(shape, np.float32) * 0.02)

    sizes = dict.fromkeys(("q", "k", "v", "out"), (WIDTH, WIDTH))
    sizes |= {"up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    layers = [{name: weights(*size) for name, size in sizes.items()} for _ in range(LAYERS)]
    return {"words": weights(WORDS, WIDTH), "layers": layers}


def requests(params: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """What comes in: each attention, and each length of text, once."""
    for length in LENGTHS:
        q = np.ones((2, length, HEADS, WIDTH // HEADS), np.float32)
        yield attention, (q, q, q)
    for length in LENGTHS:
        yield transformer, (params, np.zeros((2, length), np.int32))


def main() -> None:
    """Record, or answer the requests cold or warmed."""
    how, recording = sys.argv[1:3]
    params = parameters()
    compiled: list[float] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **_: compiled.append(seconds) if name.endswith("backend_compile_duration") else None
    )
    functions = {attention: attention, transformer: transformer}
    warming = 0.0
    if how != "cold":
        import jitscope
    if how == "record":
        functions = {one: jitscope.watch(one) for one in functions}
        with jitscope.record(recording, force=True):
            answer(functions, params)
        return
    states: list[str] = []
    if how == "warm":
        begun = perf_counter()
        for function in functions:
            warmed = jitscope.warm(function, recording, jobs=int(sys.argv[3]), check=False)
            states += [one.state for one in warmed.signatures]
        warming = perf_counter() - begun
    before = len(compiled)
    times = answer(functions, params)
    print(json.dumps({"warming": warming, "times": times, "compiled": len(compiled) - before, "states": states}))


def answer(functions: Any, params: Any) -> list[float]:
    """Seconds until each request was answered."""
    times = []
    for function, arguments in requests(params):
        begun = perf_counter()
        jax.block_until_ready(functions[function](*arguments))
        times.append(perf_counter() - begun)
    return times


if __name__ == "__main__":
    main()
