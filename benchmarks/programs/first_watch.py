"""Prints the seconds of a framework's import, and of ``import jitscope`` and the first ``watch`` after it.

python first_watch.py jax|torch
"""

from __future__ import annotations

import json
import sys
from time import perf_counter
from typing import Any


def main(framework: str) -> None:
    """Import, compile nothing, watch."""
    start = perf_counter()
    compiled: Any
    if framework == "jax":
        import jax

        compiled = jax.jit(lambda x: x + 1)
    else:
        import torch

        compiled = torch.compile(lambda x: x + 1, backend="eager")
    imported = perf_counter()
    import jitscope

    jitscope.watch(compiled)
    print(json.dumps({"framework": imported - start, "watch": perf_counter() - imported}))


if __name__ == "__main__":
    main(sys.argv[1])
