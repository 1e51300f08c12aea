"""From a recording to a report."""

from __future__ import annotations

import msgspec

from jitscope.analysis.cache_outcomes import Measured, caches_of
from jitscope.analysis.findings import findings_of
from jitscope.analysis.first_call import longest_first_calls
from jitscope.analysis.functions import bounded_notes, empty_function_report, function_reports, judge
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.labels import labels_of
from jitscope.analysis.notes import notes_of
from jitscope.analysis.totals import eager_ops_of, totals_of
from jitscope.model.events import SCHEMA
from jitscope.model.recording import Recording
from jitscope.model.report import FunctionReport, Note, Report, RunInfo

__all__ = ["build_report", "empty_function_report"]


def build_report(recording: Recording, measured: Measured | None = None) -> Report:
    """Judge a recording. Pure: the same recording gives the same report.

    ``measured``: what other runs measured that compiling took, by key of JAX's persistent cache.
    """
    index = index_events(recording)
    if measured:
        both = {**measured, **index.compile_seconds_by_key}
        index = msgspec.structs.replace(index, compile_seconds_by_key=both)
    judged = judge(index)
    notes = (*notes_of(recording, index), *bounded_notes(judged.values(), index))
    return report_from(recording, index, function_reports(index, judged), notes, index)


def report_from(
    recording: Recording, index: Index, functions: tuple[FunctionReport, ...], notes: tuple[Note, ...], known: Index
) -> Report:
    """The report of these functions; ``known`` holds all that their causes refer to."""
    first_calls, start_up = longest_first_calls(recording, index)
    eager_ops = eager_ops_of(index.compilations, index.added_up)
    return Report(
        schema=SCHEMA,
        run=_run(recording, index),
        totals=totals_of(functions, eager_ops),
        functions=functions,
        eager_ops=eager_ops,
        notes=notes,
        caches=caches_of(index.compilations, index.caches, index.compile_seconds_by_key),
        findings=findings_of(functions, known),
        labels=labels_of(recording, functions),
        first_calls=first_calls,
        start_up=start_up,
    )


def _run(recording: Recording, index: Index) -> RunInfo:
    header, end = recording.header, index.end
    return RunInfo(
        id=header.run,
        argv=header.argv,
        started=header.started,
        wall_seconds=end.wall_seconds if end else recording.wall_seconds,
        rank=recording.rank,
        world_size=recording.world_size,
        versions={**header.versions, **(end.versions if end else {})},
        devices=(end.devices if end else ()) or header.devices,
        processes=header.processes,
    )
