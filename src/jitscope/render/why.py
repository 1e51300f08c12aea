"""The story of one function for a terminal: a time line of its compilations, or one of them in full."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len

from jitscope.model.cause import Avoidable, Cause, CauseKind
from jitscope.model.events import CacheSource, Outcome
from jitscope.model.notation import cut, printable
from jitscope.model.report import CompilationReport
from jitscope.model.story import (
    Difference,
    Reference,
    Story,
    StoryCalls,
    StoryCompilation,
    StoryDetail,
    StoryKind,
    StorySignature,
)
from jitscope.render.changes import short_fix
from jitscope.render.numbers import count_text, ratio_text, seconds_text
from jitscope.render.page import Page, terminal_color, terminal_width

COMPILATIONS = 8
"""Compilations of the time line shown without ``all_``: the first, and the costliest."""
SIGNATURES = 8
"""Signatures shown without ``all_``: those of the compilations shown, then those with most calls."""
OBJECTS = 4
"""Function objects shown without ``all_``."""
CHANGES = 4
"""Changes of one kind shown without ``all_``."""
ALIKE = 6
"""Leaves shown side by side that do not differ, without ``all_``."""
DIFFERING = 20
"""Leaves shown side by side that differ, without ``all_``; and guards."""

_BLANKS = re.compile(r"(?<=\S) {3,}")
_COMMENT = re.compile(r"\n|  +#| # ")
"""Where torch's source line begins, after the guard."""
_STATE = " against {"
_TEXT = 240
"""Most characters of the framework's words in a time line, and of a value."""

Part = str | tuple[str, str]


