"""Functions made from the same source, taken together: the lambda that a loop makes anew each time."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jitscope.model.report import CompilationReport, FamilyReport, FunctionReport


class SourceGroup(msgspec.Struct, frozen=True):
    """The functions of one source, in the order in which they were made; usually one."""

    members: tuple[FunctionReport, ...]

    @property
    def first(self) -> FunctionReport:
        """The one that was made first: name, file and line are those of all."""
        return self.members[0]

    @property
    def recompile_seconds(self) -> float:
        """Time lost to recompiling."""
        return sum(one.recompile_seconds for one in self.members)

    @property
    def compile_seconds(self) -> float:
        """Time spent compiling, recompiling included."""
        return sum(one.compile_seconds for one in self.members)

    @property
    def processes(self) -> tuple[int, ...]:
        """Of a combined recording: positions of the processes that have one of them."""
        return tuple(sorted({one.process for one in self.members if one.process is not None}))

    @property
    def families(self) -> tuple[FamilyReport, ...]:
        """The families of all; what several processes have alike is one, with the most signatures that one has."""
        found: list[FamilyReport] = []
        known: dict[str, int] = {}
        by_process: dict[int | None, list[FamilyReport]] = {}
        for one in self.members:
            by_process.setdefault(one.process, []).extend(one.families)
        for process, members in by_process.items():
            for family in members:
                same = known.get(family.text) if process else None
                known.setdefault(family.text, len(found))
                if same is None:
                    found.append(family)
                    continue
                before = found[same]
                count = max(before.signatures, family.signatures)
                found[same] = FamilyReport(family.text, count, before.compile_seconds + family.compile_seconds)
        return tuple(found)

    @property
    def details(self) -> tuple[CompilationReport, ...]:
        """The compilations of all, in the order of the recording."""
        return tuple(sorted((detail for one in self.members for detail in one.compilations_detail), key=lambda d: d.id))


def by_source(functions: Sequence[FunctionReport]) -> tuple[SourceGroup, ...]:
    """Group functions by source, those that lost most time first."""
    groups: dict[tuple[object, ...], list[FunctionReport]] = {}
    for function in functions:
        own = None if function.file else function.id
        key = (function.framework, function.file, function.line, function.column, function.name, own)
        groups.setdefault(key, []).append(function)
    found = [SourceGroup(tuple(sorted(members, key=lambda one: one.id))) for members in groups.values()]
    return tuple(sorted(found, key=lambda group: (-group.recompile_seconds, -group.compile_seconds, group.first.id)))
