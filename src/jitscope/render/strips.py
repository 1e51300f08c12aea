"""History strips: the calls of a function in their order, a sign for each: ``█▁▁▁█▁×61▒``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from jitscope.analysis.strip import WORST, Fate, columns, fates
from jitscope.model.events import Outcome
from jitscope.model.report import FunctionReport

SIGNS: Final[dict[Outcome, str]] = {
    "compile": "█",
    "hit": "▁",
    "eager_fallback": "▒",
    "dispatch_miss": "▃",
    "python_path": "p",
    "waited": "w",
    "error": "x",
}
"""`commands.output` has other signs for a terminal that knows only ASCII."""
WORDS: Final[dict[Outcome, str]] = {
    "compile": "compiled",
    "hit": "hit",
    "eager_fallback": "ran eager",
    "dispatch_miss": "dispatch miss",
    "python_path": "through Python",
    "waited": "waited",
    "error": "failed",
}
_LONG: Final = 4
"""Calls in a row that are written out where room is short."""


def strip(history: Sequence[Fate], width: int) -> tuple[str, int]:
    """The strip of one function in at most ``width`` columns, and how many calls a column stands for.

    One column a call; where these are too many, long runs of one outcome are counted (``▁×61``); where that is too
    long as well, several calls share a column, which shows the worst of them.
    """
    if sum(one.count for one in history) <= width:
        return "".join(SIGNS[one.outcome] * one.count for one in history), 1
    text = "".join(
        f"{SIGNS[one.outcome]}×{one.count}" if one.count > _LONG else SIGNS[one.outcome] * one.count for one in history
    )
    if len(text) <= width:
        return text, 1
    shared, each = columns(history, width)
    return "".join(SIGNS[one.outcome] for one in shared), each


def strip_of(members: Sequence[FunctionReport], width: int) -> tuple[str, int]:
    """The strip of a source function: of its function objects one after another, with blanks between them.

    Which calls of several function objects came first is not recorded. Those that find no room are counted. The number
    is that of `strip`, for the first of them.
    """
    histories = [found for one in members if (found := fates(one.history))]
    if not histories:
        return "", 1
    text, each = strip(histories[0], width - (_MORE if len(histories) > 1 else 0))
    for position, history in enumerate(histories[1:], start=1):
        rest = len(histories) - position
        room = width - len(text) - 1 - (_MORE if rest > 1 else 0)
        longer = "".join(SIGNS[one.outcome] * one.count for one in history) if _calls(history) <= max(room, 0) else ""
        if not longer:
            return f"{text} … {rest} more", each
        text += f" {longer}"
    return text, each


_MORE: Final = len(" … 9999 more")


def legend(histories: Iterable[Sequence[Fate]]) -> str:
    """What the signs that occur mean: ``█ compiled  ▁ hit``; empty where there were no calls."""
    met = {one.outcome for history in histories for one in history}
    return "  ".join(f"{SIGNS[outcome]} {WORDS[outcome]}" for outcome in WORST if outcome in met)


def _calls(history: Sequence[Fate]) -> int:
    return sum(one.count for one in history)
