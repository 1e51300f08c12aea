"""A small server's models on torch: ``python warm_torch.py record|cold|warm RECORDING [JOBS]``; prints JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch._dynamo.callback import on_compile_start

LENGTHS = (64, 128, 192)


@torch.compile
def attention(q: Any, k: Any, v: Any) -> Any:
    """Attend from every query to every key."""
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
    return torch.einsum("bhqk,bkhd->bqhd", weights, v)


class Layer(torch.nn.Module):
    """Attention and a feed-forward part."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(128)
        self.qkv = torch.nn.Linear(128, 384)
        self.up, self.down = torch.nn.Linear(128, 512), torch.nn.Linear(512, 128)

    def forward(self, x: Any) -> Any:
        """One layer."""
        q, k, v = (one.unflatten(-1, (4, 32)).transpose(1, 2) for one in self.qkv(self.norm(x)).chunk(3, -1))
        x = x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + self.down(F.gelu(self.up(x)))


class Transformer(torch.nn.Module):
    """Logits for each token."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(512, 128)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(4))

    def forward(self, tokens: Any) -> Any:
        """All layers, one after the other."""
        x = self.words(tokens)
        for layer in self.layers:
            x = layer(x)
        return x @ self.words.weight.T


torch.manual_seed(0)
transformer = torch.compile(Transformer().eval())


def requests() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What comes in: each attention, and each length of text, once."""
    for length in LENGTHS:
        q = torch.ones(2, length, 4, 32)
        yield "attention", (q, q.clone(), q.clone())
    for length in LENGTHS:
        yield "transformer", (torch.zeros(2, length, dtype=torch.int64),)


def main() -> None:
    """Record, or answer the requests cold or warmed."""
    how, recording = sys.argv[1:3]
    compiled: list[object] = []
    functions = {"attention": attention, "transformer": transformer}
    warming = 0.0
    if how != "cold":
        import jitscope
    if how == "record":
        functions = {name: jitscope.watch(one) for name, one in functions.items()}
        with jitscope.record(recording, force=True):
            answer(functions)
        return
    states: list[str] = []
    if how == "warm":
        begun = perf_counter()
        for function in functions.values():
            warmed = jitscope.warm(function, recording, check=False)
            states += [one.state for one in warmed.signatures]
        warming = perf_counter() - begun
    on_compile_start(lambda *details: compiled.append(details))
    times = answer(functions)
    print(json.dumps({"warming": warming, "times": times, "compiled": len(compiled), "states": states}))


def answer(functions: Any) -> list[float]:
    """Seconds until each request was answered."""
    times = []
    with torch.inference_mode():
        for name, arguments in requests():
            begun = perf_counter()
            functions[name](*arguments)
            times.append(perf_counter() - begun)
    return times


if __name__ == "__main__":
    main()
