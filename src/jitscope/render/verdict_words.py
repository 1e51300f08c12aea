"""What the top of a report says, in words that all formats share."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.verdict import verdict_of
from jitscope.model.notation import cut, printable
from jitscope.model.report import Report, RunInfo, Totals
from jitscope.render.numbers import count_text, ratio_text, seconds_text, share_text

_PROGRAM = 60
"""Characters of the program's command line that are shown."""


def verdict_parts(report: Report) -> list[str | tuple[str, str]]:
    """``20.0 s, 39% compiling, 89% of that recompiling · hits 487 / 497 (97.99%)``, as parts with styles."""
    verdict = verdict_of(report)
    parts: list[str | tuple[str, str]] = []
    if verdict.wall_seconds is not None:
        parts.append(f"{'at least ' if verdict.at_least else ''}{seconds_text(verdict.wall_seconds)}, ")
    if not verdict.compilations and not verdict.compiling_seconds:
        parts.append("nothing compiled")
    elif verdict.compiling_share is None:
        parts.append((f"{seconds_text(verdict.compiling_seconds)} compiling", "bold"))
    else:
        parts.append((f"{share_text(verdict.compiling_share)} compiling", "bold"))
    if verdict.recompiling_share:
        parts += [", ", (f"{share_text(verdict.recompiling_share)} of that recompiling", "bold red")]
    parts.append(f" · hits {ratio_text(verdict.hits, verdict.calls)}")
    return parts


def verdict_text(report: Report) -> str:
    """The verdict in one line, without styles."""
    return printable("".join(part if isinstance(part, str) else part[0] for part in verdict_parts(report)))


def totals_text(totals: Totals) -> str:
    """``7 compilations: 1 first, 6 again (6 avoidable) · 14.0 s, of which again 12.0 s``."""
    first = totals.compilations - totals.recompilations
    avoidable = totals.avoidable_recompilations
    return (
        f"{count_text(totals.compilations, 'compilation')}: {first} first, {totals.recompilations} again"
        + (f" ({avoidable} avoidable)" if avoidable else "")
        + f" · {seconds_text(totals.compile_seconds)}, of which again {seconds_text(totals.recompile_seconds)}"
    )


def context_texts(run: RunInfo) -> list[str]:
    """What ran, with which versions, where: what is known of it."""
    rank = None if run.rank is None else f"rank {run.rank}" + (f" of {run.world_size}" if run.world_size else "")
    versions = [f"{name} {run.versions[name]}" for name in ("jax", "torch") if name in run.versions]
    program = cut(" ".join(run.argv), _PROGRAM) if run.argv else None
    several = count_text(len(run.processes), "process", "processes") if run.processes else None
    shown = [program, *versions, rank, _devices(run.devices), several, f"run {run.id}"]
    return [text for text in shown if text]


def _devices(devices: Sequence[str]) -> str | None:
    if len(devices) > 2:
        return f"{devices[0]} … {count_text(len(devices), 'device')}"
    return ", ".join(devices) or None
