"""Compiles attention and a stack of 12 transformer blocks with torch, each for two batch sizes; prints what that took.

python miss_torch.py bare|jitscope [inductor]   (a fresh process each time: environment variables set the loggers)
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch._dynamo.eval_frame import _debug_get_cache_entry_list
from torch._dynamo.utils import compilation_time_metrics, counters

DEPTH, WIDTH, HEADS = 12, 64, 4


def attention(q: Any, k: Any, v: Any) -> Any:
    """Softmax attention."""
    scores = torch.einsum("bthd,bshd->bhts", q, k) / 4.0
    return torch.einsum("bhts,bshd->bthd", torch.softmax(scores, dim=-1), v)


class Block(torch.nn.Module):
    """A transformer block."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
        self.qkv, self.out = torch.nn.Linear(WIDTH, 3 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)
        self.up, self.down = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Any) -> Any:
        """Attention, then a layer that is four times as wide."""
        b, t, _ = x.shape
        q, k, v = self.qkv(self.first(x)).reshape(b, t, 3, HEADS, -1).unbind(2)
        x = x + self.out(attention(q, k, v).reshape(x.shape))
        return x + self.down(torch.nn.functional.gelu(self.up(self.second(x))))


class Blocks(torch.nn.Module):
    """Blocks, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(Block() for _ in range(DEPTH))

    def forward(self, x: Any) -> Any:
        """All of them."""
        for block in self.blocks:
            x = block(x)
        return x


def _inputs(name: str, batch: int) -> tuple[Any, ...]:
    if name == "attention":
        return tuple(torch.ones(batch, 64, 4, 32) for _ in range(3))
    return (torch.ones(batch, 16, WIDTH),)


def _cases(inductor: bool) -> list[tuple[str, str, Any, types.CodeType]]:
    found: list[tuple[str, str, Any, types.CodeType]] = []
    for backend in ("eager", "aot_eager", *(["inductor"] if inductor else [])):
        code = attention.__code__.replace()  # cache entries belong to the code
        copy = types.FunctionType(code, attention.__globals__, "attention")
        found.append((f'attention, backend="{backend}"', backend, copy, code))
    found.append(('12 blocks, backend="eager"', "eager", Blocks(), Blocks.forward.__code__))
    return found


def main(contestant: str, inductor: bool) -> None:
    """Compile and print."""
    for backend in ("eager", "aot_eager", *(["inductor"] if inductor else [])):
        torch.compile(lambda x: x + 1, backend=backend)(torch.ones(3))  # imports what compiling needs
    own = None
    watch: Callable[[Any], Any] = lambda fn: fn  # noqa: E731
    recording: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if contestant == "jitscope":
        from own_time import OwnTime

        import jitscope

        own = OwnTime("torch")
        watch = jitscope.watch
        recording = jitscope.record(Path(tempfile.mkdtemp()) / "run.jsonl")
    seconds, inside, guards = {}, {}, {}
    with recording:
        for name, backend, fn, code in _cases(inductor):
            compiled = watch(torch.compile(fn, backend=backend, dynamic=False))
            for which, batch in (("first call", 2), ("again", 3)):
                arguments = _inputs(name.partition(",")[0], batch)
                gc.collect()
                gc.disable()
                before, start = own.seconds if own else 0.0, perf_counter()
                compiled(*arguments)
                seconds[f"{name}, {which}"] = perf_counter() - start
                inside[f"{name}, {which}"] = (own.seconds if own else 0.0) - before
                gc.enable()
            compiled(*arguments)
            entries = _debug_get_cache_entry_list(code)
            guards[f"guards of {name}"] = [_leaves(str(entry.guard_manager)) for entry in entries]
            if own:
                found = jitscope.stats(compiled)
                causes = [{cause.kind for cause in one.causes} for one in found.compilations_detail]
                assert (found.compilations, found.hits, causes) == (2, 1, [{"first_compile"}, {"shape"}]), found
    counts = {
        "frames": dict(counters["frames"]),
        "graphs": counters["stats"]["unique_graphs"],
        "operations captured": counters["stats"]["calls_captured"],
        "compiles": len(compilation_time_metrics["_compile.compile_inner"]),
        **guards,
    }
    print(json.dumps({"seconds": seconds, "own": inside, "counts": counts}))


def _leaves(tree: str) -> int:
    """Guards in the text of a guard tree: its lines that are no managers of others."""
    return sum("+-" in line and "Manager" not in line.partition(":")[0] for line in tree.splitlines())


if __name__ == "__main__":
    main(sys.argv[1], "inductor" in sys.argv[2:])
