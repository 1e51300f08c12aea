"""Comparing what was reported with what is true."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import msgspec

from causes.situation import Situation

Cause = tuple[str, str | None]
Statement = tuple[Cause, ...]
"""Readings of one statement of a framework's, one of which has to be right."""

NOTHING_TO_FIX = {"first_compile", "backward", "nested_first"}

_LOCALS = re.compile(r"[\w.<>]*<locals>\.")


class Seen(msgspec.Struct, frozen=True):
    """One compilation as it was reported."""

    causes: tuple[Cause, ...]
    layers: tuple[str, ...]
    fix: bool
    """Whether a fix is given, here or in a finding that covers it."""
    own: tuple[Statement, ...] | None = None
    """What the framework said; None where it said nothing."""


class Judged(msgspec.Struct, frozen=True):
    """One compilation: the truth, and what was reported."""

    expected: tuple[Cause, ...] | None
    """None: there was no such compilation."""
    actual: tuple[Cause, ...] | None
    """None: it was not seen."""
    right: bool
    kinds_right: bool
    paths_right: bool
    wrong: tuple[str, ...]
    """Kinds that were reported and are not among the causes."""
    needs_fix: bool
    fix: bool
    own: tuple[Statement, ...] | None
    own_right: bool
    own_kinds_right: bool
    own_paths_right: bool
    own_wrong: int


class Verdict(msgspec.Struct, frozen=True):
    """One situation."""

    name: str
    framework: str
    skipped: str | None = None
    """Why it was not run."""
    error: str | None = None
    """What went wrong in it."""
    outcomes: tuple[str, ...] = ()
    expected_outcomes: tuple[str, ...] = ()
    layers: tuple[tuple[str, ...], ...] = ()
    expected_layers: tuple[tuple[str, ...], ...] = ()
    """JAX only."""
    compilations: tuple[Judged, ...] = ()

    @property
    def detected(self) -> bool:
        """Whether all calls and compilations were told as they were."""
        return (
            self.error is None
            and self.outcomes == self.expected_outcomes
            and self.layers == self.expected_layers
            and all(one.expected is not None and one.actual is not None for one in self.compilations)
        )

    @property
    def right(self) -> bool:
        """Whether every compilation has its causes, all and only."""
        return self.error is None and all(one.right for one in self.compilations)

    @property
    def fixed(self) -> bool:
        """Whether every compilation that something can be done about comes with a fix."""
        return all(one.fix or not one.needs_fix for one in self.compilations)


def judge(situation: Situation, outcomes: Sequence[str], compilations: Sequence[Seen]) -> Verdict:
    """Hold what was reported of a situation against its truth."""
    count = max(len(situation.compilations), len(compilations))
    jax = situation.framework == "jax"
    return Verdict(
        name=situation.name,
        framework=situation.framework,
        outcomes=tuple(outcomes),
        expected_outcomes=situation.outcomes,
        layers=tuple(one.layers for one in compilations) if jax else (),
        expected_layers=tuple(situation.layers_of(n) for n in range(len(situation.compilations))) if jax else (),
        compilations=tuple(
            _judged(expected, seen)
            for expected, seen, _ in zip_longest(situation.compilations, compilations, range(count))
        ),
    )


def _judged(expected: Iterable[Cause] | None, seen: Seen | None) -> Judged:
    truth = {(kind, short(path)) for kind, path in expected or ()}
    said = {(kind, short(path)) for kind, path in seen.causes} if seen is not None else set()
    both = expected is not None and seen is not None
    own = [tuple((kind, short(path)) for kind, path in statement) for statement in (seen and seen.own) or ()]
    if not own and truth == {("first_compile", None)}:
        # Nothing to speak of.
        own = [(("first_compile", None),)]
    kinds = {kind for kind, _ in truth}
    return Judged(
        expected=_sorted(truth) if expected is not None else None,
        actual=_sorted(said) if seen is not None else None,
        right=both and truth == said,
        kinds_right=both and kinds == {kind for kind, _ in said},
        paths_right=both and {path for _, path in truth} == {path for _, path in said},
        wrong=tuple(sorted({kind for kind, _ in said} - kinds - {"unknown"})),
        needs_fix=bool(kinds - NOTHING_TO_FIX),
        fix=seen is not None and seen.fix,
        own=tuple(own) or None,
        own_right=both and _covers(truth, own, kind=True, path=True),
        own_kinds_right=both and _covers(truth, own, kind=True, path=False),
        own_paths_right=both and _covers(truth, own, kind=False, path=True),
        own_wrong=sum(not any(kind in kinds for kind, _ in statement) for statement in own),
    )


def _sorted(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    return tuple(sorted(causes, key=lambda cause: (cause[0], cause[1] or "")))


def _covers(truth: set[Cause], own: Sequence[Statement], *, kind: bool, path: bool) -> bool:
    """Whether every cause is in a statement, and every statement is of a cause."""

    def same(cause: Cause, reading: Cause) -> bool:
        return (not kind or cause[0] == reading[0]) and (not path or same_path(cause[1], reading[1]))

    return all(any(same(cause, reading) for statement in own for reading in statement) for cause in truth) and all(
        any(same(cause, reading) for cause in truth for reading in statement) for statement in own
    )


def same_path(expected: str | None, said: str | None) -> bool:
    """Whether two paths are the same.

    In what was said ``*`` at the front stands for an argument's name, ``~`` for a name that this is a part of.
    """
    if expected is not None and said is not None and said.startswith("*"):
        return re.sub(r"^\w+", "", expected) == said[1:]
    if expected is not None and said is not None and said.startswith("~"):
        return said[1:] in re.findall(r"\w+|<\w+>", expected)
    return expected == said


def short(path: str | None) -> str | None:
    """A name without the functions that it is defined in: ``f.<locals>.g`` → ``g``."""
    return _LOCALS.sub("", path) if path is not None else None
