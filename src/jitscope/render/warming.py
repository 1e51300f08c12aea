"""A warm-up for a terminal: how much is ready, then each signature, then what to do about the rest."""

from __future__ import annotations

from jitscope.model.notation import cut
from jitscope.model.warming import WarmedSignature, WarmState, WarmUp
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.page import Page, terminal_color, terminal_width

SHOWN = 20
"""Signatures shown without ``all_``."""
_WORDS: dict[WarmState, tuple[str, str]] = {
    "compiled": ("compiled", "green"),
    "from_disk": ("from the disk", "green"),
    "already": ("was there", "green"),
    "left_out": ("left out", "yellow"),
    "cannot": ("can't", "yellow"),
    "failed": ("failed", "red"),
    "eager": ("runs eager", "yellow"),
}


def render_warming(
    warming: WarmUp,
    *,
    width: int | None = None,
    color: bool | None = None,
    all_: bool = False,
    process_ends: bool = False,
) -> str:
    """Write ``warming`` as lines of at most ``width`` columns; ``width`` and ``color`` are as for `render_text`.

    ``process_ends``: the process that was warmed is about to end, and only what is on disk stays.
    """
    page = Page(terminal_width() if width is None else width)
    ready = [one for one in warming.in_state("compiled", "from_disk", "already") if one.again is None]
    total = len(warming.signatures)
    page.add(
        (f"{len(ready)} of {count_text(total, 'signature')} ready", "bold"),
        f" in {seconds_text(warming.seconds)}"
        + (f", {warming.jobs} at once" if warming.jobs > 1 else "")
        + (" · the next call of each compiles nothing" if warming.checked and ready else ""),
        hang=2,
    )
    shown = warming.signatures if all_ else _chosen(warming)
    function = None
    order = {name: n for n, name in enumerate(dict.fromkeys(one.function for one in shown))}
    for one in sorted(shown, key=lambda each: order[each.function]):
        if one.function != function:
            function = one.function
            page.blank()
            page.add((one.function, "bold"), f"  {one.framework}")
        _signature(page, one)
    if len(shown) < total:
        page.add(f"  {total - len(shown)} more with --all")
    if warming.notes:
        page.blank()
    for note in warming.notes:
        page.add(("note: ", "yellow"), note, hang=2)
    _advice(page, warming, process_ends=process_ends)
    return page.text(color=terminal_color() if color is None else color)


def _chosen(warming: WarmUp) -> list[WarmedSignature]:
    """The most valuable, and all that is not ready."""
    ready = [one for one in warming.signatures if one.state in ("compiled", "from_disk", "already") and not one.again]
    kept = {id(one) for one in ready[:SHOWN]} | {id(one) for one in warming.signatures if one not in ready}
    return [one for one in warming.signatures if id(one) in kept]


def _signature(page: Page, one: WarmedSignature) -> None:
    word, style = ("would compile again", "red") if one.again else _WORDS[one.state]
    took = f" {seconds_text(one.seconds)}" if one.state in ("compiled", "from_disk") else ""
    page.add(
        (word, style),
        f"{took}  {cut(one.text, 200) or '(no signature)'}",
        (f"  {count_text(one.calls, 'call')}, {seconds_text(one.recorded_seconds)} when recorded", "dim"),
        indent=2,
        hang=2,
    )
    if one.under:
        page.add(f"under {cut(one.under, 200)}", indent=4, hang=2)
    why = one.again or one.why
    if why and one.state != "left_out":
        page.add(cut(why, 300), indent=4, hang=2)


def _advice(page: Page, warming: WarmUp, *, process_ends: bool) -> None:
    left = warming.in_state("left_out")
    lines: list[str] = []
    if left:
        seconds = sum(one.recorded_seconds for one in left)
        lines.append(
            f"left out: {count_text(len(left), 'signature')}, {seconds_text(seconds)} of compiling when recorded: "
            "they compile at their first call, or give more --max-seconds"
        )
    if any(one.why and ": " in one.why and "compiled " not in one.why for one in warming.in_state("cannot")):
        lines.append(
            "what can't be rebuilt can be passed: jitscope.warm(function, recording, arguments={'name': object}), "
            "or --arguments module:name"
        )
    if process_ends and warming.in_state("compiled", "from_disk", "already"):
        lines += [_what_stays(framework, folder) for framework, folder in warming.cache.items()]
    if lines:
        page.blank()
    for line in lines:
        page.add(line, hang=2)


def _what_stays(framework: str, folder: str | None) -> str:
    if folder is not None:
        return f"{framework}: what its persistent cache holds stays in {folder}; tracing is done anew in each process"
    if framework == "jax":
        return (
            "jax: all of this ends with this process. Set JAX_COMPILATION_CACHE_DIR, here and where the program runs, "
            "to keep it; or call jitscope.warm in the program"
        )
    return (
        "torch: only Inductor's cache outlives this process, in its default folder, a temporary one. Set "
        "TORCHINDUCTOR_CACHE_DIR, here and where the program runs, to keep it; or call jitscope.warm in the program"
    )
