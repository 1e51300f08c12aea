"""The text of jitscope's wrapper (`src/jitscope/capture/watched.py`), built up step by step, to be timed."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

Fn = Callable[..., Any]
Hook = Callable[[tuple[Any, ...], dict[str, Any]], None]

METHOD = (
    "Each wrapper does one step more than the one before it; the compiled function inside is replaced by one that does "
    "nothing. The last row is jitscope itself: what it costs more than the row before is what the steps do not explain."
)


def nothing(*args: Any, **kwargs: Any) -> None:
    """Stands for the compiled function."""


def idle(_args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
    """A hook that does nothing."""


def with_try(fn: Fn) -> Fn:
    """Keeps the result, and would see an exception."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            result = fn(*args, **kwargs)
        except BaseException:
            idle(args, kwargs)
            raise
        return result  # as jitscope's wrapper has it

    return wrapper


def with_alert(fn: Fn) -> Fn:
    """Asks a closure cell, before and after the call, whether there is more to do."""
    alert: bool | Hook = False

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        entered = alert is True and idle(args, kwargs)
        try:
            result = fn(*args, **kwargs)
        except BaseException:
            idle(args, kwargs)
            raise
        if alert:
            idle((entered,), kwargs)
        return result

    def rebind() -> None:
        nonlocal alert
        alert = True

    _ = rebind  # it is what makes `alert` a cell that can change
    return wrapper


def with_count(fn: Fn) -> Fn:
    """And counts the call: what jitscope does with one signature."""
    alert: bool | Hook = False
    tick = itertools.count().__next__

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        entered = alert is True and idle(args, kwargs)
        try:
            result = fn(*args, **kwargs)
        except BaseException:
            idle(args, kwargs)
            raise
        if alert:
            idle((entered,), kwargs)
        else:
            tick()
        return result

    def rebind() -> None:
        nonlocal alert
        alert = True

    _ = rebind
    return wrapper


def with_hook(fn: Fn, alert: bool | Hook) -> Fn:
    """Calls a function after the call: what jitscope does with several signatures (JAX)."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        entered = alert is True and idle(args, kwargs)
        try:
            result = fn(*args, **kwargs)
        except BaseException:
            idle(args, kwargs)
            raise
        if alert:
            if alert is True:
                idle((entered,), kwargs)
            else:
                alert(args, kwargs)
        return result

    return wrapper


def with_two_hooks(fn: Fn, enter: Callable[[], Any], settle: Callable[..., None]) -> Fn:
    """Calls a function before and one after the call: what jitscope does with several entries (torch)."""
    alert = True

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        entered = alert is True and enter()
        try:
            result = fn(*args, **kwargs)
        except BaseException:
            idle(args, kwargs)
            raise
        if alert:
            settle(entered, args, kwargs)
        return result

    return wrapper


# -- after the call, JAX ------------------------------------------------------------------------


def reads_shape(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Asks for the shape that tells the signatures apart."""
    try:
        args[0].shape  # noqa: B018  # timed
    except Exception:  # noqa: BLE001  # as jitscope has it
        idle(args, kwargs)


def looks_up(answers: dict[Any, Any]) -> Hook:
    """And looks up whose it is."""

    def hook(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            answers[args[0].shape]
        except Exception:  # noqa: BLE001
            idle(args, kwargs)

    return hook


def logs(
    answers: dict[Any, Any], most: int, log: list[Any] | None = None, full: Callable[[], None] | None = None
) -> Hook:
    """And appends that to a log, which is emptied when it is long; with ``full``, in the way that this does it."""
    log = [] if log is None else log
    append, full = log.append, full or log.clear

    def hook(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            append(answers[args[0].shape])
        except Exception:  # noqa: BLE001
            idle(args, kwargs)
        if len(log) > most:
            full()

    return hook


# -- before and after the call, torch -----------------------------------------------------------


def marking() -> tuple[Callable[[], Any], Callable[..., None]]:
    """Leaves a mark while the call runs."""
    marks: list[None] = []

    def settle(_: Any, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
        marks.pop()

    return functools.partial(marks.append, None), settle


def listing(list_entries: Callable[[Any], list[Any]], code: Any) -> tuple[Callable[[], Any], Callable[..., None]]:
    """And asks for the list of the code's cache entries."""
    marks: list[None] = []

    def settle(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            list_entries(code)[0]
            marks.pop()
        except Exception:  # noqa: BLE001
            idle(args, kwargs)

    return functools.partial(marks.append, None), settle


def logging(
    list_entries: Callable[[Any], list[Any]], code: Any, keys: dict[Any, Any], most: int
) -> tuple[Callable[[], Any], Callable[..., None]]:
    """And logs the first one, if no other call left a mark."""
    marks: list[None] = []
    log: list[Any] = []
    append = log.append

    def settle(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            key = keys[list_entries(code)[0]]
            if len(marks) == 1:
                append(key)
                marks.pop()
                if len(log) > most:
                    log.clear()
        except Exception:  # noqa: BLE001
            idle(args, kwargs)

    return functools.partial(marks.append, None), settle
