"""Compiles attention and a stack of 12 transformer blocks with JAX, each for two batch sizes; prints what that took.

python miss_jax.py bare|jitscope|equinox   (a fresh process each time: caches of traces are process-wide)
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp

COUNTED = {
    "/jax/core/compile/jaxpr_trace_duration": "trace events",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lowerings",
    "/jax/core/compile/backend_compile_duration": "compiles",
}
DEPTH, WIDTH, HEADS = 12, 64, 4


def attention(q: Any, k: Any, v: Any) -> Any:
    """Softmax attention."""
    ran["attention"] += 1
    scores = jnp.einsum("bthd,bshd->bhts", q, k) / 4.0
    return jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, axis=-1), v)


def blocks(weights: list[dict[str, Any]], x: Any) -> Any:
    """Transformer blocks, one after the other, not scanned: the trace holds each of them."""
    ran["blocks"] += 1
    for w in weights:
        b, t, _ = x.shape
        q, k, v = ((_norm(x) @ w[name]).reshape(b, t, HEADS, -1) for name in ("q", "k", "v"))
        scores = jax.nn.softmax(jnp.einsum("bthd,bshd->bhts", q, k) / 4.0, axis=-1)
        x = x + jnp.einsum("bhts,bshd->bthd", scores, v).reshape(x.shape) @ w["o"]
        x = x + jax.nn.gelu(_norm(x) @ w["up"]) @ w["down"]
    return x


def _norm(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)


def _weights() -> list[dict[str, Any]]:
    sizes = dict.fromkeys("qkvo", (WIDTH, WIDTH)) | {"up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    return [{name: jnp.full(size, 0.01) for name, size in sizes.items()} for _ in range(DEPTH)]


def _inputs(name: str, batch: int) -> tuple[Any, ...]:
    if name == "attention":
        return tuple(jnp.ones((batch, 64, 4, 32)) for _ in range(3))
    return weights, jnp.ones((batch, 16, WIDTH))


ran: Counter[str] = Counter()
counts: Counter[str] = Counter()
weights = _weights()


def main(contestant: str) -> None:
    """Compile and print."""
    own = None
    watch: Callable[[Any], Any] = lambda fn: fn  # noqa: E731
    recording: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if contestant == "jitscope":
        from own_time import OwnTime

        import jitscope

        own = OwnTime("jax")
        watch = jitscope.watch
        recording = jitscope.record(Path(tempfile.mkdtemp()) / "run.jsonl")
    limit: Callable[[Any], Any] = lambda fn: fn  # noqa: E731
    if contestant == "equinox":
        import equinox

        limit = equinox.debug.assert_max_traces(max_traces=2)
    seconds, inside = {}, {}
    with recording:
        for name, fn in (("attention", attention), ("12 blocks", blocks)):
            compiled = watch(jax.jit(limit(fn)))
            for which, batch in (("first call", 2), ("again", 3)):
                arguments = jax.block_until_ready(_inputs(name, batch))
                if not counts:  # what makes arguments is compiled, too, and is not counted
                    jax.monitoring.register_event_duration_secs_listener(_count)
                counts["listening"] = 1
                gc.collect()
                gc.disable()
                before, start = own.seconds if own else 0.0, perf_counter()
                jax.block_until_ready(compiled(*arguments))
                seconds[f"{name}, {which}"] = perf_counter() - start
                inside[f"{name}, {which}"] = (own.seconds if own else 0.0) - before
                counts["listening"] = 0
                gc.enable()
            compiled(*arguments)
            if own:
                found = jitscope.stats(compiled)
                causes = [{cause.kind for cause in one.causes} for one in found.compilations_detail]
                assert (found.compilations, found.hits, causes) == (2, 1, [{"first_compile"}, {"shape"}]), found
    del counts["listening"]
    print(
        json.dumps(
            {"seconds": seconds, "own": inside, "counts": {**counts, **{f"runs of {k}": v for k, v in ran.items()}}}
        )
    )


def _count(name: str, _seconds: float, **_: Any) -> None:
    if name in COUNTED and counts["listening"]:
        counts[COUNTED[name]] += 1


if __name__ == "__main__":
    main(sys.argv[1])
