"""The tables of a report: one row for each compilation, function, signature or finding.

Names of columns are those of the JSON report. Cells are texts, numbers and truth values; None where there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, get_args

from jitscope.analysis.sizes import sequence_text
from jitscope.analysis.timed import TimedCompilation, timed_compilations
from jitscope.model.events import ProcessInfo
from jitscope.model.recording import Recording
from jitscope.model.report import CompilationReport, FunctionReport, Report
from jitscope.render.changes import change_lines
from jitscope.render.findings import plan_text

TableName = Literal["compilations", "functions", "signatures", "findings"]
TABLES: Final[tuple[TableName, ...]] = get_args(TableName)

Cell = str | int | float | bool | None
Row = dict[str, Cell]

PHASES: Final = (
    "trace", "lower", "compile", "cache_read", "dynamo", "aot_autograd", "inductor", "codegen", "autotune", "backward",
)  # fmt: skip
"""Those of both frameworks: a table's columns do not depend on what happened."""


def table(name: TableName, recording: Recording, report: Report) -> Iterator[Row]:
    """The rows of a table of ``report``, which is of ``recording``; all have the same columns."""
    match name:
        case "compilations":
            return _compilations(recording, report)
        case "functions":
            return (_function(one, report.run.processes) for one in report.functions)
        case "signatures":
            return _signatures(report)
        case "findings":
            return _findings(report)


def columns(name: TableName) -> list[str]:
    """The names of a table's columns."""
    return [*_COLUMNS[name]]


def _compilations(recording: Recording, report: Report) -> Iterator[Row]:
    functions = {one.id: one for one in report.functions}
    details = {each.id: each for one in report.functions for each in one.compilations_detail}
    texts = {(one.id, each.id): each.text for one in report.functions for each in one.signatures}
    for one in timed_compilations(recording, report):
        function = functions.get(one.function) if one.function is not None else None
        yield {
            **_who(function, one, report.run.processes),
            **_when(one),
            **_why(details.get(one.id)),
            "signature": texts.get((one.function or 0, one.signature or 0)),
            "site_file": one.site.file if one.site is not None else None,
            "site_line": one.site.line if one.site is not None else None,
            "site_function": one.site.function if one.site is not None else None,
            "persistent_cache": one.persistent_cache,
            "under": one.under,
            "root": one.root,
            "inside": one.inside,
            "framework_id": one.framework_id,
            "failed": one.failed,
            "label": one.label,
        }


def _who(function: FunctionReport | None, one: TimedCompilation, processes: tuple[ProcessInfo, ...]) -> Row:
    return {
        "compilation": one.id,
        "process": processes[one.process].label if one.process is not None else None,
        "framework": one.framework,
        "function_id": one.function,
        "function": one.name,
        "file": function.file if function is not None else None,
        "line": function.line if function is not None else None,
        "program": one.program,
        "kind": "watched" if function is not None else "eager operation" if one.library else "not watched",
        "call": one.call,
    }


def _when(one: TimedCompilation) -> Row:
    """Seconds, by phase too."""
    spent: dict[str, float] = {}
    for phase in (*one.phases, *one.late):
        spent[phase.name] = spent.get(phase.name, 0.0) + phase.seconds
    return {
        "start": one.start,
        "seconds": one.seconds,
        "wall_seconds": one.call_seconds,
        **{f"phase_{name}": spent.get(name) for name in PHASES},
    }


def _why(detail: CompilationReport | None) -> Row:
    causes = detail.causes if detail is not None else ()
    return {
        "recompile": detail.recompile if detail is not None else None,
        "causes": ", ".join(dict.fromkeys(cause.kind for cause in causes)),
        "avoidable": _avoidable(detail),
        "paths": ", ".join(dict.fromkeys(cause.path for cause in causes if cause.path is not None)),
        "changes": " | ".join(change_lines(causes)),
        "fix": detail.fix if detail is not None else None,
    }


