"""One compilation in the text report: when, where, how long, what changed, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jitscope.model.cause import Cause, CauseKind
from jitscope.model.notation import cut
from jitscope.model.report import CompilationReport
from jitscope.render.numbers import seconds_text

if TYPE_CHECKING:
    from jitscope.render.page import Page  # rich, which not every format needs

CHANGES = 4
"""Changes of one compilation that are shown without ``all_``; the others are counted."""
_EVIDENCE = 240


def add_compilation(
    page: Page,
    one: CompilationReport,
    *,
    fix_shown: str | None = None,
    all_: bool = False,
    program: bool = False,
    process: str | None = None,
) -> None:
    """Add a compilation: one line for a first one, else a line for each thing that changed and the fix.

    ``fix_shown`` is the fix above: the same one is not repeated. ``all_`` shows every change.
    ``program`` names what was compiled: in a region, that can be anything. ``process`` is the process it was in, where
    there are several.
    """
    head: list[str | tuple[str, str]] = [(f"call {one.call}" if one.call is not None else "ahead of a call", "bold")]
    if one.under is not None:
        head = [(f"{head[0][0]} under {one.under}" if one.call is not None else f"under {one.under}", "bold")]
    if process is not None:
        head.insert(0, (f"{process} ", "bold"))
    if one.site is not None:
        head.append(f"  {one.site.text}")
    if program:
        head.append(f"  {one.program}")
    head.append((f"  {seconds_text(one.seconds)}", "yellow" if one.recompile else ""))
    if one.persistent_cache == "hit":
        head.append("  from the persistent cache")
    if one.layers and one.layers[-1] != "compile" and one.failed is None:
        head.append(f"  {' and '.join(one.layers)} only, nothing compiled")
    changes = change_lines(one.causes)
    if len(changes) > CHANGES + 1 and not all_:
        changes = [*changes[:CHANGES], f"… {len(changes) - CHANGES} more changes with --all"]
    if _is_first(one):
        page.add(*head, f"  {changes[0]}", indent=3, hang=2)
        return
    page.add(*head, indent=3, hang=2)
    for change in changes:
        page.add(change, indent=5, hang=2)
    if one.failed is not None and not any(cause.kind == "recompile_limit" for cause in one.causes):
        page.add(("failed: ", "red"), cut(one.failed, _EVIDENCE), indent=5, hang=2)
    if one.fix is not None and one.fix != fix_shown:
        page.add(("fix: ", "green"), one.fix, indent=5, hang=2)


def change_texts(one: CompilationReport) -> list[str]:
    """What changed, a line each."""
    return change_lines(one.causes)


def _is_first(one: CompilationReport) -> bool:
    kinds = [cause.kind for cause in one.causes]
    return kinds in (["first_compile"], ["backward"]) and one.failed is None


def change_lines(causes: Sequence[Cause]) -> list[str]:
    """What changed, a line each; causes with the same two texts share one: ``x: f32[4] → bf16[8] (shape, dtype)``."""
    merged: dict[tuple[str | None, str | None, str | None, str | None], list[CauseKind]] = {}
    for cause in causes:
        # Evidence tells causes apart only where there is nothing else to show.
        evidence = cause.evidence if cause.old is None and cause.new is None else None
        merged.setdefault((cause.path, cause.old, cause.new, evidence), []).append(cause.kind)
    return [_line(*key, kinds) for key, kinds in merged.items()]


def _line(path: str | None, old: str | None, new: str | None, evidence: str | None, kinds: Sequence[CauseKind]) -> str:
    kind = kinds[0]
    match kind:
        case "first_compile":
            return "first compile"
        case "backward":
            return "backward"
        case "graph_break":
            return f"the rest of {path} after a graph break (graph_break)"
        case "new_function":
            return "another function object of the same source (new_function)"
        case "recompile_limit":
            return f"gave up: {cut(evidence or '', _EVIDENCE)} (recompile_limit)"
        case "unknown" if old is None and new is None:
            subject = f"{path}: " if path is not None else ""
            return f"{subject}{cut(evidence or 'no difference found', _EVIDENCE)} (unknown)"
    subject = f"{path}: " if path is not None else ""
    if old is None and new is None:
        said = f": {cut(evidence, _EVIDENCE)}" if evidence else ""
        return f"{f'{path} changed' if path else 'changed'}{said} ({', '.join(kinds)})" if path else _TOLD[kind]
    return f"{subject}{_side(old)} → {_side(new)} ({', '.join(kinds)})"


_TOLD: dict[CauseKind, str] = {
    "cache_cleared": "compiled before, and cleared from the cache since (cache_cleared)",
    "cache_evicted": "compiled before, and dropped by the cache since (cache_evicted)",
    "nested_first": "compiled only inside another function so far (nested_first)",
}


def _side(text: str | None) -> str:
    return "absent" if text is None else cut(text, 100)
