"""A small training loop on torch: a network of three layers, epochs of 50 batches of which the last one is shorter.

python train_torch.py STEPS   or   python train_torch.py --seconds S, which says how many steps that are.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

import torch


def main() -> None:
    """Train, and print what that took."""
    limit = float(sys.argv[2]) if sys.argv[1] == "--seconds" else None
    steps = 10**9 if limit else int(sys.argv[1])
    torch.manual_seed(0)
    gelu = torch.nn.GELU
    network = torch.nn.Sequential(
        torch.nn.Linear(128, 256), gelu(), torch.nn.Linear(256, 256), gelu(), torch.nn.Linear(256, 16)
    )
    model = torch.compile(network, backend="aot_eager", dynamic=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    batches = [(torch.ones(size, 128), torch.ones(size, 16)) for size in [64] * 49 + [40]]
    for x, y in batches[-2:]:
        torch.nn.functional.mse_loss(model(x), y).backward()  # compiles
    start, done = perf_counter(), 0
    while done < steps and (limit is None or perf_counter() - start < limit):
        x, y = batches[done % 50]
        value = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        done += 1
    print(json.dumps({"steps": done, "loop": perf_counter() - start, "loss": value.item()}))


if __name__ == "__main__":
    main()
