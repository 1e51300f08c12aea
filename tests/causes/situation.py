"""What a situation of the corpus declares: a small program, and the truth about it.

Each situation is a function without arguments that watches and calls compiled functions. Its truth is written by
hand from what the framework documents and does, never from what jitscope prints:

* ``outcomes``: what became of each call (`jitscope.model.events.Outcome`), function by function in the order in
  which the functions were first called, the calls of each in order. Nested calls are left out.
* ``compilations``: for each compilation that a watched function owns, in order, the set of its causes as
  ``(kind, path)``. `FIRST` stands for a first compile.
* ``layers``: JAX only; for each of those compilations the layers that ran; `FULL` where it is left out.

How paths are written:

* an argument's leaf as the user would write it: ``x``, ``batch['x']``, ``xs[1]``, ``cfg.width``; of ``*xs`` it is
  ``xs[0]``; a change of how arguments are passed names the argument
* ``config``: the setting: ``jax_enable_x64``, ``mesh``; torch in Dynamo's own words: ``grad_mode``, ``default_dtype``,
  ``num_threads``, ``autocast(cpu)_enabled``, ``torch_function_mode``
* ``new_function``, ``backward``, ``recompile_limit``: the function's qualified name as jitscope shows it, without the
  ``<locals>`` part in front; ``graph_break``: the name of the function that was broken, likewise
* ``options``: the option's name: ``donate_argnums``, ``compiler_options``, ``backend``
* ``captured_value``: the variable's name; ``module_attribute``, ``module_structure``: ``self.step``,
  ``self.lin.weight``; ``training_mode``: the module: ``self``, ``self.drop``, ``self.layers[1]``
* None for ``first_compile``, ``nested_first``, ``cache_cleared``, ``cache_evicted``
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Causes = frozenset[tuple[str, str | None]]

FULL = ("trace", "lower", "compile")
FIRST: Causes = frozenset({("first_compile", None)})


def since(version: str, *least: int) -> bool:
    """Whether a framework is that version or later: ``since(torch.__version__, 2, 15)``. The truth can differ."""
    return tuple(int(part) for part in version.split(".")[: len(least)]) >= least


def because(*causes: tuple[str, str | None]) -> Causes:
    """The set of causes of one compilation: ``because(("shape", "x"), ("dtype", "y"))``."""
    return frozenset(causes)


@dataclass(frozen=True)
class Situation:
    """A program and its truth."""

    name: str
    framework: str
    program: Callable[[], object]
    outcomes: tuple[str, ...]
    compilations: tuple[Causes, ...]
    layers: tuple[tuple[str, ...], ...] = ()
    needs: tuple[str, ...] = ()
    """Packages beyond the framework: ``flax``, ``transformers``."""
    notes: tuple[str, ...] = field(default=())

    def layers_of(self, number: int) -> tuple[str, ...]:
        """The layers of one compilation (JAX)."""
        return self.layers[number] if self.layers else FULL


def corpus(framework: str) -> tuple[list[Situation], Callable[..., Callable[[Callable[[], object]], Situation]]]:
    """An empty corpus, and the decorator that adds to it."""
    situations: list[Situation] = []

    def situation(
        outcomes: str,
        compilations: Sequence[Causes],
        *,
        layers: Sequence[tuple[str, ...]] = (),
        needs: Sequence[str] = (),
    ) -> Callable[[Callable[[], object]], Situation]:
        """Declare a program: ``@situation("compile compile hit", [FIRST, because(("shape", "x"))])``.

        ``hit*9`` in ``outcomes`` stands for nine of them.
        """
        expanded: list[str] = []
        for word in outcomes.split():
            outcome, _, count = word.partition("*")
            expanded += [outcome] * int(count or 1)

        def add(program: Callable[[], object]) -> Situation:
            name = program.__name__
            assert name not in {known.name for known in situations}, name
            assert not layers or len(layers) == len(compilations), name
            one = Situation(name, framework, program, tuple(expanded), tuple(compilations), tuple(layers), tuple(needs))
            situations.append(one)
            return one

        return add

    return situations, situation
