"""`expect`, `frozen`, `freeze`: compilations that must not happen raise where they would, with the cause."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from jitscope.capture import switches
from jitscope.capture.gates import Starting
from jitscope.capture.recorder import recorder
from jitscope.capture.sessions import BlockSession
from jitscope.capture.watch import book_of, install_loaded_frameworks
from jitscope.errors import JitscopeError, RecompileError, RecompileWarning

if TYPE_CHECKING:
    from jitscope.analysis.about_to import AboutTo
    from jitscope.model.events import CompilationEvent
    from jitscope.model.report import CompilationReport, FunctionReport

Action = Literal["raise", "warn"]
Function = str | Callable[..., Any]
"""What `watch` returned, or a function's name: qualified, its last part, or a pattern (``train.*``)."""


class _Chosen:
    """The functions that a gate is for; all of them where none is named."""

    def __init__(self, functions: Sequence[Function], asked_by: str) -> None:
        self._names = [one for one in functions if isinstance(one, str)]
        self._ids = {self._id(one, asked_by) for one in functions if not isinstance(one, str)}
        self._all = not functions

    @staticmethod
    def _id(function: Callable[..., Any], asked_by: str) -> int:
        book = book_of(function)
        if book is None:
            name = getattr(function, "__qualname__", type(function).__qualname__)
            raise JitscopeError(
                f"{asked_by}: {name} is not watched; pass what jitscope.watch returned, or the function's name",
                slug="not-watched",
            )
        return book.id

    def has(self, function: int | None, name: str) -> bool:
        """Whether the function with this id (None: not watched) and qualified name is one of them."""
        return (
            self._all
            or function in self._ids
            or any(name == one or name.endswith(f".{one}") or fnmatchcase(name, one) for one in self._names)
        )


def _judged(starting: Starting) -> AboutTo | None:
    """What can be told of a compilation before it runs; None where an error of ours prevents that."""
    import msgspec

    from jitscope.analysis.about_to import judge_start

    try:
        event = starting.event()
        so_far = recorder.snapshot(drain=False)
        events = (*so_far.events, *recorder.definitions(event))
        return judge_start(msgspec.structs.replace(so_far, events=events), event)
    except Exception as error:  # noqa: BLE001
        recorder.internal_error("judging a compilation", error)
        return None


def _refusal(starting: Starting, rule: str, found: AboutTo | None) -> RecompileError:
    from jitscope.render.refusal import about_to_text

    text = about_to_text(starting.name, found, rule)
    return RecompileError(text, function=starting.name, causes=found.causes if found is not None else ())


def _nothing_watched(what: str) -> None:
    warnings.warn(f"jitscope.{what}: JITSCOPE=0 is set: nothing is watched, and nothing is checked", stacklevel=4)


# -- frozen -------------------------------------------------------------------------------------


class _Ice:
    """One `freeze`, or one `frozen` block."""

    def __init__(self, functions: Sequence[Function], action: Action, *, eager_ops: bool) -> None:
        if action not in ("raise", "warn"):
            raise ValueError(f'jitscope.frozen: action is "raise" or "warn", not {action!r}')
        self._chosen = _Chosen(functions, "frozen")
        self._action = action
        self._eager_ops = eager_ops

    def __call__(self, starting: Starting) -> None:
        if starting.library and not self._eager_ops:
            return
        if not self._chosen.has(starting.book.id if starting.book is not None else None, starting.name):
            return
        if self._action == "warn" and starting.continues:
            return
        found = _judged(starting)
        refusal = _refusal(starting, "frozen", found)
        if self._action == "raise":
            raise refusal
        site = found.event.site if found is not None else None
        file, line = (site.file, site.line) if site is not None else ("<unknown>", 1)
        warnings.warn_explicit(RecompileWarning(str(refusal)), RecompileWarning, file, line)


_frozen: list[_Ice] = []


def freeze(*functions: Function, action: Action = "raise", eager_ops: bool = False) -> None:
    """From now on no function may be compiled: for after the warm-up. `unfreeze` lifts it.

    It holds for the whole process, all threads. What would compile raises `RecompileError` at the call, with the cause:
    torch before Dynamo looks at the frame, JAX before the function is traced, or, where JAX compiles again without a
    trace, before it is lowered. A call that misses JAX's dispatch cache and compiles nothing passes, and so does what
    is compiled ahead of time (``f.lower(…).compile()``). A refused call changes nothing: the next one can compile when
    it is allowed to.

    Args:
        functions: only these: what `watch` returned, or names (``"step"``, ``"train.*"``). Default: everything that is
            compiled in the process, watched or not.
        action: ``"warn"``: warn with a `RecompileWarning` instead, and let it compile.
        eager_ops: JAX: eager operations (``jnp.add``), which compile one by one, count as well.

    Raises:
        JitscopeError: if one of ``functions`` is not watched.
        ValueError: if ``action`` is something else.
    """
    ice = _Ice(functions, action, eager_ops=eager_ops)
    if switches.OFF:
        _nothing_watched("freeze")
        return
    install_loaded_frameworks()
    _frozen.append(ice)
    recorder.gates.add(ice)


