"""One first call of attention; prints JSON.

    python first_attention.py jax|torch DEVICE B,S,H,D measure|warm RECORDING

``measure`` writes the recording, ``warm`` compiles from it first, and then answers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any


def main() -> None:
    """Measure a first call, or warm up and answer."""
    begun = perf_counter()
    framework, device, shape, how, recording = sys.argv[1:6]
    sizes = tuple(int(size) for size in shape.split(","))
    compiled, inputs, wait, compiles = (jax_parts if framework == "jax" else torch_parts)(device, sizes)
    import jitscope

    imported = perf_counter() - begun
    if how == "measure":
        with jitscope.record(recording, force=True):
            arguments = inputs()
            wait(arguments)
            found = jitscope.first_call(compiled, *arguments).value
        measured = found.measured
        assert measured is not None
        print(
            json.dumps(
                {
                    "imports": imported,
                    "first": measured.first,
                    "second": measured.second,
                    "steady": measured.steady,
                    "eager_first": measured.eager_first,
                    "eager_steady": measured.eager_steady,
                    "pays_after": measured.pays_after,
                    "attributed": found.attributed,
                }
            )
        )
        return
    watched = jitscope.watch(compiled)
    begun = perf_counter()
    ready = jitscope.warm(watched, recording).ready
    warming = perf_counter() - begun
    arguments = inputs()
    wait(arguments)
    before = compiles()
    times = []
    for _ in range(2):
        begun = perf_counter()
        wait(watched(*arguments))
        times.append(perf_counter() - begun)
    told = {"imports": imported, "warming": warming, "ready": ready, "first": times[0], "second": times[1]}
    print(json.dumps({**told, "compiled": compiles() - before}))


Parts = tuple[Callable[..., Any], Callable[[], Any], Callable[[Any], object], Callable[[], int]]
"""The compiled function, its arguments, waiting for a result, and the framework's own count of compiles."""


def jax_parts(device: str, sizes: tuple[int, ...]) -> Parts:
    """On JAX; the arguments are made by NumPy, so that nothing else is compiled."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    counted: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, _, **__: counted.append(name) if name.endswith("backend_compile_duration") else None
    )

    @jax.jit
    def attention(q: Any, k: Any, v: Any) -> Any:
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
        weights = jax.nn.softmax(scores.astype(jnp.float32), axis=-1).astype(q.dtype)
        return jnp.einsum("bhqk,bkhd->bqhd", weights, v)

    def inputs() -> list[Any]:
        return [jax.device_put(np.ones(sizes, jnp.bfloat16), jax.devices(device)[0]) for _ in range(3)]

    return attention, inputs, jax.block_until_ready, lambda: len(counted)


def torch_parts(device: str, sizes: tuple[int, ...]) -> Parts:
    """On torch."""
    import torch
    from torch._dynamo.utils import counters

    @torch.compile
    def attention(q: Any, k: Any, v: Any) -> Any:
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
        weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
        return torch.einsum("bhqk,bkhd->bqhd", weights, v)

    def inputs() -> list[Any]:
        return [torch.randn(sizes, device=device, dtype=torch.bfloat16) for _ in range(3)]

    def wait(_: Any) -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    return attention, inputs, wait, lambda: int(counters["stats"]["unique_graphs"])


if __name__ == "__main__":
    main()