def _avoidable(detail: CompilationReport | None) -> str | None:
    """``yes`` where each cause is, ``no`` where one is not; nothing for a first compile."""
    if detail is None or not detail.recompile:
        return None
    found = {cause.avoidable for cause in detail.causes}
    return "no" if "no" in found else "yes" if found == {"yes"} else "unknown"


def _function(one: FunctionReport, processes: tuple[ProcessInfo, ...]) -> Row:
    return {
        "function_id": one.id,
        "process": processes[one.process].label if one.process is not None else None,
        "framework": one.framework,
        "function": one.name,
        "kind": one.kind,
        "file": one.file,
        "line": one.line,
        "state": one.state,
        "calls": one.calls,
        "hits": one.hits,
        "dispatch_misses": one.dispatch_misses,
        "eager_fallbacks": one.eager_fallbacks,
        "compiling_calls": one.compiling_calls,
        "python_path_calls": one.python_path_calls,
        "waited_calls": one.waited_calls,
        "failed_calls": one.failed_calls,
        "nested_calls": one.nested_calls,
        "signatures": len(one.signatures),
        "compilations": one.compilations,
        "recompilations": one.recompilations,
        "compile_seconds": one.compile_seconds,
        "recompile_seconds": one.recompile_seconds,
        **{f"phase_{name}": one.phases.get(name) for name in PHASES},
    }


def _signatures(report: Report) -> Iterator[Row]:
    for function in report.functions:
        spent: dict[int | None, list[CompilationReport]] = {}
        for one in function.compilations_detail:
            spent.setdefault(one.signature, []).append(one)
        for signature in function.signatures:
            mine = spent.get(signature.id, [])
            yield {
                "function_id": function.id,
                "function": function.name,
                "signature_id": signature.id,
                "signature": signature.text,
                "calls": signature.calls,
                "hits": signature.hits,
                "first_call": signature.first_call,
                "compilations": sum(one.failed is None and one.layers[-1:] == ("compile",) for one in mine),
                "compile_seconds": sum((one.seconds for one in mine), 0.0),
            }


def _findings(report: Report) -> Iterator[Row]:
    for number, one in enumerate(report.findings, start=1):
        yield {
            "finding": number,
            "kind": one.kind,
            "paths": ", ".join(one.paths),
            "framework": one.framework,
            "function": one.name,
            "file": one.file,
            "line": one.line,
            "compilations": len(one.compilations),
            "seconds": one.seconds,
            "avoidable_seconds": one.avoidable_seconds,
            "sites": ", ".join(f"{site.file}:{site.line}" for site in one.sites),
            "values": sequence_text(one.values, limit=len(one.values)),
            "also": ", ".join(one.also),
            "fix": one.fix,
            "plan": plan_text(one.plan) if one.plan is not None else None,
            "evidence": one.evidence,
        }


_PHASE_COLUMNS: Final = tuple(f"phase_{name}" for name in PHASES)
_COLUMNS: Final[Mapping[TableName, tuple[str, ...]]] = {
    "compilations": (
        "compilation", "process", "framework", "function_id", "function", "file", "line", "program", "kind", "call",
        "start", "seconds", "wall_seconds", *_PHASE_COLUMNS, "recompile", "causes", "avoidable", "paths", "changes",
        "fix", "signature", "site_file", "site_line", "site_function", "persistent_cache", "under", "root", "inside",
        "framework_id", "failed", "label",
    ),
    "functions": (
        "function_id", "process", "framework", "function", "kind", "file", "line", "state", "calls", "hits",
        "dispatch_misses", "eager_fallbacks", "compiling_calls", "python_path_calls", "waited_calls", "failed_calls",
        "nested_calls", "signatures", "compilations", "recompilations", "compile_seconds", "recompile_seconds",
        *_PHASE_COLUMNS,
    ),
    "signatures": (
        "function_id", "function", "signature_id", "signature", "calls", "hits", "first_call", "compilations",
        "compile_seconds",
    ),
    "findings": (
        "finding", "kind", "paths", "framework", "function", "file", "line", "compilations", "seconds",
        "avoidable_seconds", "sites", "values", "also", "fix", "plan", "evidence",
    ),
}  # fmt: skip
