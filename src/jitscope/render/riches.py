"""What is used of rich, imported without a trace in the program that is watched.

Importing ``rich.style`` (15.0) draws from Python's global random generator: a program that prints a report would go on
with other random numbers than without.
"""

from __future__ import annotations

import random

_state = random.getstate()

from rich.cells import cell_len  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from rich.text import Text  # noqa: E402

random.setstate(_state)

__all__ = ["Console", "Table", "Text", "cell_len"]
