"""What a hit behind jitscope consists of, on torch: wrappers that do a step more each, and jitscope's own."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import variants
from harness import BARE, HISTORY, Contestant, Options, Table, calls_of, rows_of, time_calls
from wrappers import empty_wrapper, without_the_call

import jitscope
from jitscope.capture.decisions import LOGGED
from jitscope.capture.frameworks.torch_privates import list_entries


def measure(options: Options) -> Iterator[Table]:
    """Time the variants, over a function that has 8 cache entries."""
    if list_entries is None:
        raise SystemExit("this torch does not list its cache entries: jitscope does other things there")

    def add(x: torch.Tensor) -> torch.Tensor:
        return x + 1

    watched = jitscope.watch(torch.compile(add, backend="eager", dynamic=False))
    calls = calls_of(watched, [((torch.zeros(3 + n),), {}) for n in range(8)])
    for call in calls * 3:
        call()
    code = add.__code__
    keys = dict.fromkeys(list_entries(code), (1, "hit", 1))
    nothing = variants.nothing
    wrappers = {
        BARE: nothing,
        "empty wrapper": empty_wrapper(nothing),
        "+ its other steps, and leaves a mark during the call": variants.with_two_hooks(nothing, *variants.marking()),
        "+ lists the entries": variants.with_two_hooks(nothing, *variants.listing(list_entries, code)),
        "+ logs the first one": variants.with_two_hooks(nothing, *variants.logging(list_entries, code, keys, LOGGED)),
        "jitscope": without_the_call(watched, nothing),
    }
    inputs = [((torch.zeros(3),), {})]
    contestants = {name: Contestant(calls_of(fn, inputs)) for name, fn in wrappers.items()}
    times = time_calls(contestants, options.seconds(4.0, 0.5), HISTORY)
    yield Table(
        name="anatomy_torch",
        title="What a hit consists of: torch",
        method=variants.METHOD + " All calls hit the same one of 8 entries.",
        rows=rows_of("torch, 8 entries", times, "ns", steps=True),
    )
