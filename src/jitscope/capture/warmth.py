"""What the warmers of both frameworks share: what warming came to, and whether a rebuilt signature is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jitscope.model.notation import cut, printable
from jitscope.model.signature import Leaf, Signature
from jitscope.model.specs import CannotRebuildError
from jitscope.model.warming import WarmState


class OtherThreadError(Exception):
    """This thread can't compile it: a context of the thread that began it, such as a mesh, can't be entered here."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one signature."""

    state: WarmState
    seconds: float
    why: str | None = None
    written: bool | None = None
    """Whether it was written to the persistent cache; None where there is none, or that is not known."""


class Compare:
    """Holds what was rebuilt against what was recorded."""

    def __init__(self, recorded: Signature, rebuilt: Signature) -> None:
        self._recorded = recorded
        self._rebuilt = rebuilt

    def leaves(self, seen: Callable[[Leaf], object]) -> None:
        """Whether ``seen`` is the same of each leaf.

        Raises:
            CannotRebuildError: of the first that differs.
        """
        old = {leaf.path: leaf for leaf in self._recorded.leaves}
        new = {leaf.path: leaf for leaf in self._rebuilt.leaves}
        for path in (*old, *new):
            recorded, rebuilt = old.get(path), new.get(path)
            if recorded is None or rebuilt is None:
                raise CannotRebuildError(path, "was not there" if recorded is None else "is not there")
            if type(recorded) is not type(rebuilt) or seen(recorded) != seen(rebuilt):
                was, now = (printable(cut(one.type_text, 80)) for one in (recorded, rebuilt))
                raise CannotRebuildError(path, f"was {was}, and is {now}" if was != now else "is not what was recorded")

    def nodes(self) -> None:
        """Whether the containers are the same.

        Raises:
            CannotRebuildError: of the first that differs.
        """
        old = {node.path: node for node in self._recorded.nodes}
        new = {node.path: node for node in self._rebuilt.nodes}
        for path in (*old, *new):
            was, now = old.get(path), new.get(path)
            if was is None or now is None:
                raise CannotRebuildError(path, "has another structure than in the recording")
            if (was.type, was.metadata, was.fields, was.digest, was.items) != (
                now.type,
                now.metadata,
                now.fields,
                now.digest,
                now.items,
            ):
                raise CannotRebuildError(
                    path,
                    f"was a {printable(was.text)}, and is a {printable(now.text)}"
                    if was.text != now.text
                    else f"the {printable(now.type)} holds other settings than in the recording",
                )
