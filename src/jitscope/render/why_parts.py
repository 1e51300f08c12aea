"""What the time line and the full story of a compilation have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jitscope.model.cause import Cause, CauseKind
from jitscope.model.events import CacheSource, Outcome
from jitscope.model.notation import cut, printable
from jitscope.model.report import CompilationReport
from jitscope.model.story import (
    Reference,
    Story,
    StoryCalls,
    StoryCompilation,
    StorySignature,
)
from jitscope.render.numbers import count_text, ratio_text, seconds_text
from jitscope.render.page import Page
from jitscope.render.riches import cell_len

CHANGES = 4
"""Changes of one kind shown without ``all_``."""
OBJECTS = 4
"""Function objects shown without ``all_``."""
TEXT = 240
"""Most characters of the framework's words in a time line, and of a value."""

Part = str | tuple[str, str]


def add_head(page: Page, story: Story, *, all_: bool) -> None:
    """Add what the story is of, and its numbers."""
    several = len(story.objects) > 1
    state = f"{len(story.objects)} function objects" if several else story.state or ""
    page.add(
        (story.name, "bold"), f"  {place_text(story)}  ", (f"{story.framework} {story.kind} · ", "dim"),
        (state, _STATE_STYLES.get(state, "")), (f" · f{story.objects[0].id}" if not several else "", "dim"),
        (f" · made in {story.maker}" if story.maker else "", "dim"), hang=2,
    )  # fmt: skip
    again = story.recompilations
    parts = [
        count_text(story.calls, "call"),
        f"hits {ratio_text(story.hits, story.calls)}",
        count_text(story.compilations, "compilation")
        + (f": {story.compilations - again} first, {again} again" if again else ""),
    ]
    if story.timeline:
        more = f", {seconds_text(story.recompile_seconds)} of that again" if story.recompile_seconds else ""
        parts.append(f"{seconds_text(story.compile_seconds)} compiling{more}")
    others = [
        count_text(count, *_OUTCOMES[outcome])
        for outcome, count in story.outcomes.items()
        if outcome not in ("hit", "compile")
    ]
    page.add(" · ".join([*parts, *others]), hang=2)
    if story.phases:
        page.add(("in all: ", "dim"), _phase_list(story.phases), hang=2)
    if not several:
        options = story.objects[0].options
        if options:
            page.add(("options: ", "dim"), _options(options), hang=2)
        return
    shown = story.objects if all_ else story.objects[:OBJECTS]
    same = all(one.options == story.objects[0].options for one in story.objects)
    if same and story.objects[0].options:
        page.add(("options: ", "dim"), _options(story.objects[0].options), hang=2)
    for one in shown:
        own = "" if same else f" · {_options(one.options) or 'no options'}"
        process = f"  {one.process}" if one.process is not None else ""
        page.add(
            (f"f{one.id}", "cyan"),
            f"{process}  {count_text(one.calls, 'call')} · hits {ratio_text(one.hits, one.calls)} · "
            f"{count_text(one.compilations, 'compilation')}, {seconds_text(one.compile_seconds)}{own}",
            indent=2, hang=2,
        )  # fmt: skip
    if len(story.objects) > len(shown):
        page.add(f"… {count_text(len(story.objects) - len(shown), 'more function object')} with --all", indent=2)


def _options(options: dict[str, str]) -> str:
    return ", ".join(f"{name}={cut(value, 60)}" for name, value in options.items())


def place_text(story: Story) -> str:
    """``train.py:12``; of what has no file, its kind."""
    return f"{story.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{story.line}" if story.file else story.kind


def served_text(one: StorySignature) -> str:
    """How often a signature was called, and which compilations served it."""
    parts = [count_text(one.calls, "call"), count_text(one.hits, "hit")]
    if one.compiled_by:
        more = f", … {len(one.compiled_by) - 4} more" if len(one.compiled_by) > 4 else ""
        parts.append(f"compiled by {', '.join(f'#{number}' for number in one.compiled_by[:4])}{more}")
    served = [number for number in one.served_by if (number,) != one.compiled_by]
    if served:
        parts.append(f"served by {', '.join(f'#{number}' for number in one.served_by)}")
    return " · ".join(parts)