def unfreeze() -> None:
    """Lift every `freeze`; a `frozen` block that is open stays in force."""
    while _frozen:
        recorder.gates.remove(_frozen.pop())


@contextmanager
def frozen(*functions: Function, action: Action = "raise", eager_ops: bool = False) -> Iterator[None]:
    """`freeze` while a block runs; arguments and errors are the same. It holds for all threads meanwhile."""
    ice = _Ice(functions, action, eager_ops=eager_ops)
    if switches.OFF:
        _nothing_watched("frozen")
        yield
        return
    install_loaded_frameworks()
    recorder.gates.add(ice)
    try:
        yield
    finally:
        recorder.gates.remove(ice)


# -- expect -------------------------------------------------------------------------------------


class Expectation:
    """What ``with jitscope.expect(...) as found`` binds: what was compiled in the block, so far or in all."""

    def __init__(self, chosen: _Chosen, *, eager_ops: bool = False) -> None:
        self._chosen = chosen
        self._eager_ops = eager_ops
        self._session = BlockSession()
        self._open = False
        self._programs: set[object] = set()
        self._recompiled: dict[int, bool] = {}

    @property
    def compilations(self) -> int:
        """Compilations of the functions that are looked at, in the block."""
        return len(self._mine())

    @property
    def recompilations(self) -> int:
        """Those of `compilations` that were not the first of their function."""
        ids = {one.id for one in self._mine()}
        return sum(one.recompile for _, one in self._reported() if one.id in ids)

    @property
    def compile_seconds(self) -> float:
        """What `compilations` took."""
        return sum(one.seconds + self._session.later_seconds.get(one.id, 0.0) for one in self._mine())

    @property
    def eager_fallbacks(self) -> int:
        """Calls of the functions that ran without compiled code."""
        self._update()
        books = recorder.books
        return sum(
            count
            for function, count in self._session.eager_fallbacks.items()
            if self._chosen.has(function, books[function].event.name if function in books else "")
        )

    def begin(self) -> None:
        """Count from here on."""
        recorder.add_session(self._session)
        self._open = True

    def end(self) -> None:
        """Count no more."""
        recorder.remove_session(self._session)
        self._open = False

    def written(self) -> int:
        """As `compilations`, without what the adapters have not written yet."""
        return len(self._written())

    def written_recompilations(self) -> int:
        """As `recompilations`, without what the adapters have not written yet."""
        for one in self._written():
            if one.id not in self._recompiled:
                self._recompiled[one.id] = self.is_recompilation(one)
                self._programs.add(_program(one))
        return sum(self._recompiled.values())

    def is_recompilation(self, event: CompilationEvent) -> bool:
        """Whether its program was compiled before, in this process."""
        return event.function is not None and _program(event) in self._programs

    def remember_programs(self) -> None:
        """Learn what has been compiled so far."""
        from jitscope.model.events import CompilationEvent

        for event in recorder.snapshot().events:
            if isinstance(event, CompilationEvent) and event.compiled and event.function is not None:
                self._programs.add(_program(event))

    def reported(self) -> list[tuple[FunctionReport, CompilationReport]]:
        """Those of `compilations` whose function is watched, judged."""
        ids = {one.id for one in self._mine()}
        return [(function, one) for function, one in self._reported() if one.id in ids]

    def _update(self) -> None:
        if self._open:
            recorder.flush()

    def _mine(self) -> list[CompilationEvent]:
        self._update()
        return self._written()

    def _written(self) -> list[CompilationEvent]:
        return [
            one
            for one in list(self._session.compilations.values())
            if one.compiled and (self._eager_ops or not one.library) and self._chosen.has(one.function, _name(one))
        ]

    def _reported(self) -> list[tuple[FunctionReport, CompilationReport]]:
        from jitscope.analysis.build import build_report

        judged = build_report(recorder.snapshot())
        found = [(function, one) for function in judged.functions for one in function.compilations_detail]
        return sorted(found, key=lambda pair: pair[1].id)


def _program(event: CompilationEvent) -> object:
    """What a compilation shares with those before it, if it is a recompilation."""
    from jitscope.analysis.compiled import Compiled, program_key

    book = recorder.books.get(event.function) if event.function is not None else None
    return program_key(Compiled(event, book.event, None)) if book is not None else event.id


