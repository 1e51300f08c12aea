"""A report held against a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from jitscope.analysis.advice import avoidable
from jitscope.analysis.grouping import SourceGroup, by_source
from jitscope.analysis.select import selector
from jitscope.model.budget import COUNTED, Budget, BudgetResult, LimitName, Limits, Offence, Rule
from jitscope.model.cause import CauseKind
from jitscope.model.events import SCHEMA
from jitscope.model.report import CompilationReport, FunctionReport, Note, Report

_HARMLESS = frozenset(
    {"history-aggregated", "idle-entry", "entry-unknown", "ran-eager", "jit-disabled", "signatures-forgotten"}
)
"""Notes that put no number in doubt which a limit is about; any other may."""

_ONLY: dict[str, frozenset[LimitName]] = {
    "fallbacks-unseen": frozenset({"max_eager_fallbacks"}),
    "fallback-between-threads": frozenset({"max_eager_fallbacks"}),
    "partly-eager": frozenset({"max_eager_fallbacks"}),
    "torch-modes": frozenset({"max_eager_fallbacks"}),
    "torch-stance": frozenset({"max_eager_fallbacks"}),
    "jax-disable-jit": frozenset({"max_eager_fallbacks"}),
    "jax-no-span-starts": frozenset({"max_compile_seconds"}),
    "torch-no-metrics": frozenset({"max_compile_seconds"}),
    "torch-no-callbacks": frozenset({"max_compile_seconds"}),
    "torch-backward": frozenset({"max_compile_seconds"}),
}
"""Notes that put only these limits in doubt."""


def evaluate(report: Report, budget: Budget) -> BudgetResult:
    """Hold ``report`` against ``budget``. Pure: the same two give the same result.

    Function objects of one source count as one function. A pattern's limits hold for each function that it fits.
    """
    groups = by_source(report.functions)
    rules = [*_rules(budget, groups, pattern=None)]
    for pattern, limits in budget.functions.items():
        fitting = [group for group in groups if fits(pattern, group.first)]
        for group in fitting:
            rules += _rules(limits, [group], pattern=pattern)
        if not fitting:
            rules += _unmatched(limits, pattern)
    doubts = _doubts(report, rules)
    over = any(rule.status == "over" for rule in rules)
    in_doubt = bool(doubts) or any(rule.status == "unmatched" for rule in rules)
    return BudgetResult(
        schema=SCHEMA,
        run=report.run.id,
        within=not over and not (budget.strict and in_doubt),
        strict=budget.strict,
        rules=tuple(rules),
        doubts=doubts,
        eager_op_compilations=report.totals.eager_op_compilations,
        select=_select(report, groups, rules),
    )


def fits(pattern: str, function: FunctionReport) -> bool:
    """Whether a budget's pattern fits a function: its qualified name, or what is left of that after any of its dots.

    A pattern with a dot may begin with the name of the function's file: ``train.Trainer.*`` fits ``Trainer.step`` in
    ``train.py``. ``*``, ``?`` and ``[...]`` are as in a shell; upper and lower case differ.
    """
    parts = function.name.split(".")
    names = [".".join(parts[start:]) for start in range(len(parts))]
    if "." in pattern and function.file:
        names.append(f"{PurePosixPath(function.file.replace(chr(92), '/')).stem}.{function.name}")
    return any(fnmatchcase(name, pattern) for name in names)


def _rules(limits: Limits, groups: Sequence[SourceGroup], *, pattern: str | None) -> Iterator[Rule]:
    """The limits held against the sums over ``groups``: all of a run, or the one that a pattern fits."""
    one = groups[0].first if pattern is not None else None
    for name in COUNTED:
        allowed = getattr(limits, name)
        if allowed is not None:
            actual = sum(_ACTUAL[name](member) for group in groups for member in group.members)
            offences = _offences(name, groups) if actual > allowed else []
            yield _rule(name, None, pattern, one, allowed, actual, offences)
    for kind in dict.fromkeys(limits.forbid):
        found = _having(groups, kind)
        yield _rule("forbid", kind, pattern, one, 0, len(found), found)


def _rule(
    limit: LimitName,
    kind: CauseKind | None,
    pattern: str | None,
    function: FunctionReport | None,
    allowed: float,
    actual: float,
    offences: Sequence[Offence],
) -> Rule:
    return Rule(
        limit=limit,
        kind=kind,
        pattern=pattern,
        name=function.name if function is not None else None,
        file=function.file if function is not None else "",
        line=function.line if function is not None else 0,
        allowed=allowed,
        actual=actual,
        status="over" if actual > allowed else "within",
        offences=tuple(offences),
    )


def _unmatched(limits: Limits, pattern: str) -> Iterator[Rule]:
    for name in COUNTED:
        if getattr(limits, name) is not None:
            yield Rule(name, None, pattern, None, "", 0, getattr(limits, name), 0, "unmatched", ())
    for kind in dict.fromkeys(limits.forbid):
        yield Rule("forbid", kind, pattern, None, "", 0, 0, 0, "unmatched", ())


def _avoidable(function: FunctionReport) -> int:
    return sum(one.recompile and avoidable(one.causes) for one in function.compilations_detail)


_ACTUAL: dict[LimitName, Callable[[FunctionReport], float]] = {
    "max_recompiles": lambda function: function.recompilations,
    "max_compilations": lambda function: function.compilations,
    "max_avoidable": _avoidable,
    "max_compile_seconds": lambda function: function.compile_seconds,
    "max_eager_fallbacks": lambda function: function.eager_fallbacks,
}

_COUNTS: dict[LimitName, Callable[[CompilationReport], bool]] = {
    "max_recompiles": lambda one: one.recompile,
    "max_compilations": lambda one: one.failed is None and one.layers[-1:] == ("compile",),
    "max_avoidable": lambda one: one.recompile and avoidable(one.causes),
    "max_compile_seconds": lambda one: one.seconds > 0,
    "max_eager_fallbacks": lambda one: any(cause.kind == "recompile_limit" for cause in one.causes),
}
"""Which compilations count for a limit; for eager calls, those that they come from."""


def _offences(limit: LimitName, groups: Sequence[SourceGroup]) -> list[Offence]:
    if limit == "max_eager_fallbacks":
        return _fallbacks(groups)
    found = _where(groups, _COUNTS[limit])
    if limit == "max_compile_seconds":
        found.sort(key=lambda one: -(one.compilation.seconds if one.compilation is not None else 0))
    return found


def _fallbacks(groups: Sequence[SourceGroup]) -> list[Offence]:
    """For each function that ran without compiled code: where that came from, then the calls themselves."""
    found: list[Offence] = []
    for group in groups:
        calls = sum(member.eager_fallbacks for member in group.members)
        if calls:
            first = group.first
            found += _where([group], _COUNTS["max_eager_fallbacks"])
            found.append(Offence(first.id, first.name, first.file, first.line, None, calls))
    return found


def _having(groups: Sequence[SourceGroup], kind: CauseKind) -> list[Offence]:
    return _where(groups, lambda one: any(cause.kind == kind for cause in one.causes))


def _where(groups: Sequence[SourceGroup], counts: Callable[[CompilationReport], bool]) -> list[Offence]:
    """The compilations that count, in the order of the recording."""
    found = [
        (one.id, Offence(member.id, member.name, member.file, member.line, one))
        for group in groups
        for member in group.members
        for one in member.compilations_detail
        if counts(one)
    ]
    return [offence for _, offence in sorted(found, key=lambda each: each[0])]


def _doubts(report: Report, rules: Sequence[Rule]) -> tuple[Note, ...]:
    limited = {rule.limit for rule in rules}
    doubts = [
        note
        for note in report.notes
        if note.slug not in _HARMLESS and (note.slug not in _ONLY or _ONLY[note.slug] & limited)
    ]
    if not report.functions:
        doubts.insert(0, Note("nothing-watched", "no function was watched in this run: there is nothing to limit"))
    return tuple(doubts)


def _select(report: Report, groups: Sequence[SourceGroup], rules: Sequence[Rule]) -> str | None:
    """What names the function with the most offences."""
    offending = Counter(offence.function for rule in rules for offence in rule.offences)
    worst = max(groups, key=lambda group: sum(offending[member.id] for member in group.members), default=None)
    return selector(report, worst) if worst is not None and offending else None
