"""What a cache miss costs beside the compile that it stands for."""

from __future__ import annotations

import functools
import importlib.util
import tempfile
from collections.abc import Iterator
from typing import Any

from harness import BARE, Options, Row, Table, estimate, in_turns, judge, rows_of
from processes import PROGRAMS, answer

TARGET = "at most 1 % of the compile"
LIMIT = 0.01

Contest = dict[str, tuple[str, dict[str, str]]]
"""By contestant: what the program is told to be, and its environment."""


def measure_jax(options: Options) -> Iterator[Table]:
    """Compile with JAX in fresh processes, in turns."""
    contest: Contest = {BARE: ("bare", {}), "jitscope": ("jitscope", {})}
    if not options.quick:
        logs = {"JAX_LOG_COMPILES": "1", "JAX_EXPLAIN_CACHE_MISSES": "1"}
        contest["jax_log_compiles, jax_explain_cache_misses"] = ("bare", logs)
        if importlib.util.find_spec("equinox") is not None:
            contest["equinox.debug.assert_max_traces"] = ("equinox", {})
    yield _table("jax", "A miss of jax.jit", contest, options.rounds(5, 1), [])


def measure_torch(options: Options) -> Iterator[Table]:
    """Compile with torch in fresh processes, in turns."""
    contest: Contest = {BARE: ("bare", {}), "jitscope": ("jitscope", {})}
    if not options.quick:
        contest["TORCH_LOGS=recompiles"] = ("bare", {"TORCH_LOGS": "recompiles"})
        contest["TORCH_TRACE"] = ("bare", {"TORCH_TRACE": tempfile.mkdtemp()})
    arguments = ["inductor"] if options.inductor else []
    yield _table("torch", "A miss of torch.compile", contest, options.rounds(5, 1), arguments)


def _table(framework: str, title: str, contest: Contest, rounds: int, arguments: list[str]) -> Table:
    program = str(PROGRAMS / f"miss_{framework}.py")
    # Inductor would load what an earlier process compiled.
    always = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
    found = in_turns(
        {
            name: functools.partial(answer, program, told, *arguments, env=always | env)
            for name, (told, env) in contest.items()
        },
        rounds,
    )
    counts = _same_counts(found)
    rows: list[Row] = []
    for case in found[BARE][0]["seconds"]:
        times = {name: [one["seconds"][case] for one in answers] for name, answers in found.items()}
        rows += rows_of(case, times, "s")
        own = [one["own"][case] for one in found["jitscope"]]
        shares = [part / whole for part, whole in zip(own, times["jitscope"], strict=True)]
        rows.append(
            Row(
                case=case,
                contestant="of which inside jitscope",
                unit="s",
                value=estimate(own),
                share=estimate(shares),
                verdict=judge(TARGET, shares, LIMIT),
            )
        )
    return Table(
        name=f"miss_{framework}",
        title=title,
        method="Fresh processes, in turns: each compiles attention, (batch, 64, 4, 32), and a stack of 12 transformer "
        "blocks of width 64, each for a batch of 2 and then of 3, while a recording is being written. The differences "
        "between processes are mostly those between compiles; what tells is the last row of each case: the time inside "
        "jitscope's hooks and inside what its wrapper calls.",
        rows=rows,
        notes=[f"The framework's own counts are the same for all contestants, in each round: {_words(counts)}."],
    )


def _same_counts(found: dict[str, list[Any]]) -> dict[str, Any]:
    """The framework's own counts.

    Raises:
        AssertionError: if they are not the same for all: then watching changes what it watches.
    """
    expected: dict[str, Any] = found[BARE][0]["counts"]
    for name, answers in found.items():
        for one in answers:
            if one["counts"] != expected:
                raise AssertionError(f"{name}: {one['counts']}; bare: {expected}")
    return expected


def _words(counts: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {' and '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in counts.items()
        if not isinstance(value, dict)
    )
