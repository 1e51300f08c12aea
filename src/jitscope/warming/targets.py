"""The functions that are to be warmed: what they are called in recordings, and who warms them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from jitscope.analysis.rebuilding import rebuild
from jitscope.analysis.warm_plan import Wanted, WarmItem
from jitscope.capture.warmth import Outcome
from jitscope.capture.watch import identity
from jitscope.errors import JitscopeError
from jitscope.model.events import Framework
from jitscope.model.notation import printable
from jitscope.model.signature import Signature
from jitscope.model.specs import CallSpec, CannotRebuildError

Arguments = Mapping[str, Any] | Callable[[Signature], "tuple[tuple[Any, ...], dict[str, Any]] | None"]
"""Objects by the names of the arguments, or a function from a recorded signature to ``(args, kwargs)``."""


@dataclass
class Target:
    """One compiled function of this process."""

    function: Any
    wanted: Wanted
    warmer: Any
    callback: Callable[[Signature], Any] | None
    module: str = ""
    """Where an emitted file imports it from."""
    attribute: str = ""
    arguments: str = ""
    """``module:name`` of the arguments, for an emitted file."""
    given: tuple[str, ...] = ()
    """Names of the arguments that the user passed objects for."""
    specs: dict[int, CallSpec] = field(default_factory=dict)
    """By position of the item: what its arguments were built from."""

    @property
    def framework(self) -> Framework:
        """The one that compiles it."""
        return self.wanted.framework

    def of_nothing(self, items: Iterable[WarmItem]) -> set[str]:
        """Names of `given` that no argument has in any of these signatures."""
        signatures = [item.signature for item in items if item.signature is not None]
        paths = {part.path for one in signatures for part in (*one.leaves, *one.nodes)}
        return {
            name for name in self.given if not any(re.match(rf"{re.escape(name)}($|[.\[])", path) for path in paths)
        }

    def make(self, item: WarmItem, number: int | None = None) -> Any:
        """The arguments for one item, which have its signature.

        Raises:
            CannotRebuildError: they can't be made.
        """
        if item.why_not is not None:
            raise CannotRebuildError("", item.why_not)
        assert item.signature is not None
        conditions: Any = item.settings if self.framework == "jax" else item.modes
        if self.callback is not None:
            return self._from_callback(item.signature, conditions)
        failure = CannotRebuildError("", "it was recorded in part")
        for spec in rebuild(item.signature, self.framework, self.warmer.names, frozenset(self.warmer.given)):
            try:
                made = self.warmer.check(item.signature, conditions, spec)
            except CannotRebuildError as error:
                failure = error
                continue
            if number is not None:
                self.specs[number] = spec
            return made
        raise failure

    def _from_callback(self, signature: Signature, conditions: Any) -> Any:
        assert self.callback is not None
        made = self.callback(signature)
        if made is None:
            raise CannotRebuildError("", "arguments= gave nothing for it")
        if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[1], Mapping)):
            raise CannotRebuildError("", f"arguments= gave a {type(made).__qualname__}, and not (args, kwargs)")
        args, kwargs = made
        with ExitStack() as stack:
            if self.framework == "jax":
                from jitscope.capture.frameworks.jax_settings import as_recorded

                as_recorded(stack, conditions)
            self.warmer.compare(signature, tuple(args), dict(kwargs))
        return tuple(args), dict(kwargs)

    def start(self, item: WarmItem, made: Any) -> Callable[[], Outcome]:
        """Begin to compile one item; what is returned ends it. Only JAX's may end in another thread."""
        if self.framework == "jax":
            begun: Callable[[], Outcome] = self.warmer.start(made, item.settings)
            return begun
        outcome: Outcome = self.warmer.start(made, item.modes, backward=item.backward)
        return lambda: outcome

    def again(self, item: WarmItem, made: Any) -> str | None:
        """What a call of this item would compile all the same."""
        found: str | None
        if self.framework == "jax":
            found = self.warmer.again(made, item.settings)
        else:
            found = self.warmer.again(made, item.modes, backward=item.backward)
        return found

    def under(self, item: WarmItem) -> str:
        """What it was compiled under that is not in force now, in one line."""
        if self.framework == "jax":
            from jitscope.capture.frameworks.jax_settings import changed_settings

            changed = changed_settings(item.settings)
            return printable(", ".join(f"{name}={text or 'not set'}" for name, text in changed.items()))
        from jitscope.capture.frameworks.torch_modes import modes_now, modes_text

        return printable(modes_text(item.modes, modes_now(self.warmer.module)))


def target_of(function: Any, *, name: str | None = None, arguments: Arguments | None = None) -> Target:
    """What is known of a function that is to be warmed.

    Raises:
        JitscopeError: it is not compiled, or the arguments are neither objects by name nor a function.
    """
    if arguments is not None and not isinstance(arguments, Mapping) and not callable(arguments):
        raise JitscopeError(
            f"warm: arguments is a {type(arguments).__qualname__}: give a dict by the arguments' names, or a function "
            "from a signature to (args, kwargs)",
            slug="warm-bad-option",
        )
    found = identity(function)
    if found is None or found[0] == "python":
        shown = getattr(function, "__qualname__", type(function).__qualname__)
        raise JitscopeError(
            f"warm: {printable(str(shown))} is not compiled: pass what jax.jit or torch.compile made",
            slug="warm-not-compiled",
        )
    framework, known, file = found
    callback = None if arguments is None or isinstance(arguments, Mapping) else arguments
    given = dict(arguments) if isinstance(arguments, Mapping) else {}
    home = importlib.import_module(f"jitscope.capture.frameworks.{framework}_warm")
    warmer = (home.JaxWarmer if framework == "jax" else home.TorchWarmer)(function, given)
    wanted = Wanted(framework, name or known, file, named=name is not None)
    return Target(function, wanted, warmer, callback, given=tuple(given))
