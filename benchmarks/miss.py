"""What a miss costs beside the compile that it stands for: attention on both frameworks.

Each round compiles the same program twice in a fresh process, bare and watched, in turns; printed are the seconds of
the first call and of a recompilation for another batch size, and the share that jitscope took (the
time inside its hooks, measured in the watched run).

    python benchmarks/miss.py [--framework jax|torch] [--rounds 5] [--backend inductor] [--device cuda]
                              [--shape B T N H]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

PROGRAM = """
import json, sys, time
framework, watched, backend, device = sys.argv[1], sys.argv[2] == "1", sys.argv[3], sys.argv[4]
_, t, n, h = map(int, sys.argv[5:9])
own = [0.0]

if framework == "jax":
    import jax, jax.numpy as jnp
    def attention(q, k, v):
        scores = jnp.einsum("bthd,bshd->bhts", q, k) / 4.0
        return jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, axis=-1), v)
    f = jax.jit(attention)
    make = lambda batch: [jnp.ones((batch, t, n, h), jnp.bfloat16)] * 3
    wait = jax.block_until_ready
    wait(jnp.ones(3) + 1)
else:
    import torch
    def attention(q, k, v):
        scores = torch.einsum("bthd,bshd->bhts", q, k) / 4.0
        return torch.einsum("bhts,bshd->bthd", torch.softmax(scores, dim=-1), v)
    torch.compile(lambda x: x + 1, backend=backend)(torch.ones(3, device=device))
    f = torch.compile(attention, backend=backend, dynamic=False)
    make = lambda batch: [torch.ones(batch, t, n, h, dtype=torch.bfloat16, device=device) for _ in range(3)]
    wait = lambda x: x
if watched:
    import jitscope
    depth = [0]

    def timed(holder, name):
        inner = getattr(holder, name)
        def run(*args, **kwargs):
            depth[0] += 1
            start = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                depth[0] -= 1
                if depth[0] == 0:
                    own[0] += time.perf_counter() - start
        setattr(holder, name, run)

    if framework == "jax":
        from jitscope.capture.frameworks.jax_adapter import JaxAdapter as Adapter, JaxProbe as Probe
        hooks = ["_announce", "_on_duration", "_on_scalar", "_on_fast_path"]
    else:
        from jitscope.capture.frameworks.torch_adapter import TorchAdapter as Adapter, TorchProbe as Probe
        hooks = ["_on_compile", "_on_code", "_on_start", "_on_end"]
    for hook in hooks:
        timed(Adapter, hook)
    timed(Probe, "settle")
    f = jitscope.watch(f)
times, within = [], 0.0
for batch in (int(sys.argv[5]), int(sys.argv[5]) + 1):
    arguments = make(batch)
    before, start = own[0], time.perf_counter()
    wait(f(*arguments))
    times.append(time.perf_counter() - start)
    within += own[0] - before
print(json.dumps({"first": times[0], "again": times[1], "own": within}))
"""


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--framework", choices=["jax", "torch"], action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backend", default="inductor", help="torch.compile's backend")
    parser.add_argument("--device", default="cpu", help="of torch's tensors; JAX takes its default device")
    parser.add_argument("--shape", type=int, nargs=4, default=[2, 64, 4, 32], metavar=("B", "T", "N", "H"))
    options = parser.parse_args()
    shape = [str(size) for size in options.shape]
    for framework in options.framework or ["jax", "torch"]:
        found: dict[str, list[dict[str, float]]] = {"0": [], "1": []}
        for _ in range(options.rounds):
            for watched, results in found.items():
                done = subprocess.run(  # noqa: S603 - this very interpreter, with the program above
                    [
                        sys.executable,
                        "-c",
                        PROGRAM,
                        *map(str, (framework, watched, options.backend, options.device)),
                        *shape,
                    ],
                    check=True,
                    capture_output=True,
                    text=True,
                    env={**os.environ, "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"},
                )
                results.append(json.loads(done.stdout.splitlines()[-1]))
        for what in ("first", "again"):
            bare, watched_ = (statistics.median(one[what] for one in found[key]) for key in ("0", "1"))
            print(f"{framework:6} {what:6} bare {bare * 1e3:8.1f} ms   watched {watched_ * 1e3:8.1f} ms")
        own = statistics.median(one["own"] for one in found["1"])
        total = statistics.median(one["first"] + one["again"] for one in found["1"])
        print(f"{framework:6} jitscope's own part of both calls: {own * 1e3:.2f} ms, {own / total:.2%}")


if __name__ == "__main__":
    main()
