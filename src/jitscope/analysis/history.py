"""What happened to the calls of a function: counts, ordinals, hits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from jitscope.model.events import CompilationEvent, Outcome, Run
from jitscope.model.report import HistoryRun


class SignatureCalls(msgspec.Struct, frozen=True):
    """The calls with one signature."""

    calls: int = 0
    hits: int = 0
    first_call: int | None = None
    """Ordinal of the first of them, from 1."""


class CallCounts(msgspec.Struct, frozen=True):
    """The calls of a function by outcome. Nested calls are not calls: they are counted apart."""

    calls: int = 0
    by_outcome: dict[Outcome, int] = {}
    nested: int = 0

    def of(self, outcome: Outcome) -> int:
        """How many calls had this outcome."""
        return self.by_outcome.get(outcome, 0)


def merge_runs(runs: Iterable[Run]) -> tuple[HistoryRun, ...]:
    """The call history with neighbouring runs of the same fate made one."""
    merged: list[HistoryRun] = []
    for run in runs:
        if run.count <= 0:
            continue
        count = run.count
        if merged:
            last = merged[-1]
            if (last.signature, last.outcome, last.compilation) == (run.signature, run.outcome, run.compilation):
                count += merged.pop().count
        merged.append(HistoryRun(run.signature, run.outcome, count, run.compilation))
    return tuple(merged)


def count_calls(history: Sequence[HistoryRun]) -> CallCounts:
    """Count the calls of a history by outcome."""
    counts: Counter[Outcome] = Counter()
    for run in history:
        counts[run.outcome] += run.count
    nested = counts.pop("nested", 0)
    return CallCounts(calls=counts.total(), by_outcome=dict(counts), nested=nested)


def unwritten_calls(history: Sequence[HistoryRun], compilations: Sequence[CompilationEvent]) -> dict[int, Run]:
    """Calls by ordinal that compiled but are not in the history of a killed program.

    Histories are written now and then, compilations at once: a call whose compilation has an ordinal
    beyond the history did happen. How many hits lay between is lost.
    """
    written = count_calls(history).calls
    found: dict[int, Run] = {}
    for event in compilations:
        if event.call is not None and event.call > written and event.failed is None:
            found.setdefault(event.call, Run(event.signature, "compile", 1, event.id))
    return dict(sorted(found.items()))


def calls_before_nesting(history: Iterable[Run]) -> int | None:
    """How many calls had ended when the function was first called inside another trace; None if it never was."""
    ended = 0
    for run in history:
        if run.outcome == "nested":
            return ended
        ended += run.count
    return None


def calls_by_signature(history: Sequence[HistoryRun], unwritten: Mapping[int, Run]) -> dict[int, SignatureCalls]:
    """Calls, hits and first call of each signature; ``unwritten`` as `unwritten_calls` gives them."""
    found: dict[int, SignatureCalls] = {}
    ordinal = 1
    for run in history:
        if run.outcome != "nested":
            _add(found, run.signature, ordinal, run.count, hit=run.outcome == "hit")
            ordinal += run.count
    for known, single in unwritten.items():
        _add(found, single.signature, known, single.count, hit=False)
    return found


def _add(found: dict[int, SignatureCalls], signature: int | None, ordinal: int, count: int, *, hit: bool) -> None:
    if signature is None:
        return
    before = found.get(signature, SignatureCalls())
    found[signature] = SignatureCalls(
        calls=before.calls + count,
        hits=before.hits + (count if hit else 0),
        first_call=ordinal if before.first_call is None else before.first_call,
    )


def hits_by_compilation(history: Sequence[HistoryRun]) -> dict[int, int]:
    """How many hits each compilation's cache entry served, where the recording says (torch)."""
    found: Counter[int] = Counter()
    for run in history:
        if run.outcome == "hit" and run.compilation is not None:
            found[run.compilation] += run.count
    return dict(found)
