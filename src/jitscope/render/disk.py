"""Caches on disk for a terminal: their entries, and their sums."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence

from jitscope.analysis.disk_sums import seconds_of
from jitscope.model.disk import KIND_WORDS, DiskEntry, DiskFolder, DiskListing, DiskSums, FolderSums, KindSums
from jitscope.render.listing import bytes_text
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.page import Page, terminal_color, terminal_width

ENTRIES = 15
"""Entries of one folder shown without ``all_``."""
PROGRAMS = ("jax", "fx_graph", "aot_autograd", "triton")
"""Kinds that are listed one by one; the others are summed up without ``all_``."""

Part = str | tuple[str, str]

_ORDERS: dict[str, Callable[[DiskEntry], object]] = {
    "use": lambda one: -(one.used or one.modified),
    "size": lambda one: -one.bytes,
    "saved": lambda one: -(seconds_of(one) or 0.0),
    "name": lambda one: (_name(one), one.key),
}


def render_disk_listing(
    listing: DiskListing,
    *,
    sort: str = "use",
    all_: bool = False,
    now: float | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> str:
    """Write ``listing``; ``width`` and ``color`` are as for `render_text`. ``now``: seconds since 1970."""
    page = Page(terminal_width() if width is None else width)
    moment = time.time() if now is None else now
    hidden = 0
    for number, folder in enumerate(listing.folders):
        if number:
            page.blank()
        hidden += _folder(page, folder, sort, moment, all_=all_)
    page.blank()
    if hidden:
        page.add(f"{count_text(hidden, 'more entry', 'more entries')} with --all")
    broken = any(entry.problem is not None for folder in listing.folders for entry in folder.entries)
    page.add((_next(listing, broken=broken), "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def _next(listing: DiskListing, *, broken: bool) -> str:
    if broken:
        return "jitscope cache verify"
    readable = [folder for folder in listing.folders if folder.entries]
    if not readable:
        return "jitscope cache --help"
    where = f" {shlex.quote(readable[0].path)}" if len(listing.folders) == 1 else ""
    return f"jitscope cache prune{where} --older-than 30d"


_KINDS = {"jax": "JAX", "torch": "Inductor", "triton": "Triton"}


def _head(page: Page, folder: DiskFolder | FolderSums, entries: int) -> None:
    page.add(
        (folder.path, "bold"),
        f"  {_KINDS.get(folder.kind, folder.kind)}, {folder.source} · "
        f"{count_text(entries, 'entry', 'entries')}, {bytes_text(folder.bytes)}",
        hang=2,
    )
    if folder.error is not None:
        page.add((folder.error, "red"), indent=2, hang=2)
    if folder.strangers:
        page.add((f"{count_text(folder.strangers, 'other file')}, left alone", "dim"), indent=2, hang=2)


def _folder(page: Page, folder: DiskFolder, sort: str, now: float, *, all_: bool) -> int:
    _head(page, folder, len(folder.entries))
    ordered = sorted(folder.entries, key=_ORDERS[sort])  # type: ignore[arg-type]
    listed = [one for one in ordered if all_ or one.kind in PROGRAMS]
    shown = listed if all_ else listed[:ENTRIES]
    for one in shown:
        _entry(page, one, now)
    rest = [one for one in ordered if one.kind not in PROGRAMS] if not all_ else []
    for kind in dict.fromkeys(one.kind for one in rest):
        same = [one for one in rest if one.kind == kind]
        size = bytes_text(sum(one.bytes for one in same))
        page.add(f"{KIND_WORDS[kind]}: {count_text(len(same), 'entry', 'entries')}, {size}", indent=2, hang=2)
    return len(listed) - len(shown)


def _name(one: DiskEntry) -> str:
    return one.function or one.program or ""


def _entry(page: Page, one: DiskEntry, now: float) -> None:
    kind = KIND_WORDS[one.kind] if one.kind != "jax" else ""
    if one.kind == "jax" and one.function is not None and one.program != f"jit_{one.function}":
        kind = one.program or ""
    parts: list[Part] = [(_name(one), "cyan"), ("  " if _name(one) and kind else ""), kind]
    parts.append(f"  {bytes_text(one.bytes)} · made {age_text(now - one.modified)} ago")
    if one.used is not None:
        about = "about " if one.used_by == "file system" else ""
        parts.append(f", read {about}{age_text(now - one.used)} ago")
    saves = _saves(one)
    if saves:
        parts.append(f" · {saves}")
    if one.run is not None:
        parts.append((f" · run {one.run}", "dim"))
    if one.problem is not None:
        parts.append((f" · broken: {one.problem}", "red"))
    page.add(*parts, indent=2, hang=2)
    page.add((short_key(one.key), "dim"), indent=4, wrap=False)


def short_key(key: str) -> str:
    """A key as people see it. JAX's keys end in 64 digits of a hash: the first ones tell them apart."""
    head, dash, digest = key.rpartition("-")
    return f"{head}-{digest[:12]}…" if dash and len(digest) == 64 else key


def _saves(one: DiskEntry) -> str:
    if one.measured is not None:
        return f"compiling took {seconds_text(one.measured)}"
    if one.seconds is None:
        return ""
    if not one.whole_seconds:
        return f"compiling took {seconds_text(one.seconds)}"
    return f"compiling took {int(one.seconds)} to {int(one.seconds) + 1} s" if one.seconds else "compiling took < 1 s"


def age_text(seconds: float) -> str:
    """``40 s``, ``3 min``, ``5 h``, ``12 days``."""
    for size, unit in ((86400.0, "day"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "day"):
            count = int(seconds / size)
            return count_text(count, unit) if unit == "day" else f"{count} {unit}"
    return f"{max(int(seconds), 0)} s"


def render_disk_sums(
    sums: DiskSums, *, now: float | None = None, width: int | None = None, color: bool | None = None
) -> str:
    """Write ``sums``; arguments as for `render_disk_listing`."""
    page = Page(terminal_width() if width is None else width)
    moment = time.time() if now is None else now
    for number, folder in enumerate(sums.folders):
        if number:
            page.blank()
        _head(page, folder, folder.entries)
        for kind in folder.kinds:
            page.add(*_sum(kind, moment), indent=2, hang=4)
    page.blank()
    page.add(("jitscope cache ls", "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def _sum(kind: KindSums, now: float) -> Sequence[Part]:
    parts: list[Part] = [
        (f"{KIND_WORDS[kind.kind]}: ", "bold"),
        f"{count_text(kind.entries, 'entry', 'entries')}, {bytes_text(kind.bytes)}, "
        f"made {age_text(now - kind.newest)} to {age_text(now - kind.oldest)} ago"
        if kind.entries > 1
        else f"1 entry, {bytes_text(kind.bytes)}, made {age_text(now - kind.newest)} ago",
    ]
    if kind.entries > kind.seconds_unknown:
        least = "at least " if kind.at_least or kind.seconds_unknown else ""
        parts.append(f" · compiling took {least}{seconds_text(kind.seconds)}")
    if kind.recorded:
        parts.append(f" · {kind.recorded} asked for by recorded runs")
    if kind.broken:
        parts.append((f" · {kind.broken} broken", "red"))
    return parts
