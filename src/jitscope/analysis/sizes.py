"""The values that something took over the compilations, as one text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from jitscope.model.notation import cut

VALUES: Final = 6
"""Most values of a sequence that are shown."""
_VALUE_LENGTH: Final = 60
"""Most characters of one value that are shown."""

_ARRAY = re.compile(r"(?P<dtype>\w+)\[(?P<shape>\d+(?:,\d+)*)\](?P<marks>.*)", re.DOTALL)


def sequence_text(values: Sequence[str], limit: int = VALUES) -> str:
    """The values in order, neighbours that are equal once: ``True → False``; after ``limit`` of them, how many more.

    Array types that differ in the size of one axis are shortened to it: ``axis 0: 64 → 63 → 61 → … 4 more``.
    """
    distinct = [value for value, _ in groupby(values)]
    axis, shown = _one_axis(distinct) or (None, distinct)
    texts = [cut(value, _VALUE_LENGTH) for value in shown[:limit]]
    if len(shown) > limit:
        texts.append(f"… {len(shown) - limit} more")
    text = " → ".join(texts)
    return text if axis is None else f"axis {axis}: {text}"


def _one_axis(values: Sequence[str]) -> tuple[int, list[str]] | None:
    """The one axis in which all the values differ, and its sizes; None where there is more to tell."""
    matches = [match for value in values if (match := _ARRAY.fullmatch(value))]
    if len(matches) < 2 or len(matches) < len(values):
        return None
    shapes = [match["shape"].split(",") for match in matches]
    beside = {(match["dtype"], match["marks"], len(shape)) for match, shape in zip(matches, shapes, strict=True)}
    if len(beside) > 1:
        return None
    varying = [axis for axis, sizes in enumerate(zip(*shapes, strict=True)) if len(set(sizes)) > 1]
    return (varying[0], [shape[varying[0]] for shape in shapes]) if len(varying) == 1 else None