def _name(event: CompilationEvent) -> str:
    book = recorder.books.get(event.function) if event.function is not None else None
    return book.event.name if book is not None else event.program


class _Limits:
    """The limits of one `expect`, asked before each compilation."""

    def __init__(
        self, found: Expectation, chosen: _Chosen, limits: dict[str, float], *, early: bool, eager_ops: bool
    ) -> None:
        self._found = found
        self._chosen = chosen
        self._limits = limits
        self._early = early
        self._eager_ops = eager_ops

    def __call__(self, starting: Starting) -> None:
        if not self._early or starting.phase or (starting.library and not self._eager_ops):
            return
        if not self._chosen.has(starting.book.id if starting.book is not None else None, starting.name):
            return
        most = self._limits.get("max_compilations")
        if most is not None and self._found.written() + starting.unwritten >= most:
            raise _refusal(starting, f"max_compilations={most}", _judged(starting))
        most = self._limits.get("max_recompilations")
        if most is None or self._found.written_recompilations() < most:
            return
        if self._found.is_recompilation(starting.event()):
            raise _refusal(starting, f"max_recompilations={most}", _judged(starting))

    def check(self) -> str | None:
        """After the block: the text of the first limit that was exceeded."""
        from jitscope.render.numbers import count_text, seconds_text
        from jitscope.render.refusal import over_limit_text

        for name, most in self._limits.items():
            actual = getattr(self._found, name.removeprefix("max_"))
            if actual <= most:
                continue
            what = name.removeprefix("max_")
            if what == "compile_seconds":
                text = f"{seconds_text(actual)} of compiling"
            else:
                text = count_text(actual, what.replace("_", " ").removesuffix("s"))
            found = self._found.reported()
            if what == "recompilations":
                found = [(function, one) for function, one in found if one.recompile]
            return over_limit_text(f"{name}={most:g}", text, found if what != "eager_fallbacks" else [])
        return None


@contextmanager
def expect(
    *,
    max_compilations: int | None = None,
    max_recompilations: int | None = None,
    max_compile_seconds: float | None = None,
    max_eager_fallbacks: int | None = None,
    function: Function | Sequence[Function] = (),
    action: Action = "raise",
    eager_ops: bool = False,
) -> Iterator[Expectation]:
    """Limit what may be compiled while a block runs.

    For instance::

        with jitscope.expect(max_compilations=1, function=attention) as found:
            for batch in batches:
                attention(*batch)

    The compilation that would exceed ``max_compilations`` or ``max_recompilations`` raises before the compiler runs,
    as with `freeze`; the other limits are looked at when the block ends, and so is everything that something else
    caught. An exception of the block itself is never hidden. All threads count.

    Args:
        max_compilations: of watched functions and of unwatched ones, first ones included.
        max_recompilations: those that are not the first of their function, in the block or before.
        max_compile_seconds: seconds spent compiling.
        max_eager_fallbacks: calls of watched functions that ran without compiled code.
        function: only this one, or these: what `watch` returned, or names (``"step"``, ``"train.*"``).
        action: ``"warn"``: warn with a `RecompileWarning` when the block ends, instead of raising.
        eager_ops: JAX: eager operations (``jnp.add``) count as well.

    Raises:
        RecompileError: if a limit is exceeded.
        JitscopeError: if ``function`` is not watched.
        ValueError: if there is no limit, or ``action`` is something else.
    """
    limits = {
        name: limit
        for name, limit in (
            ("max_compilations", max_compilations),
            ("max_recompilations", max_recompilations),
            ("max_compile_seconds", max_compile_seconds),
            ("max_eager_fallbacks", max_eager_fallbacks),
        )
        if limit is not None
    }
    if not limits:
        raise ValueError("jitscope.expect: give a limit, such as max_compilations=1")
    if action not in ("raise", "warn"):
        raise ValueError(f'jitscope.expect: action is "raise" or "warn", not {action!r}')
    functions: Sequence[Function] = [function] if isinstance(function, str) or callable(function) else function
    chosen = _Chosen(functions, "expect")
    found = Expectation(chosen, eager_ops=eager_ops)
    if switches.OFF:
        _nothing_watched("expect")
        yield found
        return
    install_loaded_frameworks()
    gate = _Limits(found, chosen, limits, early=action == "raise", eager_ops=eager_ops)
    if max_recompilations is not None:
        found.remember_programs()
    found.begin()
    recorder.gates.add(gate)
    try:
        yield found
    finally:
        recorder.gates.remove(gate)
        found.end()
    exceeded = gate.check()
    if exceeded is None:
        return
    if action == "raise":
        raise RecompileError(exceeded)
    warnings.warn(RecompileWarning(exceeded), stacklevel=3)
