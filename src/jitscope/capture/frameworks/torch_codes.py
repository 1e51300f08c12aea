"""Code objects by identity: torch keeps its cache entries at the code object itself.

Two code objects can be equal and not the same: CPython compares what they do, and not the file they are from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CodeType
from typing import TYPE_CHECKING, Generic, TypeVar

from jitscope.capture.marks import Marks

if TYPE_CHECKING:
    from jitscope.capture.frameworks.torch_probe import TorchProbe

V = TypeVar("V")


class CodeMap(Generic[V]):
    """A dictionary of code objects, which it keeps alive."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[CodeType, V]] = {}

    def get(self, code: CodeType) -> V | None:
        """What is kept for ``code``."""
        found = self._found.get(id(code))
        return found[1] if found is not None else None

    def set(self, code: CodeType, value: V) -> None:
        """Keep ``value`` for ``code``."""
        self._found[id(code)] = (code, value)

    def remove(self, code: CodeType) -> None:
        """Keep nothing for ``code``."""
        self._found.pop(id(code), None)

    def values(self) -> list[V]:
        """All that is kept."""
        return [value for _, value in tuple(self._found.values())]


@dataclass(slots=True)
class Sharing:
    """Those whose entries are at one code object: wrappers of one function, instances of one module."""

    probes: list[TorchProbe] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)


def is_among(code: CodeType, codes: list[CodeType]) -> bool:
    """Whether it is one of these very objects."""
    return any(one is code for one in codes)
