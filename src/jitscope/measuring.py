"""`first_call`: a function's first call taken apart, with its second call, its steady state, and eager calls beside."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from time import perf_counter
from types import MethodType
from typing import Any

from jitscope.capture import switches
from jitscope.capture.recorder import recorder
from jitscope.capture.watch import book_of, watch
from jitscope.errors import JitscopeError
from jitscope.model.events import CompilationEvent, MeasuredEvent
from jitscope.model.first_call import FirstCall

MOST_CALLS = 20
"""Calls for the steady state, and eager ones beside the first."""
LEAST_CALLS = 3
BUDGET = 2.0
"""Seconds after which no more than `LEAST_CALLS` are made."""


class MeasuredCall:
    """What `first_call` found. ``str()`` is the text for a terminal."""

    def __init__(self, value: FirstCall, result: Any) -> None:
        self.value = value
        """The numbers."""
        self.result = result
        """What the first call returned."""

    def __str__(self) -> str:
        from jitscope.render.first_call import render_first_call

        return render_first_call(self.value, None)

    def __repr__(self) -> str:
        return f"<first call of {self.value.name}: {self.value.seconds:.3g} s>"

    def print(self) -> None:
        """Write it to standard output."""
        print(self, end="")  # noqa: T201


def first_call(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> MeasuredCall:
    """Call a jitted or compiled function for the first time, and tell where the time went and when that pays off.

    The function is really called, with these arguments: once, a second time, then up to 20 times for the steady state,
    and as often without the compiler; each call is waited for until its result is there. What it changes is changed
    that often. Arguments that it is given for good (``donate_argnums``) are copied for each call.

    Eager means: torch, the function or module that was compiled; JAX, the function that was jitted, called as it is,
    operation by operation, each of which JAX compiles when it first meets it.

    Args:
        function: what `jax.jit`, `torch.compile` or `watch` returned, or a module that was compiled.
        args: arguments of its calls.
        kwargs: arguments of its calls, by name.

    Raises:
        JitscopeError: if it is not compiled, was compiled for these arguments before, or JITSCOPE=0 is set.
        Exception: what the function raises, in any of its compiled calls.
    """
    if switches.OFF:
        raise JitscopeError("first_call: JITSCOPE=0 is set, and nothing is recorded", slug="switched-off")
    watched = watch(function)
    book = book_of(watched)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    if book is None or book.event.framework == "python":
        raise JitscopeError(
            f"first_call: {name} is not compiled: pass what jax.jit or torch.compile returned", slug="not-compiled"
        )
    measure: Any = importlib.import_module(f"jitscope.capture.frameworks.{book.event.framework}_measure")
    options, ordinal = book.event.options, book.next_ordinal()

    def timed(call: Callable[..., Any]) -> tuple[float, Any]:
        positional, named = measure.fresh(args, kwargs, options)
        began = perf_counter()
        result = call(*positional, **named)
        measure.wait(result)
        return perf_counter() - began, result

    start = perf_counter()
    first, result = timed(watched)
    if book.compiling_calls == 0 or not _compiled(book.id, ordinal):
        raise JitscopeError(
            f"first_call: the call of {name} compiled nothing: it was compiled for these arguments before (call "
            "first_call first, in a fresh process), or it runs without compiled code (print jitscope.report())",
            slug="compiled-nothing",
        )
    second, _ = timed(watched)
    steady = _repeated(lambda: timed(watched)[0])
    eager, eager_is = _eager(_without_compiler(watched, measure), timed, measure.EAGER)
    seconds = perf_counter() - start
    recorder.measured(MeasuredEvent(book.id, ordinal, first, second, steady, eager, eager_is, start, seconds), book)
    value = _value(book.id, ordinal)
    assert value is not None
    return MeasuredCall(value, result)


def _without_compiler(watched: Any, measure: Any) -> Callable[..., Any] | None:
    """The function inside; a method's for the object that it is called on."""
    if not isinstance(watched, MethodType):
        return measure.eager_of(watched)  # type: ignore[no-any-return]
    inner = measure.eager_of(watched.__func__)
    return MethodType(inner, watched.__self__) if inner is not None else None


def _eager(
    original: Callable[..., Any] | None, timed: Callable[[Callable[..., Any]], tuple[float, Any]], how: str
) -> tuple[tuple[float, ...], str]:
    """Seconds of calls without the compiler, the first one first, and how they ran; or why there are none."""
    if original is None:
        return (), "the function inside can't be told"
    try:
        first, _ = timed(original)
        return (first, *_repeated(lambda: timed(original)[0])), how
    except Exception as error:  # noqa: BLE001 (what runs compiled need not run eager)
        return (), f"without the compiler it raised {type(error).__name__}"


def _repeated(call: Callable[[], float]) -> tuple[float, ...]:
    """Seconds of several calls: the more of them, the shorter they are."""
    found = [call()]
    wanted = min(max(math.ceil(BUDGET / max(found[0], 1e-9)), LEAST_CALLS), MOST_CALLS)
    found += [call() for _ in range(wanted - 1)]
    return tuple(found)


def _compiled(function: int, call: int) -> bool:
    """Whether compiled code came out of the call, too."""
    events = recorder.snapshot().events
    return any(
        isinstance(one, CompilationEvent) and (one.function, one.call) == (function, call) and one.compiled
        for one in events
    )


def _value(function: int, call: int) -> FirstCall | None:
    from jitscope.analysis.first_call import calls_of
    from jitscope.analysis.index import index_events

    so_far = recorder.snapshot()
    calls, _ = calls_of(so_far, index_events(so_far), (function,))
    return next((one for one in calls if one.call == call), None)
