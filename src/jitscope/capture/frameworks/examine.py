"""``python -m jitscope.capture.frameworks.examine jax``: what a framework has, as lines of JSON.

In a process of its own, since importing a framework can fail, crash and hang; what was found by then is written.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec


def examine(name: str, say: Callable[[dict[str, Any]], None]) -> None:
    """Tell ``say`` what there is of the framework ``name``, part by part, and before each what is being done."""
    say({"part": "doing", "what": f"importing {name}"})
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            say({"part": "missing"})
        else:
            say({"part": "broken", "problem": _problem(error)})
        return
    except BaseException as error:  # what a broken installation raises
        say({"part": "broken", "problem": _problem(error)})
        return
    facts: Any = importlib.import_module(f"jitscope.capture.frameworks.{name}_facts")
    for what, ask in facts.PARTS.items():
        say({"part": "doing", "what": f"asking for {name}'s {what}"})
        try:
            say({"part": what, "found": ask()})
        except BaseException as error:  # a device that can't be used, a private name that has changed
            say({"part": "failed", "what": what, "problem": _problem(error)})
    say({"part": "end"})


def _problem(error: BaseException) -> str:
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}"[:400]


def main() -> None:
    """Write to what is standard output; what the framework prints goes to standard error."""
    descriptor = os.dup(1)
    os.dup2(2, 1)

    def say(part: dict[str, Any]) -> None:
        os.write(descriptor, msgspec.json.encode(part) + b"\n")

    examine(sys.argv[1], say)
    # Without the end that a runtime may hang in.
    os._exit(0)


if __name__ == "__main__":
    main()
