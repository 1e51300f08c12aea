"""Which source functions of two runs are the same: by framework, name and file; their lines may have moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jitscope.analysis.grouping import SourceGroup

Pair = tuple[SourceGroup | None, SourceGroup | None]


def pair_functions(
    before: Sequence[SourceGroup], after: Sequence[SourceGroup], *, folders: tuple[str, str] = ("", "")
) -> list[Pair]:
    """Each function of either run once: with the same one of the other run, or with None.

    ``folders`` are those in which the programs ran: files in them are the same by their path within. Where several
    functions have one name and file (lambdas), the same place counts first, then what they were compiled for, then
    their order. What is left over is the same where only the folder of its file differs.
    """
    old, new = list(before), list(after)
    pairs: list[Pair] = []
    for key in (
        lambda group, folder: (*_named(group, folder), group.first.line, group.first.column),
        lambda group, folder: (*_named(group, folder), _compiled_for(group)),
        _named,
        lambda group, folder: (group.first.framework, group.first.name, _base(group.first.file)),
    ):
        pairs += _take(old, new, key, folders)
    return [*pairs, *((one, None) for one in old), *((None, one) for one in new)]


_Key = Callable[[SourceGroup, str], tuple[object, ...]]


def _take(old: list[SourceGroup], new: list[SourceGroup], key: _Key, folders: tuple[str, str]) -> list[Pair]:
    """Take out what has the same key, in the order of lines."""
    waiting: dict[tuple[object, ...], list[SourceGroup]] = {}
    for group in sorted(new, key=_place):
        waiting.setdefault(key(group, folders[1]), []).append(group)
    found: list[Pair] = []
    for group in sorted(old, key=_place):
        same = waiting.get(key(group, folders[0]))
        if same:
            other = same.pop(0)
            found.append((group, other))
            old.remove(group)
            new.remove(other)
    return found


def _place(group: SourceGroup) -> tuple[str, int, int, int]:
    return (group.first.file, group.first.line, group.first.column, group.first.id)


def _named(group: SourceGroup, folder: str) -> tuple[object, ...]:
    first = group.first
    file, within = first.file.replace("\\", "/"), folder.replace("\\", "/").rstrip("/") + "/"
    return (first.framework, first.name, file.removeprefix(within) if folder else file)


def _compiled_for(group: SourceGroup) -> frozenset[str]:
    return frozenset(known.text for member in group.members for known in member.signatures)


def _base(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1]