def render_why(
    story: Story,
    *,
    width: int | None = None,
    color: bool | None = None,
    all_: bool = False,
    source: str | None = None,
) -> str:
    """Write ``story`` as lines of at most ``width`` columns; of the compilation that was asked for, all there is.

    ``width``, ``color`` and ``all_`` are as for `render_text`. ``source`` is the recording's path, for the command in
    the last line; None where it is the newest one, which commands take by themselves.
    """
    page = Page(terminal_width() if width is None else width)
    if story.detail is not None:
        one = story.timeline[story.detail.number - 1]
        _Full(page, story, one, story.detail, all_=all_).write()
        command = _report_command(story, source)
    else:
        _TimeLine(page, story, all_=all_).write()
        command = _why_command(story, source)
    page.blank()
    page.add((command, "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


class _TimeLine:
    """Head, signatures, and what happened in its order."""

    def __init__(self, page: Page, story: Story, *, all_: bool) -> None:
        self._page, self._story, self._all = page, story, all_
        self._shown = self._choose()

    def _choose(self) -> list[StoryCompilation]:
        """The first, the costliest, and the one at which the framework gave up: the eager calls come from there."""
        timeline = self._story.timeline
        if self._all or len(timeline) <= COMPILATIONS:
            return list(timeline)
        gave_up = [one for one in timeline if _is(one, "recompile_limit")][:1]
        costliest = sorted(timeline[1:], key=lambda one: -one.detail.seconds)
        kept = list({one.number: one for one in (timeline[0], *gave_up, *costliest)}.values())[:COMPILATIONS]
        return sorted(kept, key=lambda one: one.number)

    def write(self) -> None:
        page, story = self._page, self._story
        _head(page, story, all_=self._all)
        if story.signatures:
            page.blank()
            self._signatures()
        page.blank()
        if not story.timeline:
            nested = "; its calls were nested in other functions' traces" if story.outcomes.get("nested") else ""
            page.add(f"nothing was compiled{nested}", hang=2)
        fix: str | None = None
        last = 0
        for one in self._shown:
            self._gap(last, one.number)
            last = one.number
            self._compilation(one, fix)
            fix = short_fix(one.detail) or fix
        self._gap(last, len(story.timeline) + 1)
        if story.notes:
            page.blank()
        for note in story.notes:
            page.add(("note: ", "yellow"), note.text, (f" ({note.slug})", "dim"), hang=2)

    def _signatures(self) -> None:
        page, story = self._page, self._story
        shown = list(story.signatures)
        if not self._all and len(shown) > SIGNATURES:
            first = {one.signature for one in self._shown}
            order = sorted(shown, key=lambda one: (one.number not in first, -one.calls, one.number))
            shown = sorted(order[:SIGNATURES], key=lambda one: one.number)
        for one in shown:
            page.add((f"S{one.number}", "cyan"), f"  {one.text}", (f"  {_served(one)}", "dim"), hang=4)
        hidden = len(story.signatures) - len(shown)
        if hidden:
            page.add(f"… {count_text(hidden, 'more signature')} with --all", hang=2)

    def _gap(self, last: int, following: int) -> None:
        """Say what lies between two compilations that are shown."""
        hidden = self._story.timeline[last : following - 1]
        if not hidden:
            return
        which = f"#{hidden[0].number}" + (f" to #{hidden[-1].number}" if len(hidden) > 1 else "")
        cost = seconds_text(sum(one.detail.seconds for one in hidden))
        calls = _calls_text(_added(hidden))
        also = f"; {calls}" if calls else ""
        self._page.add((f"… {which} with --all: {count_text(len(hidden), 'compilation')}, {cost}{also}", "dim"), hang=2)

    def _compilation(self, one: StoryCompilation, fix_shown: str | None) -> None:
        page, detail = self._page, one.detail
        if one.before:
            page.add((f"before it {_calls_text(one.before)}", "dim"), indent=5, hang=2)
        head: list[Part] = [(f"#{one.number}".ljust(3), "bold"), "  ", *_when(self._story, one)]
        head += [(f"  {_cost(detail)}", "yellow" if detail.recompile else "")]
        if one.signature is not None:
            head.append((f"  S{one.signature}", "cyan"))
        if one.compared_with is not None:
            head.append((f" vs #{one.compared_with}", "dim"))
        page.add(*head, hang=5)
        cached = _PERSISTENT["hit"] if detail.persistent_cache == "hit" else ""
        for state in filter(None, (cached, _unfinished(detail))):
            page.add((state, "dim"), indent=5, hang=2)
        for line in _changes(detail.causes, most=None if self._all else CHANGES):
            page.add(line, indent=5, hang=2)
        for line in _cascades(one):
            page.add((line, "magenta"), indent=5, hang=2)
        if detail.failed is not None and not _is(one, "recompile_limit"):
            page.add(("failed: ", "red"), cut(detail.failed, _TEXT), indent=5, hang=2)
        fix = short_fix(detail)
        if fix is not None and fix != fix_shown:
            page.add(("fix: ", "green"), fix, indent=5, hang=2)
        if one.after:
            page.add((f"then {_calls_text(one.after)}", "dim"), indent=5, hang=2)


class _Full:
    """One compilation, with all that is known of it."""

    def __init__(self, page: Page, story: Story, one: StoryCompilation, detail: StoryDetail, *, all_: bool) -> None:
        self._page, self._story, self._one, self._detail, self._all = page, story, one, detail, all_

    def write(self) -> None:
        page, story, one, detail = self._page, self._story, self._one, self._one.detail
        page.add(
            (f"{story.name}#{one.number}", "bold"), f" of {len(story.timeline)}  {_place(story)}  ",
            (f"f{one.function} · {story.framework} {story.kind}", "dim"), hang=2,
        )  # fmt: skip
        after = f", {seconds_text(detail.start)} after the recording began" if detail.start > 0 else ""
        within = f" in {detail.site.function}" if detail.site is not None and detail.site.function else ""
        page.add(*_when(story, one, which=False), within + after, hang=2)
        whole = f" · the whole call {seconds_text(detail.wall_seconds)}" if detail.wall_seconds is not None else ""
        page.add((seconds_text(detail.seconds), "bold"), _phases(detail, lead=": "), whole, hang=2)
        page.add(
            " · ".join(
                text
                for text in (
                    detail.program,
                    f"layers {', '.join(detail.layers)}" if detail.layers else "no layer ran",
                    _PERSISTENT[detail.persistent_cache],
                    f"compile id {detail.framework_id}" if detail.framework_id is not None else "",
                )
                if text
            ),
            hang=2,
        )
        if _unfinished(detail):
            page.add((_unfinished(detail), "yellow"), hang=2)
        if detail.failed is not None:
            page.add(("failed: ", "red"), detail.failed, hang=2)
        for line in _cascades(one):
            page.add((line, "magenta"), hang=2)
        page.blank()
        self._arguments()
        self._settings()
        page.blank()
        for kind in self._detail.kinds:
            self._kind(kind)
        page.add(f"avoidable: {_AVOIDABLE[self._detail.avoidable]}", hang=2)
        if detail.fix is not None:
            page.add(("fix: ", "green"), short_fix(detail) or detail.fix, hang=2)
        self._said()
        self._guards()
        if one.after:
            page.blank()
            page.add(f"after it: {_calls_text(one.after)}", hang=2)

    def _arguments(self) -> None:
        page, one, found = self._page, self._one, self._detail.arguments
        if not found:
            page.add(("the arguments were not recorded", "dim"), hang=2)
            return
        if one.compared_with is None or all(each.before is None for each in found):
            known = "nothing to compare with" if one.compared_with is None else f"those of #{one.compared_with} unknown"
            page.add(("arguments", "bold"), f"  {known}", hang=2)
            shown = found if self._all else found[:DIFFERING]
            _table(page, [(each.path, each.now or "", "", False) for each in shown])
            if len(found) > len(shown):
                page.add(f"… {count_text(len(found) - len(shown), 'more leaf', 'more leaves')} with --all", indent=4)
            return
        before, now = self._story.timeline[one.compared_with - 1].signature, one.signature
        page.add(
            ("arguments", "bold"),
            f"  before: #{one.compared_with}{_signature(before)} · now: #{one.number}{_signature(now)}",
            hang=2,
        )
        self._compare(found)

    def _settings(self) -> None:
        page, detail = self._page, self._detail
        if detail.settings:
            page.add(("settings", "bold"), "  that differ", hang=2)
            rows = [(each.path, each.before or "not set", each.now or "not set", True) for each in detail.settings]
            _table(page, rows, heads=("before", "now"))
        elif detail.settings_known:
            page.add(("settings", "bold"), "  the same", hang=2)

    def _compare(self, found: Sequence[Difference]) -> None:
        shown: list[Difference] = []
        alike = differing = 0
        for each in found:
            alike += not each.differs
            differing += each.differs
            if self._all or (differing <= DIFFERING if each.differs else alike <= ALIKE):
                shown.append(each)
        rows = [
            (each.path, _side(each.before), _side(each.now) if each.differs else "=", each.differs) for each in shown
        ]
        _table(self._page, rows, heads=("before", "now"))
        if self._all:
            return
        if differing > DIFFERING:
            self._page.add(f"… {differing - DIFFERING} more that differ, with --all", indent=4, hang=2)
        if alike > ALIKE:
            self._page.add((f"… {count_text(alike - ALIKE, 'leaf', 'leaves')} alike", "dim"), indent=4, hang=2)

    def _kind(self, kind: StoryKind) -> None:
        page = self._page
        page.add((kind.kind, "bold"), f"  {kind.explanation}", hang=2)
        lines = [text for one in kind.causes if (text := _change(one))]
        # One line more than the limit is shown rather than counted; the arguments above hold all leaves.
        shown = lines if self._all or len(lines) <= CHANGES + 1 else lines[:CHANGES]
        for line in shown:
            page.add(line, indent=2, hang=2)
        if len(lines) > len(shown):
            page.add(f"… {len(lines) - len(shown)} more with --all", indent=2, hang=2)
        page.add((f"more: {kind.page}", "dim"), indent=2, hang=2)

    def _said(self) -> None:
        page, detail = self._page, self._one.detail
        if not detail.evidence and self._one.compared_with is None:
            return
        page.blank()
        # What a region compiles can be either framework's.
        framework = self._story.framework if self._story.framework != "python" else "the framework"
        said = detail.evidence if self._all else detail.evidence[:1]
        if said:
            page.add((f"{framework} said:", "bold"))
            for line in (line for text in said for line in text.splitlines() if line.strip()):
                # torch fills its lines with blanks up to a comment.
                page.add(_BLANKS.sub("  ", line.rstrip()), indent=2, hang=2)
            if len(detail.evidence) > len(said):
                page.add(f"… {count_text(len(detail.evidence) - len(said), 'more text')} with --all", indent=2)
        elif framework == "jax":
            page.add("nothing recorded of what jax said (it speaks only with jax_explain_cache_misses on)", hang=2)
        else:
            page.add(f"{framework} said nothing of it", hang=2)

    def _guards(self) -> None:
        page, detail = self._page, self._detail
        if not detail.guards:
            return
        asked = "" if detail.guards_asked else " (not all could be asked)"
        page.add(("guards that failed", "bold"), f", one entry of the cache after the other{asked}", hang=2)
        shown = detail.guards if self._all else detail.guards[:DIFFERING]
        for one in shown:
            text, value = one.failure.text, one.failure.value
            if not self._all:
                text = cut(_COMMENT.split(text, maxsplit=1)[0], _TEXT)
                if _STATE in text:
                    # torch's whole global state, twice: the causes say which settings differ.
                    text, value = text.partition(_STATE)[0], None
            made = f" #{one.number}" if one.number is not None else ""
            parts: list[Part] = [(f"{one.failure.entry}{made}", "cyan"), f"  {' '.join(text.split())}"]
            if one.failure.name is not None:
                parts.append((f"  ({one.failure.name})", "dim"))
            if value is not None:
                parts += [("  now ", "dim"), value if self._all else cut(value, _TEXT)]
            page.add(*parts, indent=2, hang=2)
        if len(detail.guards) > len(shown):
            page.add(f"… {len(detail.guards) - len(shown)} more with --all", indent=2, hang=2)


def _head(page: Page, story: Story, *, all_: bool) -> None:
    several = len(story.objects) > 1
    state = f"{len(story.objects)} function objects" if several else story.state or ""
    page.add(
        (story.name, "bold"), f"  {_place(story)}  ", (f"{story.framework} {story.kind} · ", "dim"),
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
        page.add(
            (f"f{one.id}", "cyan"),
            f"  {count_text(one.calls, 'call')} · hits {ratio_text(one.hits, one.calls)} · "
            f"{count_text(one.compilations, 'compilation')}, {seconds_text(one.compile_seconds)}{own}",
            indent=2, hang=2,
        )  # fmt: skip
    if len(story.objects) > len(shown):
        page.add(f"… {count_text(len(story.objects) - len(shown), 'more function object')} with --all", indent=2)


def _options(options: dict[str, str]) -> str:
    return ", ".join(f"{name}={cut(value, 60)}" for name, value in options.items())


def _place(story: Story) -> str:
    return f"{story.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{story.line}" if story.file else story.kind


def _served(one: StorySignature) -> str:
    parts = [count_text(one.calls, "call"), count_text(one.hits, "hit")]
    if one.compiled_by:
        more = f", … {len(one.compiled_by) - 4} more" if len(one.compiled_by) > 4 else ""
        parts.append(f"compiled by {', '.join(f'#{number}' for number in one.compiled_by[:4])}{more}")
    served = [number for number in one.served_by if (number,) != one.compiled_by]
    if served:
        parts.append(f"served by {', '.join(f'#{number}' for number in one.served_by)}")
    return " · ".join(parts)


def _when(story: Story, one: StoryCompilation, *, which: bool = True) -> list[Part]:
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


def _cost(detail: CompilationReport) -> str:
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


def _phases(detail: CompilationReport, *, lead: str = "") -> str:
    return lead + _phase_list(detail.phases) if detail.phases else ""


def _phase_list(phases: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds_text(seconds)}" for name, seconds in phases.items())


def _unfinished(detail: CompilationReport) -> str:
    """What ran, where that ended before anything was compiled."""
    if not detail.layers or detail.layers[-1] == "compile" or detail.failed is not None:
        return ""
    return f"{' and '.join(detail.layers)} only, nothing compiled"


def _is(one: StoryCompilation, kind: CauseKind) -> bool:
    return any(cause.kind == kind for cause in one.detail.causes)


def _cascades(one: StoryCompilation) -> list[str]:
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


def _signature(number: int | None) -> str:
    return f" (S{number})" if number is not None else ""


def _changes(causes: Sequence[Cause], *, most: int | None) -> list[str]:
    """A line for each thing that changed, those that change the same way in one; ``most`` of each kind."""
    merged: dict[str, list[CauseKind]] = {}
    for one in causes:
        merged.setdefault(_change(one), []).append(one.kind)
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


def _change(one: Cause) -> str:
    """What changed, without its kind; empty where the kind says it all."""
    if one.kind in _TOLD:
        return ""
    if one.old is not None or one.new is not None:
        subject = f"{one.path}: " if one.path is not None else ""
        return f"{subject}{_side(one.old)} → {_side(one.new)}"
    if one.kind == "graph_break":
        return f"the rest of {one.path} after a graph break"
    words = cut(" ".join(one.evidence.split()), _TEXT) if one.evidence else ""
    if one.kind == "recompile_limit":
        return f"gave up: {words}"
    if one.path is None:
        return words
    return f"{one.path}: {words}" if words else f"{one.path} changed"


def _side(text: str | None) -> str:
    return "absent" if text is None else cut(text, _TEXT)


def _added(compilations: Sequence[StoryCompilation]) -> list[StoryCalls]:
    """The calls around several compilations, by outcome."""
    counts: Counter[Outcome] = Counter()
    for one in compilations:
        for each in (*one.before, *one.after):
            counts[each.outcome] += each.count
    return [StoryCalls(outcome, count, {}) for outcome, count in counts.items()]


def _calls_text(calls: Sequence[StoryCalls]) -> str:
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


def _table(page: Page, rows: Sequence[tuple[str, str, str, bool]], *, heads: tuple[str, str] | None = None) -> None:
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


def _why_command(story: Story, source: str | None) -> str:
    """The compilation to look at next: the costliest again, else the costliest."""
    if not story.timeline:
        return _report_command(story, source)
    one = max(story.timeline, key=lambda each: (each.detail.recompile, each.detail.seconds))
    quoted = shlex.quote(story.select)
    # A # inside a word is no comment to a shell: it need not be quoted.
    which = f"{quoted}#{one.number}" if quoted == story.select else shlex.quote(f"{story.select}#{one.number}")
    return " ".join(["jitscope why", which, *_file(source)])


def _report_command(story: Story, source: str | None) -> str:
    only = [] if printable(story.name) != story.name else ["--function", shlex.quote(story.name)]
    return " ".join(["jitscope report", *_file(source), *only])


def _file(source: str | None) -> list[str]:
    return [] if source is None else [shlex.quote(source)]


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

_PERSISTENT: dict[CacheSource, str] = {
    "hit": "read from the persistent cache",
    "miss": "not in the persistent cache",
    "off": "persistent cache off",
    "unknown": "",
}

_AVOIDABLE: dict[Avoidable, str] = {
    "yes": "yes",
    "no": "no",
    "unknown": "perhaps; that depends on what the program needs",
}

_TOLD: dict[CauseKind, str] = {
    "first_compile": "first compile",
    "backward": "backward",
    "new_function": "another function object of the same source (new_function)",
    "cache_cleared": "compiled before, and cleared from the cache since (cache_cleared)",
    "cache_evicted": "compiled before, and dropped by the cache since (cache_evicted)",
    "nested_first": "compiled only inside another function so far (nested_first)",
}
