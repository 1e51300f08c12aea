"""What caches on disk did: a part of the report, and lines of a compilation's story."""

from __future__ import annotations

from collections.abc import Mapping

from jitscope.model.caching import CACHE_NAMES
from jitscope.model.report import CacheOutcome, CacheReport, CompilationReport, Report
from jitscope.render.cache_words import WORTH, told_caches
from jitscope.render.numbers import count_text, ratio_text, seconds_text
from jitscope.render.page import Page

REASONS = 3
"""Reasons of one cache that are shown."""
Part = str | tuple[str, str]


def add_caches(page: Page, report: Report) -> None:
    """Add what each cache on disk did."""
    for one in told_caches(report):
        _cache(page, one)
    if any(one.misses for one in report.caches):
        page.add(("which part of a key changed since another run: jitscope cache why", "dim"), indent=2, hang=2)


def _cache(page: Page, one: CacheReport) -> None:
    asked = one.hits + one.misses + one.bypassed
    title = CACHE_NAMES.get(one.name, one.name)
    if not asked:
        reason = next(iter(one.reasons), None)
        page.add((f"{title}: ", "bold"), reason or "not known", hang=2)
        return
    style = "green" if one.hits == asked else "yellow"
    parts: list[Part] = [(f"{title}: ", "bold"), ("found ", ""), (ratio_text(one.hits, asked), style)]
    if one.seconds:
        parts.append(f" · {seconds_text(one.seconds)} looking and reading")
    if one.write_seconds:
        parts.append(f", {seconds_text(one.write_seconds)} writing")
    if one.hits and one.name != "triton":
        parts.append(f" · {_saved(one)}" + (", Inductor's included" if one.name == "aot_autograd" else ""))
    page.add(*parts, hang=2)
    if one.rest_seconds:
        rest = sum(one.rest_seconds.values())
        page.add(
            f"what was found took {seconds_text(rest)} more all the same: {_phases(one.rest_seconds)}; "
            + ("tracing and lowering are not cached" if one.name == "jax" else "Dynamo's part is not cached"),
            indent=2, hang=2,
        )  # fmt: skip
    if one.hits and one.name == "fx_graph" and one.seconds >= WORTH:
        page.add(
            "reading loads the kernels: on a CPU, C++ code whose library is gone from the folder is built anew",
            indent=2, hang=2,
        )  # fmt: skip
    for reason, count in list(one.reasons.items())[:REASONS]:
        page.add(f"{count}×  {reason}", indent=2, hang=4)
    for reason, count in list(one.unwritten.items())[:REASONS]:
        page.add((f"{count}×  not written: ", "yellow"), reason, indent=2, hang=4)


def _saved(one: CacheReport) -> str:
    if one.saved_unknown == 0:
        return f"saved {seconds_text(one.saved_seconds)}" if one.saved_seconds > 0 else _lost(one.saved_seconds)
    least = max(one.saved_at_least, 0.0)
    if least == 0.0:
        return "saved an unknown time"
    return f"saved at least {seconds_text(least)} ({_cut(one.saved_unknown)})"


def _cut(count: int) -> str:
    return f"{count_text(count, 'entry', 'entries')} stored without fractions of a second"


def _lost(seconds: float) -> str:
    return f"reading took {seconds_text(-seconds)} longer than compiling had" if seconds < 0 else "saved nothing"


def _phases(phases: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {seconds_text(seconds)}" for name, seconds in phases.items())


def outcome_lines(detail: CompilationReport) -> list[list[Part]]:
    """A compilation's lookups, one line each."""
    return [_outcome(one) for one in detail.caches]


_RESULTS = {
    "hit": ("found", "green"),
    "miss": ("not found", "yellow"),
    "bypass": ("not cached", "yellow"),
    "off": ("off", "dim"),
    "unknown": ("unknown", "dim"),
}


def _outcome(one: CacheOutcome) -> list[Part]:
    word, style = _RESULTS[one.result]
    title = CACHE_NAMES.get(one.cache, one.cache) + (" (backward)" if one.backward else "")
    parts: list[Part] = [f"{title}: ", (word, style)]
    if one.result == "hit" and one.read_seconds is not None:
        included = ", Inductor's included" if one.cache == "aot_autograd" else ""
        parts.append(f", read in {seconds_text(one.read_seconds)}, {_saved_by(one)}{included}")
    if one.written:
        took = f" in {seconds_text(one.write_seconds)}" if one.write_seconds is not None else ""
        parts.append(f", written{took}")
    if one.why is not None:
        parts.append(f": {one.why}")
    return parts


def _saved_by(one: CacheOutcome) -> str:
    if one.saved_seconds is not None:
        source = "" if one.saved_from == "entry" else ", measured when the entry was made"
        told = f"saved {seconds_text(one.saved_seconds)}" if one.saved_seconds > 0 else _lost(one.saved_seconds)
        return told + source
    if one.saved_at_most is not None and one.saved_at_least is not None:
        least = max(one.saved_at_least, 0.0)
        return (
            f"saved between {seconds_text(least)} and {seconds_text(one.saved_at_most)} (the entry has whole seconds)"
        )
    return "saved an unknown time"
