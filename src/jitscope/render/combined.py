"""The processes or ranks of a run beside each other, for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from jitscope.model.combined import Combined, CombinedFunction, Divergence, ProcessSummary
from jitscope.model.notation import cut
from jitscope.render.numbers import count_text, ratio_text, seconds_text
from jitscope.render.page import Page, terminal_color, terminal_width

PROCESSES = 16
FUNCTIONS = 8
DIVERGENCES = 8
NOTES = 8
"""Most of each that are shown."""
_NAMED = 6
"""Most processes that a line names."""


def render_combined(
    combined: Combined, *, width: int | None = None, color: bool | None = None, written: str | None = None
) -> str:
    """Write ``combined`` as lines of at most ``width`` columns; ``width`` and ``color`` are as for `render_text`.

    ``written`` is where the combined recording is, None where it was not kept.
    """
    page = Page(terminal_width() if width is None else width)
    _head(page, combined)
    page.blank()
    several = len({one.info.host for one in combined.processes}) > 1
    slowest = combined.processes[combined.slowest] if combined.slowest is not None else None
    for one in _shown(combined):
        _process(page, one, slowest=one is slowest, host=several)
    hidden = len(combined.processes) - PROCESSES
    if hidden > 0:
        page.add(f"… {count_text(hidden, 'more process', 'more processes')}; all with --format json", indent=2)
    _divergences(page, combined)
    functions = [one for one in combined.functions if one.compilations or one.calls]
    if functions:
        page.blank()
        page.add(("functions", "bold"))
    for number, function in enumerate(functions[:FUNCTIONS], start=1):
        _function(page, number, function, combined)
    if len(functions) > FUNCTIONS:
        page.add(f"{count_text(len(functions) - FUNCTIONS, 'more function')} with --format json")
    if combined.notes:
        page.blank()
    for note in combined.notes[:NOTES]:
        page.add(("note: ", "yellow"), note.text, (f" ({note.slug})", "dim"), hang=2)
    if len(combined.notes) > NOTES:
        page.add(f"{count_text(len(combined.notes) - NOTES, 'more note')} with --format json")
    page.blank()
    page.add((_next(combined, written), "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def _head(page: Page, combined: Combined) -> None:
    totals = combined.totals
    compiling = totals.compile_seconds + totals.eager_op_compile_seconds
    parts: list[str | tuple[str, str]] = [f"{count_text(len(combined.processes), 'process', 'processes')}, "]
    if combined.wall_seconds is not None:
        parts.append(f"{seconds_text(combined.wall_seconds)} from first start to last end, ")
    parts.append((f"{seconds_text(compiling)} compiling in all", "bold"))
    if combined.slowest is not None and len(combined.processes) > 1:
        slowest = combined.processes[combined.slowest]
        longest = slowest.totals.compile_seconds + slowest.totals.eager_op_compile_seconds
        parts.append(f" · most in {slowest.label}: {seconds_text(longest)}")
    page.add(*parts, hang=2)
    if totals.compilations:
        first = totals.compilations - totals.recompilations
        page.add(
            f"{count_text(totals.compilations, 'compilation')}: {first} first of their process, "
            f"{totals.recompilations} again · {seconds_text(totals.compile_seconds)}, "
            f"of which again {seconds_text(totals.recompile_seconds)}",
            hang=2,
        )
    argv = cut(" ".join(combined.argv), 60)
    page.add((" · ".join(text for text in (argv, f"run {combined.program}") if text), "dim"), hang=2)


def _shown(combined: Combined) -> Sequence[ProcessSummary]:
    """Not all of very many: the first ones, and the slowest."""
    shown = list(combined.processes[:PROCESSES])
    if combined.slowest is not None and combined.slowest >= PROCESSES:
        shown[-1] = combined.processes[combined.slowest]
    return shown


def _process(page: Page, one: ProcessSummary, *, slowest: bool, host: bool) -> None:
    totals, info = one.totals, one.info
    wall = f"{seconds_text(info.wall_seconds)}, " if info.wall_seconds is not None else ""
    least = "" if info.ended else "at least "
    again = f", {totals.recompilations} again" if totals.recompilations else ""
    compiled = f"{count_text(totals.compilations, 'compilation')}{again}, {seconds_text(totals.compile_seconds)}"
    eager = ""
    if totals.eager_op_compilations:
        eager = f" · not watched {totals.eager_op_compilations}, {seconds_text(totals.eager_op_compile_seconds)}"
    page.add(
        (one.label, "bold cyan" if slowest else "cyan"),
        f"  {least}{wall}{count_text(totals.calls, 'call')}, hits {ratio_text(totals.hits, totals.calls)} · "
        f"{compiled}{eager}",
        "" if info.ended else (" · no end", "magenta"),
        (" · its last line is cut off", "magenta") if info.torn else "",
        (f" · {info.host}" if host else "", "dim"),
        indent=2,
        hang=2,
    )


def _divergences(page: Page, combined: Combined) -> None:
    found = combined.divergences
    if len(combined.processes) < 2:
        return
    page.blank()
    if not found:
        page.add("every function was compiled for the same signatures in all processes that are comparable", hang=2)
        return
    page.add(("not the same in all processes, the costliest first", "bold"))
    for number, one in enumerate(found[:DIVERGENCES], start=1):
        _divergence(page, number, one, combined)
    if len(found) > DIVERGENCES:
        rest = found[DIVERGENCES:]
        seconds = seconds_text(sum(one.seconds for one in rest))
        page.add(f"{count_text(len(rest), 'more difference')}, {seconds}, with --format json")


def _divergence(page: Page, number: int, one: Divergence, combined: Combined) -> None:
    name = one.name.rpartition("<locals>.")[2]
    under = f"under {one.under}" if one.under is not None else ""
    # A region compiles programs by other names.
    program = one.program if one.program not in (name, f"jit({name})") else ""
    page.add(
        f"{number}. ",
        (seconds_text(one.seconds), "yellow"),
        "  ",
        (name, "bold"),
        "  ".join(["", *filter(None, (_place(one), program, under))]),
        hang=3,
    )
    page.add(one.signature or "a signature that was not read", indent=3, hang=2)
    often = {one.compilations[n] for n in one.compiled_by if n in one.compilations}
    by = _labels(one.compiled_by, combined)
    if one.missing_in:
        met = [n for n in one.missing_in if n not in one.never_met]
        parts = [f"compiled by {by}"]
        parts += [f"not by {_labels(met, combined)}"] if met else []
        parts += [f"never called in {_labels(one.never_met, combined)}"] if one.never_met else []
        page.add(" · ".join(parts), indent=3, hang=2)
    if len(often) > 1:
        counts = [f"{_label(n, combined)} {one.compilations[n]}×" for n in one.compiled_by[:_NAMED]]
        page.add(f"not as often: {', '.join(counts)}", indent=3, hang=2)
    causes = ", ".join(one.causes)
    sites = ", ".join(dict.fromkeys(site.text for site in one.sites[:3]))
    why = " · ".join(text for text in (f"why: {causes}" if causes else "", f"at {sites}" if sites else "") if text)
    if why:
        page.add((why, "dim"), indent=3, hang=2)


def _function(page: Page, number: int, one: CombinedFunction, combined: Combined) -> None:
    several = len(one.processes) > 1
    page.add(
        f"{number}. ",
        (one.name, "bold"),
        f"  {_place(one)}  {seconds_text(one.compile_seconds)} compiling"
        + (
            f", most in {_label(one.slowest, combined)}: {seconds_text(one.slowest_seconds)}"
            if several and one.compilations
            else f" in {_label(one.slowest, combined)}"
            if len(combined.processes) > 1 and not several
            else ""
        ),
        hang=3,
    )
    again = f", {one.recompilations} again {seconds_text(one.recompile_seconds)}" if one.recompilations else ""
    where = f" in {count_text(len(one.processes), 'process', 'processes')}" if several else ""
    page.add(
        f"{count_text(one.calls, 'call')}{where} · hits {ratio_text(one.hits, one.calls)} · "
        f"{count_text(one.compilations, 'compilation')}{again}",
        indent=3,
        hang=2,
    )


def _place(one: CombinedFunction | Divergence) -> str:
    return f"{one.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{one.line}" if one.file else ""


def _label(position: int, combined: Combined) -> str:
    return combined.processes[position].label


def _labels(positions: Sequence[int], combined: Combined) -> str:
    """``ranks 0 to 3 and 5``; other processes by name."""
    ranks = [combined.processes[n].info.rank for n in positions]
    if len(positions) > 1 and all(rank is not None for rank in ranks):
        return f"ranks {_ranges([rank for rank in ranks if rank is not None])}"
    names = [_label(n, combined) for n in positions[:_NAMED]]
    more = f" and {len(positions) - _NAMED} more" if len(positions) > _NAMED else ""
    return ", ".join(names) + more


def _ranges(ranks: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for rank in sorted(ranks):
        if spans and rank == spans[-1][-1] + 1:
            spans[-1].append(rank)
        else:
            spans.append([rank])
    texts = [f"{span[0]} to {span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans]
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more


def _next(combined: Combined, written: str | None) -> str:
    if written is not None:
        return f"jitscope report {shlex.quote(written)}"
    return f"jitscope combine {shlex.quote(combined.program)} -o combined.jsonl"
