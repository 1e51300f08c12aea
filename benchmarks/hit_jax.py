"""What a cache hit of `jax.jit` costs behind jitscope."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
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
    differences,
    judge,
    rows_of,
    time_calls,
)
from wrappers import empty_wrapper, naive_recorder, without_the_call

import jitscope

Inputs = list[tuple[tuple[Any, ...], dict[str, Any]]]

TARGET = "adds at most 1.5 × what the empty wrapper adds"
TARGET_SEVERAL = "adds at most 1 µs more than 1.5 × the empty wrapper"
TARGET_LEAVES = "the same as with 1 leaf, within 10 ns"
TARGET_32 = "at most 1 µs more than with 1 signature"
LEAVES = (1, 10, 100, 1000)
SIGNATURES = (4, 32)


def measure(options: Options) -> Iterator[Table]:
    """Time the cases."""
    rows = []
    for case, make, inputs in _cases(options.quick):
        extras = case == "1 leaf"
        times = time_calls(
            _contest(make, inputs, extras=extras),
            options.seconds(3.0, 1.0),
            calls=HISTORY if len(inputs) > 1 else 1,
        )
        rows += rows_of(case, times, "ns", {"jitscope": _verdict(times, several=len(inputs) > 1)})
    notes = [
        "chex is not installed: `chex.assert_max_traces` is left out. Like Equinox's it counts inside of the traced "
        "function, so a hit never sees it."
        if importlib.util.find_spec("chex") is None
        else "`chex.assert_max_traces` counts inside of the traced function, as Equinox's does: a hit never sees it.",
    ]
    if importlib.util.find_spec("equinox") is None:
        notes.append("Equinox is not installed: `equinox.debug.assert_max_traces` is left out.")
    yield Table(
        name="hit_jax",
        title="A hit of jax.jit",
        method="All contestants call the same jitted function, which adds 1 to each leaf of a dictionary. "
        "`signatures in turn`: each call has another signature than the one before, all of them compiled already.",
        rows=rows,
        notes=notes,
    )
    times = time_calls(_without_call(LEAVES, SIGNATURES), options.seconds(6.0, 2.0), calls=HISTORY)
    one, hundred = "jitscope, 1 leaf", "jitscope, 32 signatures"
    verdicts = {name: _same(times, name, one) for name in times if name.endswith("leaves")}
    verdicts[hundred] = judge(TARGET_32, differences(times, hundred, one), 1000.0)
    yield Table(
        name="hit_jax_own",
        title="A hit of jax.jit, the jitted call taken out",
        method="The watched function is brought into the state that it is in after its compiles, and then the jitted "
        "function inside of it is replaced by one that does nothing. What is left is the wrapper's own time, which "
        "the noise of a call of hundreds of microseconds would hide.",
        rows=rows_of("an empty function in place of the jitted one", times, "ns", verdicts),
    )


def _cases(quick: bool) -> Iterator[tuple[str, Callable[[], Any], Inputs]]:
    def make() -> Any:
        return jax.jit(lambda tree: jax.tree_util.tree_map(lambda leaf: leaf + 1, tree))

    def make_static() -> Any:
        return jax.jit(lambda x, *, y, mode="a", scale=2: x + y if mode == "a" else x * scale, static_argnames=_STATIC)

    for leaves in (1, 100) if quick else LEAVES:
        yield _leaves(leaves), make, [_tree(leaves)]
    for signatures in (4,) if quick else (4, 32):
        yield f"1 leaf, {signatures} signatures in turn", make, [_tree(1, 3 + n) for n in range(signatures)]
    if not quick:
        yield "1 array, 32 signatures in turn", make, [_array(n) for n in range(32)]
        x = jnp.zeros(2)
        keywords: dict[str, Any] = {"y": x, "mode": "b", "scale": 3}
        yield "keyword and static arguments", make_static, [((x,), keywords)]
        yield (
            "4 values of a static argument in turn",
            make_static,
            [((x,), keywords | {"scale": n}) for n in range(4)],
        )


_STATIC = ("mode", "scale")


def _leaves(count: int) -> str:
    return f"{count} leaves" if count > 1 else "1 leaf"


def _tree(leaves: int, size: int = 2) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return ({f"w{index}": jnp.zeros(size) for index in range(leaves)},), {}


def _array(n: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (jnp.zeros(2 + n),), {}


def _contest(make: Callable[[], Any], inputs: Inputs, *, extras: bool) -> dict[str, Contestant]:
    bare = make()
    watched = jitscope.watch(bare)
    contestants = {
        BARE: Contestant(calls_of(bare, inputs)),
        "empty wrapper": Contestant(calls_of(empty_wrapper(bare), inputs)),
        "naive recorder": Contestant(calls_of(naive_recorder(bare, jax.tree_util.tree_leaves), inputs)),
        "jitscope": Contestant(calls_of(watched, inputs), check=_only_hits(watched, len(inputs))),
        AGAIN: Contestant(calls_of(bare, inputs)),
    }
    if extras:
        contestants["jax_log_compiles, jax_explain_cache_misses"] = Contestant(calls_of(bare, inputs), around=_logging)
        if importlib.util.find_spec("equinox") is not None:
            import equinox

            limited = jax.jit(equinox.debug.assert_max_traces(bare.__wrapped__, max_traces=1))
            contestants["equinox.debug.assert_max_traces"] = Contestant(calls_of(limited, inputs))
    return contestants


def _without_call(leaves: tuple[int, ...], signatures: tuple[int, ...]) -> dict[str, Contestant]:
    def nothing(*args: Any, **kwargs: Any) -> None:
        """Stands for the jitted function."""

    def watched(inputs: Inputs) -> Contestant:
        fn = jitscope.watch(jax.jit(lambda tree: jax.tree_util.tree_map(lambda leaf: leaf + 1, tree)))
        for call in calls_of(fn, inputs) * 3:
            call()
        return Contestant(calls_of(without_the_call(fn, nothing), inputs))

    tree = [_tree(1)]
    return {
        BARE: Contestant(calls_of(nothing, tree)),
        "empty wrapper": Contestant(calls_of(empty_wrapper(nothing), tree)),
        **{f"jitscope, {_leaves(count)}": watched([_tree(count)]) for count in leaves},
        **{f"jitscope, {count} signatures": watched([_array(n) for n in range(count)]) for count in signatures},
    }


def _same(times: Rounds, name: str, one: str) -> Verdict:
    return judge(TARGET_LEAVES, differences(times, name, one), 10.0)


def _verdict(times: Rounds, *, several: bool) -> Verdict:
    over = [
        (watched - bare) - 1.5 * (empty - bare)
        for watched, empty, bare in zip(times["jitscope"], times["empty wrapper"], times[BARE], strict=True)
    ]
    return judge(TARGET_SEVERAL if several else TARGET, over, 1000.0 if several else 0.0, slack=control(times))


def _only_hits(watched: Any, signatures: int) -> Callable[[int], None]:
    def check(made: int) -> None:
        found = jitscope.stats(watched)
        if (found.compilations, found.hits) != (signatures, made - signatures):
            raise AssertionError(
                f"not only hits were timed: {found.compilations} compiles, {found.hits} hits of {made}"
            )

    return check


@contextlib.contextmanager
def _logging() -> Iterator[None]:
    names = ("jax_log_compiles", "jax_explain_cache_misses")
    for name in names:
        jax.config.update(name, True)
    try:
        yield
    finally:
        for name in names:
            jax.config.update(name, False)
