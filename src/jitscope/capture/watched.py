"""The wrapper around a watched function: all that jitscope does on a hit is in these few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView
from typing import Any

from jitscope.capture.pending import register_watched_code


def make_watched(
    fn: Callable[..., Any],
    enter: Callable[[], float],
    settle: Callable[[float, tuple[Any, ...], dict[str, Any]], None],
    failed: Callable[[float, BaseException, tuple[Any, ...], dict[str, Any]], None],
) -> Callable[..., Any]:
    """Wrap ``fn`` so that its calls are counted.

    ``alert`` and ``tick`` are closure cells that the function's `Book` rebinds (see `Cells`): while
    ``alert`` is False, a call that nothing announced is a hit of the one live signature, and ``tick``
    (the ``__next__`` of an `itertools.count`, one C call, so no count is lost between threads) is all
    there is to do. With several live signatures ``alert`` is a function that finds out which of them it was.
    The frame of this function is the one that the hooks look for.
    """
    alert: bool | Callable[[tuple[Any, ...], dict[str, Any]], None] = True
    tick: Callable[[], object] = _no_tick

    def watched(*args: Any, **kwargs: Any) -> Any:
        entered = alert is True and enter()
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            failed(entered, error, args, kwargs)
            raise
        if alert:
            if alert is True:
                settle(entered, args, kwargs)
            else:
                alert(args, kwargs)
        else:
            tick()
        return result

    register_watched_code(watched.__code__)
    return watched


def _no_tick() -> None:
    """Stands in until there is a signature to count hits of; never called while ``alert`` is True."""


class OwnAttributes(dict[str, Any]):
    """A function's ``__dict__`` of which `functools.wraps` copies only what is not ``own``.

    `jax.grad(f)`, `jax.jit(f)` and every decorator copy ``f.__dict__`` into what they make. The methods of the
    watched function (``lower``, ``_cache_size``) must not go along: they would answer for the wrong function.
    Looking up an attribute reads the stored items; ``dict.update`` goes through ``keys``, since ``__iter__`` is
    overridden (CPython 3.11 to 3.13: ``dict_merge``).
    """

    def __init__(self, shared: dict[str, Any], own: dict[str, Any]) -> None:
        super().__init__(shared | own)
        self._own = frozenset(own)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """The names that a copy gets."""
        return {name: None for name in super().__iter__() if name not in self._own}.keys()


class Cells:
    """The rebindable closure cells of one `watched` function."""

    __slots__ = ("_alert", "_enter", "_settle", "_settled", "_tick")

    def __init__(self, watched: Callable[..., Any]) -> None:
        closure = getattr(watched, "__closure__", None) or ()
        cells = dict(zip(watched.__code__.co_freevars, closure, strict=True))
        self._alert = cells["alert"]
        self._tick = cells["tick"]
        self._enter = cells["enter"]
        self._settle = cells["settle"]
        self._settled = (self._enter.cell_contents, self._settle.cell_contents)

    def alarm(self) -> None:
        """From now on every call is settled in full."""
        self._enter.cell_contents, self._settle.cell_contents = self._settled
        self._alert.cell_contents = True

    def marked(
        self,
        enter: Callable[[], Any],
        settle: Callable[[Any, tuple[Any, ...], dict[str, Any]], None],
    ) -> None:
        """From now on these two are called around every call, in place of those that settle it in full."""
        self._enter.cell_contents, self._settle.cell_contents = enter, settle
        self._alert.cell_contents = True

    def several(self, count: Callable[[tuple[Any, ...], dict[str, Any]], None]) -> None:
        """From now on ``count`` enters the hit of a silent call."""
        self._alert.cell_contents = count

    def quiet(self, tick: Callable[[], object]) -> None:
        """From now on a silent call is a hit that ``tick`` counts."""
        self._tick.cell_contents = tick
        self._alert.cell_contents = False
