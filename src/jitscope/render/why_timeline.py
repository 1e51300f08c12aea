"""A function's compilations in their order: head, signatures, and what happened."""

from __future__ import annotations

from jitscope.model.notation import cut
from jitscope.model.story import (
    Story,
    StoryCompilation,
)
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.page import Page
from jitscope.render.why_parts import (
    CHANGES,
    PERSISTENT,
    TEXT,
    Part,
    add_head,
    added_up,
    calls_text,
    cascade_lines,
    change_lines,
    cost_text,
    has_cause,
    served_text,
    unfinished_text,
    when_parts,
)

COMPILATIONS = 8
"""Compilations of the time line shown without ``all_``: the first, and the costliest."""
SIGNATURES = 8
"""Signatures shown without ``all_``: those of the compilations shown, then those with most calls."""


class TimeLine:
    """Head, signatures, and what happened in its order."""

    def __init__(self, page: Page, story: Story, *, all_: bool) -> None:
        self._page, self._story, self._all = page, story, all_
        self._shown = self._choose()

    def _choose(self) -> list[StoryCompilation]:
        """The first, the costliest, and the one at which the framework gave up: the eager calls come from there."""
        timeline = self._story.timeline
        if self._all or len(timeline) <= COMPILATIONS:
            return list(timeline)
        gave_up = [one for one in timeline if has_cause(one, "recompile_limit")][:1]
        costliest = sorted(timeline[1:], key=lambda one: -one.detail.seconds)
        kept = list({one.number: one for one in (timeline[0], *gave_up, *costliest)}.values())[:COMPILATIONS]
        return sorted(kept, key=lambda one: one.number)

    def write(self) -> None:
        """Add it to the page."""
        page, story = self._page, self._story
        add_head(page, story, all_=self._all)
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
            fix = one.detail.fix or fix
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
            page.add((f"S{one.number}", "cyan"), f"  {one.text}", (f"  {served_text(one)}", "dim"), hang=4)
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
        calls = calls_text(added_up(hidden))
        also = f"; {calls}" if calls else ""
        self._page.add((f"… {which} with --all: {count_text(len(hidden), 'compilation')}, {cost}{also}", "dim"), hang=2)

    def _compilation(self, one: StoryCompilation, fix_shown: str | None) -> None:
        page, detail = self._page, one.detail
        if one.before:
            page.add((f"before it {calls_text(one.before)}", "dim"), indent=5, hang=2)
        head: list[Part] = [(f"#{one.number}".ljust(3), "bold"), "  ", *when_parts(self._story, one)]
        head += [(f"  {cost_text(detail)}", "yellow" if detail.recompile else "")]
        if one.signature is not None:
            head.append((f"  S{one.signature}", "cyan"))
        if one.compared_with is not None:
            head.append((f" vs #{one.compared_with}", "dim"))
        page.add(*head, hang=5)
        if detail.label is not None:
            page.add((f"under {detail.label}", "dim"), indent=5, hang=2)
        cached = PERSISTENT["hit"] if detail.persistent_cache == "hit" else ""
        for state in filter(None, (cached, unfinished_text(detail))):
            page.add((state, "dim"), indent=5, hang=2)
        for line in change_lines(detail.causes, most=None if self._all else CHANGES):
            page.add(line, indent=5, hang=2)
        for line in cascade_lines(one):
            page.add((line, "magenta"), indent=5, hang=2)
        if detail.failed is not None and not has_cause(one, "recompile_limit"):
            page.add(("failed: ", "red"), cut(detail.failed, TEXT), indent=5, hang=2)
        if detail.fix is not None and detail.fix != fix_shown:
            page.add(("fix: ", "green"), detail.fix, indent=5, hang=2)
        if one.after:
            page.add((f"then {calls_text(one.after)}", "dim"), indent=5, hang=2)
