"""What a cache hit of `torch.compile` costs behind jitscope."""

from __future__ import annotations

import contextlib
import statistics
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from harness import (
    AGAIN,
    BARE,
    HISTORY,
    Contestant,
    Options,
    Rounds,
    Table,
    Verdict,
    calls_of,
    control,
    judge,
    ratios,
    rows_of,
    time_calls,
)
from torch.utils import _pytree
from wrappers import empty_wrapper, naive_recorder

import jitscope

Inputs = list[tuple[tuple[Any, ...], dict[str, Any]]]

ONE, SEVERAL = 0.03, 0.05
"""What jitscope may add to the bare call: a share of it."""


def measure(options: Options) -> Iterator[Table]:
    """Time the cases."""
    rows = []
    for case, contestants, limit in _cases(options.quick):
        times = time_calls(contestants, options.seconds(4.0, 1.0), calls=HISTORY if limit == SEVERAL else 1)
        rows += rows_of(case, times, "ns", {"jitscope": _verdict(times, limit)})
    yield Table(
        name="hit_torch",
        title="A hit of torch.compile",
        method='`backend="eager"`, tensors of 2 to 10 elements: the least that a compiled call can cost, so the most '
        "that jitscope can add to it, relatively. All contestants call the same compiled function; the module is "
        "three modules of equal code, since jitscope watches a module in place.",
        rows=rows,
        notes=[
            "`TORCH_TRACE` is set when torch is imported, so it is not among these turns; it does nothing on a hit."
        ],
    )


def _cases(quick: bool) -> Iterator[tuple[str, dict[str, Contestant], float]]:
    def add(*tensors: Any) -> Any:
        return tensors[0] + tensors[1]

    def two(x: Any, y: Any) -> Any:
        return x + y

    def pair(size: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (torch.zeros(size), torch.zeros(size)), {}

    for tensors in (2,) if quick else (2, 20):
        inputs: Inputs = [(tuple(torch.zeros(2) for _ in range(tensors)), {})]
        yield f"{tensors} tensors", _contest(_compiled(add, dynamic=False), inputs, 1, extras=tensors == 2), ONE
    if not quick:
        yield "module, 1 tensor", _modules(), ONE
        yield (
            "dynamic shapes, 4 sizes in turn",
            _contest(_compiled(two, dynamic=True), [pair(4 + n) for n in range(4)], 1),
            ONE,
        )
        # Without `dynamic` the second size makes an entry for all sizes.
        yield "2 entries in turn, one of them dynamic", _contest(_compiled(two), [pair(4), pair(5)], 2), SEVERAL
    yield "8 entries in turn", _contest(_compiled(two, dynamic=False), [pair(3 + n) for n in range(8)], 8), SEVERAL


def _compiled(fn: Callable[..., Any], **options: Any) -> Any:
    """A compiled copy of ``fn`` with code of its own: cache entries belong to the code."""
    copy = types.FunctionType(fn.__code__.replace(), fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    return torch.compile(copy, backend="eager", **options)


def _contest(compiled: Any, inputs: Inputs, entries: int, *, extras: bool = False) -> dict[str, Contestant]:
    watched = jitscope.watch(compiled)
    contestants = {
        BARE: Contestant(calls_of(compiled, inputs)),
        "empty wrapper": Contestant(calls_of(empty_wrapper(compiled), inputs)),
        "naive recorder": Contestant(calls_of(naive_recorder(compiled, _pytree.tree_leaves), inputs)),
        "jitscope": Contestant(calls_of(watched, inputs), check=_only_hits(watched, entries)),
        AGAIN: Contestant(calls_of(compiled, inputs)),
    }
    if extras:
        contestants["TORCH_LOGS=recompiles"] = Contestant(calls_of(compiled, inputs), around=_logging)
    return contestants


def _modules() -> dict[str, Contestant]:
    inputs: Inputs = [((torch.zeros(1, 2),), {})]
    bare, wrapped, naive, watched = (torch.compile(_module(), backend="eager", dynamic=False) for _ in range(4))
    wrapped.forward = empty_wrapper(wrapped.forward)  # where jitscope's wrapper is
    naive.forward = naive_recorder(naive.forward, _pytree.tree_leaves)
    jitscope.watch(watched)
    return {
        BARE: Contestant(calls_of(bare, inputs)),
        "empty wrapper": Contestant(calls_of(wrapped, inputs)),
        "naive recorder": Contestant(calls_of(naive, inputs)),
        "jitscope": Contestant(calls_of(watched, inputs), check=_only_hits(watched, 1)),
        AGAIN: Contestant(calls_of(bare, inputs)),
    }


def _module() -> Any:
    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            return self.linear(x)

    forward = Small.forward
    Small.forward = types.FunctionType(  # type: ignore[method-assign,assignment]
        forward.__code__.replace(), forward.__globals__, "forward", None, forward.__closure__
    )
    return Small()


def _verdict(times: Rounds, limit: float) -> Verdict:
    values, slack = ratios(times, "jitscope", BARE), control(times) / statistics.median(times[BARE])
    return judge(f"adds at most {limit * 100:.0f} % to the bare call", values, 1 + limit, slack)


def _only_hits(watched: Any, entries: int) -> Callable[[int], None]:
    def check(made: int) -> None:
        found = jitscope.stats(watched)
        if (found.compilations, found.hits) != (entries, made - entries):
            raise AssertionError(
                f"not only hits were timed: {found.compilations} compiles, {found.hits} hits of {made}"
            )

    return check


@contextlib.contextmanager
def _logging() -> Iterator[None]:
    torch._logging.set_logs(recompiles=True)
    try:
        yield
    finally:
        torch._logging.set_logs()