def when_parts(story: Story, one: StoryCompilation, *, which: bool = True) -> list[Part]:
    """Which call, and where: ``call 7  train.py:40``; with ``which``, of what, where the story is of several things."""
    detail = one.detail
    call = f"call {detail.call}" if detail.call is not None else "" if detail.under else "ahead of a call"
    if detail.under is not None:
        call = f"{call} under {detail.under}".strip()
    if which and len(story.objects) > 1:
        call = f"f{one.function} {call}"
    found: list[Part] = [call]
    if detail.site is not None:
        found.append(f"  {detail.site.text}")
    if which and story.kind == "region":
        found.append(f"  {detail.program}")
    return found


def cost_text(detail: CompilationReport) -> str:
    """``2.00 s (trace 0.2, lower 0.2, compile 1.6)``: the phases in the unit of the sum."""
    total = seconds_text(detail.seconds)
    scale = {"µs": 1e6, "ms": 1e3, "s": 1.0}[total.rsplit(" ", 1)[-1]]
    phases = [f"{name} {_short(seconds * scale)}" for name, seconds in detail.phases.items()]
    return f"{total} ({', '.join(phases)})" if phases else total


def _short(value: float) -> str:
    """``0.2``, ``8.4``, ``157``; ``<0.1`` for what is little, but there."""
    if 0 < value < 0.05:
        return "<0.1"
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def phases_text(detail: CompilationReport, *, lead: str = "") -> str:
    """The phases with their times, after ``lead``; empty where none is known."""
    return lead + _phase_list(detail.phases) if detail.phases else ""


def _phase_list(phases: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds_text(seconds)}" for name, seconds in phases.items())


def unfinished_text(detail: CompilationReport) -> str:
    """What ran, where that ended before anything was compiled."""
    if not detail.layers or detail.layers[-1] == "compile" or detail.failed is not None:
        return ""
    return f"{' and '.join(detail.layers)} only, nothing compiled"


def has_cause(one: StoryCompilation, kind: CauseKind) -> bool:
    """Whether one of the causes is of this kind."""
    return any(cause.kind == kind for cause in one.detail.causes)


def cascade_lines(one: StoryCompilation) -> list[str]:
    """Which compilation led to this one, and what this one led to."""
    found: list[str] = []
    if one.because_of is not None:
        found.append(f"because of {_reference(one.because_of)}")
    elif one.inside is not None:
        found.append(f"inside a call of {one.inside}()")
    if one.led_to:
        names = ", ".join(_reference(each) for each in one.led_to[:4])
        more = f", … {len(one.led_to) - 4} more" if len(one.led_to) > 4 else ""
        found.append(f"led to {names}{more}: {seconds_text(sum(each.seconds for each in one.led_to))}")
    return found


def _reference(one: Reference) -> str:
    return f"#{one.number} of {one.function}()"


def signature_mark(number: int | None) -> str:
    """`` (S2)``."""
    return f" (S{number})" if number is not None else ""


def change_lines(causes: Sequence[Cause], *, most: int | None) -> list[str]:
    """A line for each thing that changed, those that change the same way in one; ``most`` of each kind."""
    merged: dict[str, list[CauseKind]] = {}
    for one in causes:
        merged.setdefault(change_text(one), []).append(one.kind)
    by_kind: dict[tuple[CauseKind, ...], list[str]] = {}
    for text, kinds in merged.items():
        by_kind.setdefault(tuple(kinds), []).append(text)
    found: list[str] = []
    for together, texts in by_kind.items():
        told = ", ".join(together)
        # One line more than `most` is shown rather than counted.
        shown = texts if most is None or len(texts) <= most + 1 else texts[:most]
        found += [f"{text} ({told})" if text else _TOLD.get(together[0], f"changed ({told})") for text in shown]
        if len(texts) > len(shown):
            found.append(f"… {len(texts) - len(shown)} more with --all ({told})")
    return found


