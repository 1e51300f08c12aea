"""Programs that were compiled by themselves: eager operations, and functions that nobody watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from jitscope.model.events import CompilationEvent
from jitscope.model.first_call import EagerPrograms

SITES = 5
"""Call sites that are told of a program."""


def is_alone(one: CompilationEvent) -> bool:
    """Whether a program was compiled by itself.

    In a region everything is the region's, the frameworks' own programs too.
    """
    return one.library or (one.function is None and one.under is None)


def eager_programs(compilations: Iterable[CompilationEvent]) -> tuple[EagerPrograms, ...]:
    """By name, the costliest first."""
    groups: dict[tuple[str, bool], list[CompilationEvent]] = {}
    for one in compilations:
        groups.setdefault((one.program, one.library), []).append(one)
    found = [
        EagerPrograms(
            name=name,
            count=len(group),
            seconds=sum(one.seconds for one in group),
            library=library,
            sites=tuple(
                site for site, _ in Counter(one.site for one in group if one.site is not None).most_common(SITES)
            ),
        )
        for (name, library), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.seconds, one.name)))
