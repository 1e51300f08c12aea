"""When this process began, as the operating system knows it."""

from __future__ import annotations

import os
import time


def process_start() -> float | None:
    """When the process began, on the clock of `time.perf_counter`, to about 10 ms; None where that is not known.

    Linux: field 22 of ``/proc/self/stat`` counts clock ticks since boot (proc_pid_stat(5)).
    """
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            # The name of the program, in parentheses, may hold blanks.
            fields = file.read().rpartition(")")[2].split()
        ticks = int(fields[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return None
    return time.perf_counter() - age if age >= 0 else None
