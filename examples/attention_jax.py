"""Attention in JAX: what ``jax.jit`` costs and gives, and what jitscope saw.

    python examples/attention_jax.py
    python examples/attention_jax.py --device cuda --shape 32 1024 16 256

Times attention op by op, the call that compiles it and the call after that, then calls it with another
sequence length and another dtype. The report says which calls compiled, why, and what that took.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

import jitscope

Shape = tuple[int, int, int, int]
"""Batch, sequence, heads, head size."""

FULL_SHAPE: Shape = (32, 1024, 16, 256)
SMALL_SHAPE: Shape = (2, 64, 4, 32)


def attention(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    """Attend from every query to every key; q, k and v are [batch, sequence, heads, head size]."""
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
    weights = jax.nn.softmax(scores.astype(jnp.float32), axis=-1).astype(q.dtype)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v)


compiled = jax.jit(attention)  # kept, to time it without the watch
watched = jitscope.watch(compiled)  # the same as @jitscope.watch above @jax.jit


@dataclass
class Timings:
    """Seconds that calls of the attention took, each until its result was there."""

    framework: str
    device: str
    shape: Shape
    dtype: str
    options: str = ""
    eager: float = 0.0
    """Not compiled, warm: the median of several."""
    first: float = 0.0
    """The first compiled call: it compiles."""
    second: float = 0.0
    """The second compiled call, that one alone."""
    later: float = 0.0
    """The calls after it: their median."""
    bare: float = 0.0
    """The same compiled function without jitscope around it, in turns with `later`: the median."""
    rounds: int = 0
    """How many calls `later` and `bare` are each the median of."""
    changed: dict[str, float] = field(default_factory=dict)
    """The first call with each changed input: it compiles again."""


def measure(shape: Shape, dtype: str = "bfloat16", device: str = "cpu", rounds: int = 30) -> Timings:
    """Call the attention in every way that the report is to tell apart, and time it."""
    place = jax.devices(device)[0]
    timings = Timings("jax", place.device_kind, shape, dtype)

    q, k, v = inputs(shape, dtype, place)
    jax.block_until_ready(attention(q, k, v))  # JAX compiles each operation by itself here
    timings.eager = statistics.median(repeat(rounds, lambda: attention(q, k, v))[0])

    with clock("attention") as first:
        jax.block_until_ready(watched(q, k, v))
    with clock() as second:
        jax.block_until_ready(watched(q, k, v))
    later, bare = repeat(rounds, lambda: watched(q, k, v), lambda: compiled(q, k, v))
    timings.first, timings.second, timings.rounds = first.seconds, second.seconds, len(later)
    timings.later, timings.bare = statistics.median(later), statistics.median(bare)

    batch, sequence, heads, size = shape
    length = max(sequence // 2, 1) if sequence > 1 else 2
    q, k, v = inputs((batch, length, heads, size), dtype, place)
    with clock("attention for another sequence length") as call:
        jax.block_until_ready(watched(q, k, v))
    timings.changed[f"sequence {sequence} to {length}"] = call.seconds

    other = "bfloat16" if dtype == "float32" else "float32"
    q, k, v = inputs(shape, other, place)
    with clock("attention for another dtype") as call:
        jax.block_until_ready(watched(q, k, v))
    timings.changed[f"{dtype} to {other}"] = call.seconds
    return timings


def inputs(shape: Shape, dtype: str, place: jax.Device) -> list[jax.Array]:
    """Make q, k and v on the device, from a fixed seed; NumPy makes them, so that nothing is compiled for it."""
    rng = np.random.default_rng(0)
    host = [rng.standard_normal(shape, np.float32).astype(jnp.dtype(dtype)) for _ in "qkv"]
    return [jax.block_until_ready(jax.device_put(array, place)) for array in host]


@dataclass
class Clock:
    """What `clock` read."""

    seconds: float = 0.0


@contextlib.contextmanager
def clock(compiling: str = "") -> Iterator[Clock]:
    """Time a block; say that something compiles once that has taken a second."""
    reading = Clock()
    notice = threading.Timer(1.0, print, [f"compiling {compiling} ..."], {"file": sys.stderr, "flush": True})
    if compiling:
        notice.start()
    start = time.perf_counter()
    try:
        yield reading
    finally:
        reading.seconds = time.perf_counter() - start
        notice.cancel()


def repeat(rounds: int, *calls: Callable[[], jax.Array]) -> list[list[float]]:
    """Time the calls in turns, in each round in the opposite order, for about ten seconds at most."""
    times: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + 10
    for turn in range(rounds):
        for index in range(len(calls))[:: -1 if turn % 2 else 1]:
            with clock() as reading:
                jax.block_until_ready(calls[index]())
            times[index].append(reading.seconds)
        if turn >= 2 and time.perf_counter() > end:
            break
    return times


def main() -> None:
    """Read the command line, measure, print."""
    gpu = any(device.platform == "gpu" for device in jax.devices())
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shape", type=int, nargs=4, metavar=("B", "T", "N", "H"))
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--device", default="cuda" if gpu else "cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()

    shape = options.shape or (FULL_SHAPE if options.device == "cuda" else SMALL_SHAPE)
    timings = measure(tuple(shape), options.dtype, options.device, options.rounds)
    print(f"jax attention {list(timings.shape)} {timings.dtype} on {timings.device}")
    print(f"  eager                  {timings.eager * 1e3:10.3f} ms")
    print(f"  first compiled call    {timings.first * 1e3:10.3f} ms")
    print(f"  second compiled call   {timings.second * 1e3:10.3f} ms")
    print(f"  calls after it, median {timings.later * 1e3:10.3f} ms   not watched: {timings.bare * 1e3:.3f} ms")
    for change, seconds in timings.changed.items():
        print(f"  {change:22} {seconds * 1e3:10.3f} ms")
    print()
    print(jitscope.report())


if __name__ == "__main__":
    main()
