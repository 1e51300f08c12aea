"""Prints how many bytes a function, a compile and hits add to what Python has allocated, or to a recording.

python memory.py jax|torch bare|jitscope|recorded
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import tempfile
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

WARM, COUNT, HITS = 10, 25, 50_000


def main(framework: str, contestant: str) -> None:
    """Measure and print."""
    compiled, make, reset = _framework(framework)
    watch: Callable[[Any], Any] = lambda fn: fn  # noqa: E731
    if contestant != "bare":
        import jitscope

        watch = jitscope.watch
    path = Path(tempfile.mkdtemp()) / "run.jsonl"
    recording = jitscope.record(path) if contestant == "recorded" else contextlib.nullcontext()
    with recording:
        kept: list[Any] = []
        functions = _bytes_each(lambda _: kept.append(watch(compiled())), contestant)
        one = watch(compiled())
        compiles = _bytes_each(lambda n: one(make(2 + n)), contestant)
        two = watch(compiled())
        small, large = make(2), make(3)
        for _ in range(3):
            two(small), two(large)
        hits = _bytes_each(lambda _: [two(small) for _ in range(HITS // COUNT)], contestant)
        turns = _bytes_each(lambda _: [(two(small), two(large)) for _ in range(HITS // COUNT // 2)], contestant)
        reset()
    print(
        json.dumps(
            _by_kind(path)
            if contestant == "recorded"
            else {
                "a watched function": functions,
                "a signature with its compilation": compiles,
                f"{HITS:,} hits of one signature": hits * COUNT,
                f"{HITS:,} hits of two signatures in turn": turns * COUNT,
            }
        )
    )


def _framework(name: str) -> tuple[Callable[[], Any], Callable[[int], Any], Callable[[], None]]:
    if name == "jax":
        import jax
        import jax.numpy as jnp

        return lambda: jax.jit(lambda x: x + 1), jnp.zeros, lambda: None
    import torch

    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = 10_000
    source = "def add(x):\n    return x + 1\n"

    def compiled() -> Any:
        space: dict[str, Any] = {}
        exec(source, space)  # noqa: S102  # code of its own, and so cache entries of its own
        return torch.compile(space["add"], backend="eager", dynamic=False)

    return compiled, torch.zeros, torch.compiler.reset


def _bytes_each(act: Callable[[int], Any], contestant: str) -> float:
    """Bytes that are still allocated after an action, on average, when the first few are behind."""
    for n in range(WARM):
        act(n)
    gc.collect()
    if contestant != "recorded":
        tracemalloc.start()
    for n in range(WARM, WARM + COUNT):
        act(n)
    gc.collect()
    found = tracemalloc.get_traced_memory()[0] / COUNT
    tracemalloc.stop()
    return found  # 0 where nothing was traced


def _by_kind(path: Path) -> dict[str, list[int]]:
    """Bytes of the lines of a recording, by kind of event."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for line in path.read_bytes().splitlines(keepends=True):
        event = json.loads(line)
        sizes[event["event"]].append(len(line))
    return sizes


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
