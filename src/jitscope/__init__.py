"""jitscope: the compilation cache and recompilation inspector for `jax.jit` and `torch.compile`.

The front door. Nothing is imported before it is used: `import jitscope` costs next to nothing.

PYTEST_DONT_REWRITE: nothing in here asserts, and pytest would warn where it is imported already.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as type checkers know it; importing typing would take longer than all the rest
if TYPE_CHECKING:
    from typing import Any

    from jitscope.capture.watch import compile as compile
    from jitscope.capture.watch import jit as jit
    from jitscope.capture.watch import watch as watch
    from jitscope.errors import JitscopeError as JitscopeError
    from jitscope.errors import RecompileError as RecompileError
    from jitscope.errors import RecompileWarning as RecompileWarning
    from jitscope.front import label as label
    from jitscope.front import record as record
    from jitscope.front import report as report
    from jitscope.front import stats as stats
    from jitscope.gates import expect as expect
    from jitscope.gates import freeze as freeze
    from jitscope.gates import frozen as frozen
    from jitscope.gates import unfreeze as unfreeze
    from jitscope.version import __version__ as __version__
    from jitscope.warming.run import warm as warm

_HOMES = {
    "watch": "jitscope.capture.watch",
    "jit": "jitscope.capture.watch",
    "compile": "jitscope.capture.watch",
    "first_call": "jitscope.measuring",
    "label": "jitscope.front",
    "record": "jitscope.front",
    "report": "jitscope.front",
    "stats": "jitscope.front",
    "expect": "jitscope.gates",
    "freeze": "jitscope.gates",
    "frozen": "jitscope.gates",
    "unfreeze": "jitscope.gates",
    "warm": "jitscope.warming.run",
    "JitscopeError": "jitscope.errors",
    "RecompileError": "jitscope.errors",
    "RecompileWarning": "jitscope.errors",
    "__version__": "jitscope.version",
    "load_ipython_extension": "jitscope.ipython",
    "unload_ipython_extension": "jitscope.ipython",
}

__all__ = [
    "JitscopeError",
    "RecompileError",
    "RecompileWarning",
    "__version__",
    "compile",
    "expect",
    "first_call",
    "freeze",
    "frozen",
    "jit",
    "label",
    "record",
    "report",
    "stats",
    "unfreeze",
    "warm",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'jitscope' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted(__all__)


if os.environ.get("JITSCOPE") == "1":
    from jitscope._startup import follow

    follow()
