"""What a test run compiled: the recording of a process that had each test as a label, summed up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from jitscope.analysis.grouping import by_source
from jitscope.model.notation import LABEL_JOIN
from jitscope.model.report import LabelReport, Report


class OneTest(msgspec.Struct, frozen=True):
    """What one test compiled."""

    test: str | None
    """Its id; None: outside of all tests."""
    compilations: int
    """Of functions, watched or not."""
    recompilations: int
    eager_op_compilations: int
    seconds: float
    """What all of that took."""


class FunctionRow(msgspec.Struct, frozen=True):
    """A function that was compiled again."""

    name: str
    file: str
    line: int
    recompilations: int
    tests: tuple[str, ...]
    """Those in which it was compiled again."""
    seconds: float
    """What compiling it again took."""
    causes: tuple[str, ...]
    """Paths and kinds, the most frequent first: ``batch['x'] (shape)``."""


class RunSummary(msgspec.Struct, frozen=True):
    """One process of a test run, or several taken together."""

    recordings: tuple[str, ...]
    tests: tuple[OneTest, ...]
    """Those that compiled anything."""
    functions: tuple[FunctionRow, ...]
    """Those that were compiled again, the costliest first."""
    hits: int
    calls: int
    lost: tuple[str, ...] = ()
    """Processes that ended without their numbers."""

    @property
    def seconds(self) -> float:
        """What all compilations took."""
        return sum(one.seconds for one in self.tests)


def summary_of(report: Report, recording: str) -> RunSummary:
    """Sum up what one process recorded."""
    return RunSummary((recording,), _tests(report.labels), _functions(report), report.totals.hits, report.totals.calls)


def added_up(runs: Sequence[RunSummary], lost: Sequence[str] = ()) -> RunSummary:
    """Several processes as one run; a test runs in one of them."""
    functions: dict[tuple[str, str, int], FunctionRow] = {}
    for one in (each for run in runs for each in run.functions):
        key = (one.name, one.file, one.line)
        before = functions.get(key)
        functions[key] = one if before is None else _merged(before, one)
    outside = [row for run in runs for row in run.tests if row.test is None]
    rows = [row for run in runs for row in run.tests if row.test is not None]
    return RunSummary(
        recordings=tuple(sorted(path for run in runs for path in run.recordings)),
        tests=(*rows, *([_sum(None, outside)] if outside else [])),
        functions=_ordered(functions.values()),
        hits=sum(run.hits for run in runs),
        calls=sum(run.calls for run in runs),
        lost=tuple(lost),
    )


def _tests(labels: Sequence[LabelReport]) -> tuple[OneTest, ...]:
    rows: dict[str | None, list[OneTest]] = {}
    for one in labels:
        test = one.text.partition(LABEL_JOIN)[0] if one.text is not None else None
        rows.setdefault(test, []).append(
            OneTest(
                test,
                one.compilations + one.unwatched_compilations,
                one.recompilations,
                one.eager_op_compilations,
                one.compile_seconds + one.unwatched_compile_seconds + one.eager_op_compile_seconds,
            )
        )
    found = [_sum(test, parts) for test, parts in rows.items()]
    return tuple(one for one in found if one.compilations or one.eager_op_compilations or one.seconds)


def _sum(test: str | None, rows: Sequence[OneTest]) -> OneTest:
    return OneTest(
        test,
        sum(one.compilations for one in rows),
        sum(one.recompilations for one in rows),
        sum(one.eager_op_compilations for one in rows),
        sum(one.seconds for one in rows),
    )


def _functions(report: Report) -> tuple[FunctionRow, ...]:
    found: list[FunctionRow] = []
    for group in by_source(report.functions):
        again = [one for one in group.details if one.recompile]
        if not again:
            continue
        causes: dict[str, int] = {}
        for cause in (cause for one in again for cause in one.causes):
            text = f"{cause.path} ({cause.kind})" if cause.path is not None else cause.kind
            causes[text] = causes.get(text, 0) + 1
        tests = dict.fromkeys(one.label.partition(LABEL_JOIN)[0] for one in again if one.label is not None)
        found.append(
            FunctionRow(
                name=group.first.name,
                file=group.first.file,
                line=group.first.line,
                recompilations=len(again),
                tests=tuple(tests),
                seconds=group.recompile_seconds,
                causes=tuple(sorted(causes, key=lambda text: -causes[text])),
            )
        )
    return _ordered(found)


def _ordered(rows: Iterable[FunctionRow]) -> tuple[FunctionRow, ...]:
    return tuple(sorted(rows, key=lambda one: -one.seconds))


def _merged(one: FunctionRow, other: FunctionRow) -> FunctionRow:
    return FunctionRow(
        name=one.name,
        file=one.file,
        line=one.line,
        recompilations=one.recompilations + other.recompilations,
        tests=tuple(dict.fromkeys((*one.tests, *other.tests))),
        seconds=one.seconds + other.seconds,
        causes=tuple(dict.fromkeys((*one.causes, *other.causes))),
    )
