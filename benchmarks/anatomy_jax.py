"""What a hit behind jitscope consists of, on JAX: wrappers that do a step more each, and jitscope's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import variants
from harness import BARE, HISTORY, Contestant, Options, Table, calls_of, rows_of, time_calls
from wrappers import empty_wrapper, without_the_call

import jitscope
from jitscope.capture.decisions import LOGGED
from jitscope.capture.watch import book_of

kept: list[Any] = []


def measure(options: Options) -> Iterator[Table]:
    """Time the variants."""
    seconds = options.seconds(4.0, 0.5)
    arrays = [((jnp.zeros(2 + n),), {}) for n in range(4)]
    shapes = {(2 + n,): n for n in range(4)}
    one = {
        BARE: variants.nothing,
        "empty wrapper": empty_wrapper(variants.nothing),
        "+ keeps the result, in a try": variants.with_try(variants.nothing),
        "+ asks before and after whether to be alert": variants.with_alert(variants.nothing),
        "+ counts (next of itertools.count)": variants.with_count(variants.nothing),
        "jitscope, 1 signature": _watched(arrays[:1]),
    }
    several = {
        BARE: variants.nothing,
        "empty wrapper": empty_wrapper(variants.nothing),
        "+ the same steps, and a function that does nothing": variants.with_hook(variants.nothing, variants.idle),
        "+ reads the shape of the first argument": variants.with_hook(variants.nothing, variants.reads_shape),
        "+ looks up the signature": variants.with_hook(variants.nothing, variants.looks_up(shapes)),
        "+ appends it to the log": variants.with_hook(variants.nothing, variants.logs(shapes, LOGGED)),
        "+ enters the log in the history": variants.with_hook(variants.nothing, _entering()),
        "jitscope, 4 signatures in turn": _watched(arrays),
    }
    rows = []
    for case, wrappers, inputs in (
        ("1 signature", one, arrays[:1]),
        ("4 signatures in turn", several, arrays),
    ):
        contestants = {name: Contestant(calls_of(fn, inputs)) for name, fn in wrappers.items()}
        calls = 1 if len(inputs) == 1 else HISTORY
        rows += rows_of(f"JAX, {case}", time_calls(contestants, seconds, calls), "ns", steps=True)
    yield Table(name="anatomy_jax", title="What a hit consists of: JAX", method=variants.METHOD, rows=rows)


def _entering() -> variants.Hook:
    """A hook with the log and the history of a watched function that is called no more."""
    fn = jitscope.watch(jax.jit(lambda x: x - 1))
    arrays = [jnp.zeros(2 + n) for n in range(4)]
    for x in arrays:
        fn(x)
    book = book_of(fn)
    assert book is not None
    shapes = {x.shape: (signature, "hit", None) for x, signature in zip(arrays, book.signature_by_id, strict=True)}
    kept.append(fn)
    return variants.logs(shapes, LOGGED, book.log, book.log_is_full)


def _watched(inputs: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> Any:
    fn = jitscope.watch(jax.jit(lambda x: x + 1))
    for call in calls_of(fn, inputs) * 3:
        call()
    return without_the_call(fn, variants.nothing)
