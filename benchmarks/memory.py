"""What the recorder keeps in memory, and what it writes."""

from __future__ import annotations

from collections.abc import Iterator

from harness import BARE, Options, Row, Table, estimate, rows_of
from processes import PROGRAMS, answer

BOUNDS = (
    "Once: no spread is known. The history of calls is bounded in memory (20,000 runs for each function), and so are "
    "events (50,000)."
)


def measure(options: Options) -> Iterator[Table]:
    """Fresh processes: bare, watched, recorded."""
    memory: list[Row] = []
    written: list[Row] = []
    program = str(PROGRAMS / "memory.py")
    for framework in ("jax",) if options.quick else ("jax", "torch"):
        bare, watched, recorded = (answer(program, framework, told) for told in ("bare", "jitscope", "recorded"))
        for case in bare:
            memory += rows_of(f"{framework}: {case}", {BARE: [bare[case]], "jitscope": [watched[case]]}, "bytes")
        for kind, sizes in recorded.items():
            size = estimate([float(one) for one in sizes])
            written.append(Row(case=framework, contestant=f"{kind} ({len(sizes)})", unit="bytes", value=size))
    yield Table(
        name="memory",
        title="Memory",
        method="Bytes that Python has allocated (tracemalloc) and that stay, on average over 25 after the first 10, "
        "bare and watched, each in one process. `bare` is what the framework keeps itself, of the Python part of it.",
        rows=memory,
        notes=[BOUNDS],
    )
    yield Table(
        name="recording",
        title="The recording",
        method="Bytes of a line, by kind of event (and how many of them): median and spread over the lines of a "
        "recording of 37 compiles of two functions (and of what makes their arguments), and 140,000 hits, half of "
        "them of two signatures in turn. Functions that are never called leave nothing in it.",
        rows=written,
        notes=["Hits of one signature are one run, of a few bytes, however many; those of two in turn are a run each."],
    )
