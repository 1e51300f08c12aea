"""A transformer of two layers on a GPU under a mode of torch.compile; prints the seconds of its first three calls.

jitscope run benchmarks/programs/gpu_modes.py [reduce-overhead|max-autotune-no-cudagraphs|…]
python benchmarks/programs/gpu_modes.py [MODE]
"""

from __future__ import annotations

import sys
from time import perf_counter

import torch
from torch import nn

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Layer(nn.Module):
    """Causal attention, written out, and a feed-forward part."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.norm = heads, nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x``: batch, tokens, width."""
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        mixed = torch.softmax(scores.masked_fill(future, float("-inf")), -1) @ v
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.down(nn.functional.gelu(self.up(x)))


layers = nn.Sequential(*[Layer(1024, 16) for _ in range(2)]).to(DEVICE, torch.bfloat16)
model = torch.compile(layers, mode=sys.argv[1] if len(sys.argv) > 1 else None)
given = torch.randn(8, 512, 1024, device=DEVICE, dtype=torch.bfloat16)
with torch.no_grad():
    for _ in range(3):
        begun = perf_counter()
        model(given)
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        print(perf_counter() - begun)
