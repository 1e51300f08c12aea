"""The numbers of the one-line verdict."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jitscope.model.report import FunctionReport, Report


class Verdict(msgspec.Struct, frozen=True):
    """How much of a run went into compiling, and how much of that was for something compiled before.

    Seconds are summed over threads: with several threads a share can exceed 1.
    """

    wall_seconds: float | None
    at_least: bool
    """`wall_seconds` is a lower bound: the recording has no end."""
    compiling_seconds: float
    """Watched functions and everything else."""
    compiling_share: float | None
    """Of the wall time, from 0 to 1; None where that is not known. Of several processes: of their times added up."""
    recompiling_seconds: float
    recompiling_share: float | None
    """Of the compiling time; None where nothing was compiled."""
    compilations: int
    """All that the framework compiled, eager operations included."""
    hits: int
    """Of calls of compiled functions: regions compile nothing of their own."""
    calls: int


def compiled_functions(functions: Sequence[FunctionReport]) -> Sequence[FunctionReport]:
    """Those whose calls are calls of compiled functions: without regions, where there are others."""
    return [function for function in functions if function.framework != "python"] or functions


def verdict_of(report: Report) -> Verdict:
    """Sum a report up."""
    totals = report.totals
    wall = report.run.wall_seconds
    known = [one.wall_seconds for one in report.run.processes if one.wall_seconds is not None]
    spent = sum(known) if known else wall
    compiled = compiled_functions(report.functions)
    compiling = totals.compile_seconds + totals.eager_op_compile_seconds
    return Verdict(
        wall_seconds=wall,
        at_least=any(note.slug == "no-end" for note in report.notes),
        compiling_seconds=compiling,
        compiling_share=compiling / spent if spent else None,
        recompiling_seconds=totals.recompile_seconds,
        recompiling_share=totals.recompile_seconds / compiling if compiling else None,
        compilations=totals.compilations + totals.eager_op_compilations,
        hits=sum(function.hits for function in compiled),
        calls=sum(function.calls for function in compiled),
    )
