"""What became of a cache's entries: deleted, kept, broken."""

from __future__ import annotations

from collections import Counter

from jitscope.model.disk import KIND_WORDS, CacheChecks, CachePruning, CachePrunings, DiskEntry
from jitscope.render.disk import short_key
from jitscope.render.listing import bytes_text
from jitscope.render.numbers import count_text
from jitscope.render.page import Page, terminal_color, terminal_width

NAMED = 10
"""Entries that are named without ``all_``."""


def render_cache_pruning(
    value: CachePrunings, *, all_: bool = False, width: int | None = None, color: bool | None = None
) -> str:
    """Write what was deleted, or would be; arguments as for `render_text`."""
    page = Page(terminal_width() if width is None else width)
    done = "would delete" if value.dry_run else "deleted"
    for folder in value.folders:
        _pruned(page, folder, done, all_=all_)
    if value.dry_run and any(folder.deleted for folder in value.folders):
        page.add(("nothing was deleted: the same command with --yes does it", "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def _pruned(page: Page, folder: CachePruning, done: str, *, all_: bool) -> None:
    gone = folder.deleted
    size = bytes_text(sum(one.bytes for one in gone))
    page.add(
        (folder.path, "bold"),
        f"  {done} {count_text(len(gone), 'entry', 'entries')}, {size}; "
        f"{bytes_text(folder.left)} {'would stay' if done != 'deleted' else 'stayed'}",
        hang=2,
    )
    for one in gone if all_ else gone[:NAMED]:
        page.add((f"{done} ", "yellow"), _label(one), indent=2, hang=2)
    if len(gone) > NAMED and not all_:
        page.add(f"… {len(gone) - NAMED} more with --all", indent=2)
    for why, count in Counter(one.why for one in folder.kept).items():
        page.add(("kept ", "green"), f"{count_text(count, 'entry', 'entries')}: {why}", indent=2, hang=2)


def _label(one: DiskEntry) -> str:
    name = one.function or one.program
    return f"{name + '  ' if name else ''}{KIND_WORDS[one.kind]}  {bytes_text(one.bytes)}  {short_key(one.key)}"


def render_cache_checks(value: CacheChecks, *, width: int | None = None, color: bool | None = None) -> str:
    """Write what is broken; arguments as for `render_text`."""
    page = Page(terminal_width() if width is None else width)
    for folder in value.folders:
        page.add(
            (folder.path, "bold"),
            f"  {count_text(folder.checked, 'entry', 'entries')} checked, ",
            (f"{len(folder.broken)} broken", "red" if folder.broken else "green"),
            hang=2,
        )
        for one in folder.broken:
            page.add((f"{one.problem}: ", "red"), one.files[0] if one.files else one.key, indent=2, hang=2)
        for why, count in folder.unchecked.items():
            page.add((f"{count} not checked: {why}", "dim"), indent=2, hang=2)
    if any(folder.broken for folder in value.folders):
        page.add("each process compiles anew where it can't read an entry, and JAX replaces none: delete these files")
    return page.text(color=terminal_color() if color is None else color)
