"""A model that is told the step by a Python number: torch compiles for each, reaches its limit, and gives up."""

from __future__ import annotations

import torch
from torch import Tensor


class Schedule(torch.nn.Module):
    """A layer whose strength depends on an attribute that changes with each step."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(32, 32)
        self.warmup = "0"

    def forward(self, x: Tensor) -> Tensor:
        """The layer, weakened."""
        return torch.relu(self.layer(x)) / (1 + float(self.warmup))


@torch.compile(backend="aot_eager", dynamic=False)
def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of a sequence that grows by a token each time."""
    return torch.softmax(q @ k.transpose(-1, -2) / 4.0, dim=-1) @ v


def main() -> None:
    """Generate 40 tokens."""
    torch.manual_seed(0)
    model = torch.compile(Schedule(), backend="aot_eager")
    cache = torch.randn(1, 4, 0, 16)
    with torch.no_grad():
        for step in range(40):
            model._orig_mod.warmup = str(step)
            x = model(torch.randn(4, 32))[:, :16]
            cache = torch.cat([cache, x[None, :, None]], dim=2)
            out = attend(cache[:, :, -1:], cache, cache)
    print(tuple(cache.shape), float(out.sum()))


if __name__ == "__main__":
    main()
