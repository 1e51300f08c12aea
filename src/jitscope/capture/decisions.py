"""Which of several live signatures a hit had: asking only what tells them apart.

A hit is one of the signatures that were met at misses, so there is no need to read it: a decision tree asks for the
one shape, type or value in which they differ. The tree grows at misses, by one question for each signature that the
questions so far do not tell from another one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

Ask = Callable[[tuple[Any, ...], dict[str, Any]], Any]
"""Reads one thing of a call's arguments, which is hashable."""

K = TypeVar("K", bound=Hashable)
"""What stands for a signature."""

MOST = 64
"""Live signatures that are told apart; with more, each call is read in full."""
LOGGED = 4096
"""Hits that are kept before they are entered in the book."""


_NOTHING: Any = object()
"""The answer of a call that has no such argument."""


class Question(NamedTuple):
    """Something that tells two signatures apart, and the answers of both."""

    ask: Ask
    old: Hashable
    new: Hashable
    shape_of: int | None = None
    """The question is the shape of this positional argument: the most frequent one, asked without a call."""
    about: Any = None
    """What it asks for, to whoever made it."""


@dataclass(slots=True)
class _Split:
    question: Question
    answers: dict[Hashable, Any] = field(default_factory=dict)
    """By answer: a `_Split`, or a signature."""


class Decisions(Generic[K]):
    """The decision tree over the live signatures of one function."""

    def __init__(
        self,
        differing: Callable[[K, K, tuple[Any, ...], dict[str, Any]], Question | None],
        fixed: Callable[[K, Question, tuple[Any, ...], dict[str, Any]], bool],
    ) -> None:
        """Make an empty tree.

        Args:
            differing: finds a question that tells an old signature from that of the call at hand, or None.
            fixed: whether all calls of the signature of the call at hand give one answer to a question.
        """
        self._differing = differing
        self._fixed = fixed
        self._root: Any = None
        self._known: set[K] = set()
        self.possible = True
        """Whether all signatures so far can be told apart."""

    def __len__(self) -> int:
        """Signatures that are told apart."""
        return len(self._known) if self.possible else 0

    def clear(self) -> None:
        """Forget all signatures."""
        self._root = None
        self._known.clear()
        self.possible = True

    def add(self, new: K, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A signature became live with this call."""
        if not self.possible or new in self._known:
            return
        try:
            self.possible = len(self._known) < MOST and self._insert(new, args, kwargs)
        except Exception:  # of the user's: an argument that is compared, say
            self.possible = False
        self._known.add(new)

    def _insert(self, new: K, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        holder: dict[Hashable, Any] | None = None
        at: Hashable = None
        node = self._root
        while isinstance(node, _Split):
            if not self._fixed(new, node.question, args, kwargs):
                return False
            holder, at = node.answers, _answer(node.question.ask, args, kwargs)
            node = holder.get(at)
        found: Any = new
        if node is not None:
            question = self._differing(node, new, args, kwargs)
            if (
                question is None
                or question.old == question.new
                # What is read off a signature and what the call answers have to agree.
                or _answer(question.ask, args, kwargs) != question.new
            ):
                return False
            found = _Split(question, {question.old: node, question.new: new})
        if holder is None:
            self._root = found
        else:
            holder[at] = found
        return True

    def of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> K | None:
        """The signature of a call; None where signatures can't be told apart, or the call fits none."""
        if not self.possible:
            return None
        node = self._root
        while isinstance(node, _Split):
            node = node.answers.get(_answer(node.question.ask, args, kwargs))
        found: K | None = node
        return found

    def counter(
        self,
        codes: dict[K, Any],
        log: list[Any],
        full: Callable[[], None],
        unknown: Callable[..., None],
        unless: Callable[[], object] | None = None,
    ) -> Callable[[tuple[Any, ...], dict[str, Any]], None] | None:
        """A function that enters the hit of a call in ``log``; None where signatures can't be told apart.

        Args:
            codes: what stands for each signature in the log.
            log: hits, in order.
            full: called when the log has more than `LOGGED` entries.
            unknown: called with the arguments of a call that fits no signature.
            unless: where it says yes, nothing is asked, and ``unknown`` is called.
        """
        if not self.possible or not isinstance(self._root, _Split):
            return None
        root = _coded(self._root, codes)
        append, answers = log.append, root.answers
        flat = _NOTHING not in answers and not any(isinstance(found, _Split) for found in answers.values())
        position = root.question.shape_of

        def count_by_shape(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            try:
                append(answers[args[position].shape])  # type: ignore[index]
            except Exception:  # passed by keyword, say
                unknown(args, kwargs)
            if len(log) > LOGGED:
                full()

        def count(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            try:
                node: Any = root
                while type(node) is _Split:
                    node = node.answers[_answer(node.question.ask, args, kwargs)]
                append(node)
            except Exception:
                unknown(args, kwargs)
            if len(log) > LOGGED:
                full()

        counting = count_by_shape if flat and position is not None else count
        if unless is None:
            return counting

        def count_unless(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            (unknown if unless() else counting)(args, kwargs)

        return count_unless


def _answer(ask: Ask, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return ask(args, kwargs)
    except Exception:
        return _NOTHING


def _coded(split: _Split, codes: dict[Any, Any]) -> _Split:
    """A copy with codes in place of signatures: it does not change while it is in use."""
    answers = {
        answer: _coded(found, codes) if isinstance(found, _Split) else codes[found]
        for answer, found in split.answers.items()
    }
    return _Split(split.question, answers)
