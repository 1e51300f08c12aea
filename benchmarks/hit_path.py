"""What a hit costs: bare, behind an empty Python wrapper, behind a naive recorder, behind jitscope.

    python benchmarks/hit_path.py [--quick] [--framework jax|torch|both] [--json FILE]

Each case times all contestants in turns (interleaved rounds, order reversed every other one), in one process.
Printed: the median over the rounds of each contestant's time for a call, what it adds to the bare call, and the
spread of the bare call (10th to 90th percentile), below which no difference means anything.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import jitscope

Call = Callable[[], Any]


@dataclass
class Result:
    """Nanoseconds of one contestant in one case."""

    case: str
    contestant: str
    median_ns: float
    added_ns: float
    """Over the bare call: the median of the differences round by round."""
    ratio: float
    bare_spread_ns: float


def empty_wrapper(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The floor for any Python wrapper."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return wrapper


def naive_recorder(fn: Callable[..., Any], flatten: Callable[[Any], list[Any]]) -> Callable[..., Any]:
    """Reads shapes and dtypes of every leaf on every call and looks them up."""
    seen: dict[Any, int] = {}

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        key = tuple([(leaf.shape, leaf.dtype) for leaf in flatten((args, kwargs)) if hasattr(leaf, "shape")])
        seen[key] = seen.get(key, 0) + 1
        return fn(*args, **kwargs)

    return wrapper


def time_case(case: str, contestants: dict[str, list[Call]], rounds: int, seconds: float) -> list[Result]:
    """Time the contestants in turns; each is a list of calls made one after the other, of which one call is told."""
    names = list(contestants)
    for name in names:
        for call in contestants[name]:
            call()
            call()
    start = perf_counter()
    for call in contestants["bare"]:
        call()
    once = (perf_counter() - start) / len(contestants["bare"])
    repeat = max(1, int(seconds / rounds / len(names) / max(once, 1e-7) / len(contestants["bare"])))
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            for name in names[:: -1 if turn % 2 else 1]:
                times[name].append(_time(contestants[name], repeat))
    finally:
        gc.enable()
    bare = times["bare"]
    deciles = statistics.quantiles(bare, n=10)
    return [
        Result(
            case,
            name,
            statistics.median(times[name]),
            statistics.median(a - b for a, b in zip(times[name], bare, strict=True)),
            statistics.median(a / b for a, b in zip(times[name], bare, strict=True)),
            deciles[-1] - deciles[0],
        )
        for name in names
    ]


def _time(calls: list[Call], repeat: int) -> float:
    start = perf_counter()
    for _ in range(repeat):
        for call in calls:
            call()
    return (perf_counter() - start) / repeat / len(calls) * 1e9


def jax_cases(quick: bool) -> Iterator[tuple[str, dict[str, list[Call]]]]:
    """Leaves of one signature, then several live signatures in turn."""
    import jax
    import jax.numpy as jnp

    def contest(make: Callable[[], Callable[..., Any]], inputs: list[Any]) -> dict[str, list[Call]]:
        bare = make()
        contestants = {
            "bare": bare,
            "empty wrapper": empty_wrapper(bare),
            "naive recorder": naive_recorder(bare, jax.tree_util.tree_leaves),
            # Over a jit of its own: the others' calls would be entries that it did not see made.
            "jitscope": jitscope.watch(make()),
        }
        return {name: [functools.partial(fn, x) for x in inputs] for name, fn in contestants.items()}

    def make() -> Callable[..., Any]:
        return jax.jit(lambda tree: jax.tree_util.tree_map(lambda leaf: leaf + 1, tree))

    for leaves in (1, 100) if quick else (1, 10, 100, 1000):
        tree = {f"w{index}": jnp.zeros(2) for index in range(leaves)}
        yield f"jax, {leaves} leaves", contest(make, [tree])
    for signatures in (4,) if quick else (4, 32):
        yield (
            f"jax, 1 leaf, {signatures} signatures in turn",
            contest(make, [jnp.zeros(2 + n) for n in range(signatures)]),
        )


def torch_cases(quick: bool) -> Iterator[tuple[str, dict[str, list[Call]]]]:
    """Tensors of one entry, a module, then several entries in turn."""
    import torch
    from torch.utils import _pytree

    flatten: Callable[[Any], list[Any]] = _pytree.tree_leaves

    def contest(compiled: Callable[..., Any], inputs: list[tuple[Any, ...]]) -> dict[str, list[Call]]:
        contestants = {
            "bare": compiled,
            "empty wrapper": empty_wrapper(compiled),
            "naive recorder": naive_recorder(compiled, flatten),
            "jitscope": jitscope.watch(compiled),
        }
        return {name: [functools.partial(fn, *args) for args in inputs] for name, fn in contestants.items()}

    options: dict[str, Any] = {"backend": "eager", "dynamic": False}
    for tensors in (2,) if quick else (2, 20):
        torch.compiler.reset()  # entries belong to the code, which the cases share
        compiled = torch.compile(lambda *args: args[0] + args[1], **options)
        yield f"torch, {tensors} tensors", contest(compiled, [tuple(torch.zeros(2) for _ in range(tensors))])
    for entries in (8,):
        torch.compiler.reset()
        compiled = torch.compile(lambda x, y: x + y, **options)
        yield (
            f"torch, 2 tensors, {entries} entries in turn",
            contest(compiled, [(torch.zeros(2 + n), torch.zeros(2 + n)) for n in range(entries)]),
        )


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds")
    parser.add_argument("--framework", choices=["jax", "torch", "both"], default="both")
    parser.add_argument("--json", metavar="FILE", help="write the results here too")
    options = parser.parse_args()

    cases: list[Callable[[bool], Iterator[tuple[str, dict[str, list[Call]]]]]] = []
    if options.framework != "torch":
        cases.append(jax_cases)
    if options.framework != "jax":
        cases.append(torch_cases)
    rounds, seconds = (21, 1.0) if options.quick else (61, 6.0)
    results: list[Result] = []
    for make in cases:
        for case, contestants in make(options.quick):
            print(f"\n{case}", flush=True)
            found = time_case(case, contestants, rounds, seconds)
            results += found
            for one in found:
                print(
                    f"  {one.contestant:15} {one.median_ns / 1e3:9.2f} µs   added {one.added_ns:8.0f} ns"
                    f"   ×{one.ratio:.3f}"
                    + (f"   spread {one.bare_spread_ns:.0f} ns" if one.contestant == "bare" else "")
                )
    versions = {name: sys.modules[name].__version__ for name in ("jax", "torch") if name in sys.modules}
    print(f"\nPython {platform.python_version()}, {versions}, {rounds} rounds")
    if options.json:
        record = {
            "python": platform.python_version(),
            "versions": versions,
            "results": [asdict(one) for one in results],
        }
        Path(options.json).write_text(json.dumps(record, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
