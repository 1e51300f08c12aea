"""The labels in the text report: the tests or cells in which most time went into compiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitscope.model.report import LabelReport, Report
from jitscope.render.numbers import count_text, ratio_text, seconds_text

if TYPE_CHECKING:
    from jitscope.render.page import Page  # rich, which not every format needs

LABELS = 5
"""Labels shown without ``all_``."""


def add_labels(page: Page, report: Report, *, all_: bool = False) -> None:
    """Add the labels under which something was compiled, the costliest first; with ``all_`` every label."""
    if not report.labels:
        return
    order = sorted(report.labels, key=lambda one: -label_seconds(one))
    compiled = [one for one in order if label_compilations(one) or label_seconds(one)]
    shown = order if all_ else compiled[:LABELS]
    page.blank()
    page.add(("by label, the costliest first", "bold"))
    for one in shown:
        style = "bold" if one.text is not None else "dim"
        page.add(
            (seconds_text(label_seconds(one)), "yellow"), "  ", (one.text or "under no label", style),
            f"  {label_counts(one)}", indent=2, hang=2,
        )  # fmt: skip
    if not shown:
        page.add("nothing was compiled under any of them", indent=2, hang=2)
    hidden = len(order) - len(shown)
    if hidden:
        rest = len(compiled) - len(shown)
        which = f", {rest} of them with compilations" if rest > 0 else ", nothing compiled"
        page.add(f"{count_text(hidden, 'more label')} with --all{which}", indent=2, hang=2)


def label_compilations(one: LabelReport) -> int:
    """Everything that was compiled under a label."""
    return one.compilations + one.unwatched_compilations + one.eager_op_compilations


def label_seconds(one: LabelReport) -> float:
    """What that took."""
    return one.compile_seconds + one.unwatched_compile_seconds + one.eager_op_compile_seconds


def label_counts(one: LabelReport) -> str:
    """``3 compilations, 2 again · hits 4 / 7 (57.1%)``."""
    again = f", {one.recompilations} again" if one.recompilations else ""
    parts = [f"{count_text(one.compilations, 'compilation')}{again}"]
    if one.unwatched_compilations:
        parts.append(f"{one.unwatched_compilations} not watched")
    if one.eager_op_compilations:
        parts.append(count_text(one.eager_op_compilations, "eager operation"))
    if one.calls:
        parts.append(f"hits {ratio_text(one.hits, one.calls)}")
    if one.entered > 1:
        parts.append(f"{one.entered} times")
    return " · ".join(parts)