def change_text(one: Cause) -> str:
    """What changed, without its kind; empty where the kind says it all."""
    if one.kind in _TOLD:
        return ""
    if one.old is not None or one.new is not None:
        subject = f"{one.path}: " if one.path is not None else ""
        return f"{subject}{side_text(one.old)} → {side_text(one.new)}"
    if one.kind == "graph_break":
        return f"the rest of {one.path} after a graph break"
    words = cut(" ".join(one.evidence.split()), TEXT) if one.evidence else ""
    if one.kind == "recompile_limit":
        return f"gave up: {words}"
    if one.path is None:
        return words
    return f"{one.path}: {words}" if words else f"{one.path} changed"


def side_text(text: str | None) -> str:
    """One side of a comparison."""
    return "absent" if text is None else cut(text, TEXT)


def added_up(compilations: Sequence[StoryCompilation]) -> list[StoryCalls]:
    """The calls around several compilations, by outcome."""
    counts: Counter[Outcome] = Counter()
    for one in compilations:
        for each in (*one.before, *one.after):
            counts[each.outcome] += each.count
    return [StoryCalls(outcome, count, {}) for outcome, count in counts.items()]


def calls_text(calls: Sequence[StoryCalls]) -> str:
    """``41 hits (38 S1, 3 S2), 2 eager fallbacks``."""
    parts: list[str] = []
    for one in calls:
        text = count_text(one.count, *_OUTCOMES[one.outcome])
        order = sorted(one.signatures.items(), key=lambda item: (-item[1], item[0]))
        if len(order) == 1:
            text += f" of S{order[0][0]}"
        elif order:
            more = f", … {len(order) - 4} more" if len(order) > 4 else ""
            text += f" ({', '.join(f'{count} S{number}' for number, count in order[:4])}{more})"
        parts.append(text)
    return ", ".join(parts)


def add_table(page: Page, rows: Sequence[tuple[str, str, str, bool]], *, heads: tuple[str, str] | None = None) -> None:
    """Add rows of path, two texts and a mark: in columns where they fit, else one under the other."""
    cells = [tuple(printable(text) for text in row[:3]) for row in rows]
    head = ("", *heads) if heads is not None else ("", "", "")
    widths = [max((cell_len(row[column]) for row in (*cells, head)), default=0) for column in range(3)]
    if 4 + sum(widths) + 4 <= page.width:
        if heads is not None:
            page.add(("    " + _padded(head, widths), "dim"), wrap=False)
        for cell, row in zip(cells, rows, strict=True):
            page.add((f"  {'*' if row[3] else ' '} {_padded(cell, widths)}", "yellow" if row[3] else ""), wrap=False)
        return
    for path, before, now, differs in rows:
        if not differs:
            page.add(f"{path}  {before}", indent=4, hang=2)
            continue
        page.add(("* ", "yellow"), (path, "yellow"), indent=2, hang=4)
        for name, text in zip(heads or ("before", "now"), (before, now), strict=True):
            page.add((f"{name.ljust(6)}  ", "dim"), text, indent=6, hang=8)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text + " " * (width - cell_len(text)) for text, width in zip(cells, widths, strict=True)).rstrip()


_STATE_STYLES = {"polymorphic": "yellow", "megamorphic": "red", "thrashing": "bold red"}

_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "hit": ("hit", "hits"),
    "dispatch_miss": ("dispatch miss", "dispatch misses"),
    "compile": ("call that compiled", "calls that compiled"),
    "eager_fallback": ("eager fallback", "eager fallbacks"),
    "python_path": ("call through Python", "calls through Python"),
    "nested": ("nested call", "nested calls"),
    "waited": ("call that waited", "calls that waited"),
    "error": ("failed call", "failed calls"),
}

PERSISTENT: dict[CacheSource, str] = {
    "hit": "read from the persistent cache",
    "miss": "not in the persistent cache",
    "off": "persistent cache off",
    "unknown": "",
}


_TOLD: dict[CauseKind, str] = {
    "first_compile": "first compile",
    "backward": "backward",
    "new_function": "another function object of the same source (new_function)",
    "cache_cleared": "compiled before, and cleared from the cache since (cache_cleared)",
    "cache_evicted": "compiled before, and dropped by the cache since (cache_evicted)",
    "nested_first": "compiled only inside another function so far (nested_first)",
}
