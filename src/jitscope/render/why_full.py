"""One compilation with all that is known of it: both signatures side by side, evidence, guards, what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jitscope.model.cause import Avoidable
from jitscope.model.notation import cut
from jitscope.model.story import (
    Difference,
    Story,
    StoryCompilation,
    StoryDetail,
    StoryKind,
)
from jitscope.render.caching import outcome_lines
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.page import Page
from jitscope.render.why_parts import (
    CHANGES,
    PERSISTENT,
    TEXT,
    Part,
    add_table,
    calls_text,
    cascade_lines,
    change_text,
    phases_text,
    place_text,
    side_text,
    signature_mark,
    unfinished_text,
    when_parts,
)

ALIKE = 6
"""Leaves shown side by side that do not differ, without ``all_``."""
DIFFERING = 20
"""Leaves shown side by side that differ, without ``all_``; and guards."""
_BLANKS = re.compile(r"(?<=\S) {3,}")
_COMMENT = re.compile(r"\n|  +#| # ")
"""Where torch's source line begins, after the guard."""
_STATE = " against {"


class FullStory:
    """One compilation, with all that is known of it."""

    def __init__(self, page: Page, story: Story, one: StoryCompilation, detail: StoryDetail, *, all_: bool) -> None:
        self._page, self._story, self._one, self._detail, self._all = page, story, one, detail, all_

    def write(self) -> None:
        """Add it to the page."""
        page, story, one, detail = self._page, self._story, self._one, self._one.detail
        page.add(
            (f"{story.name}#{one.number}", "bold"), f" of {len(story.timeline)}  {place_text(story)}  ",
            (f"f{one.function} · {story.framework} {story.kind}", "dim"), hang=2,
        )  # fmt: skip
        after = f", {seconds_text(detail.start)} after the recording began" if detail.start > 0 else ""
        within = f" in {detail.site.function}" if detail.site is not None and detail.site.function else ""
        page.add(*when_parts(story, one, which=False), within + after, hang=2)
        whole = f" · the whole call {seconds_text(detail.wall_seconds)}" if detail.wall_seconds is not None else ""
        if detail.label is not None:
            page.add((f"under {detail.label}", "dim"), hang=2)
        page.add((seconds_text(detail.seconds), "bold"), phases_text(detail, lead=": "), whole, hang=2)
        page.add(
            " · ".join(
                text
                for text in (
                    detail.program,
                    f"layers {', '.join(detail.layers)}" if detail.layers else "no layer ran",
                    PERSISTENT[detail.persistent_cache] if not detail.caches else "",
                    f"compile id {detail.framework_id}" if detail.framework_id is not None else "",
                )
                if text
            ),
            hang=2,
        )
        for parts in outcome_lines(detail):
            page.add(*parts, hang=2)
        if unfinished_text(detail):
            page.add((unfinished_text(detail), "yellow"), hang=2)
        if detail.failed is not None:
            page.add(("failed: ", "red"), detail.failed, hang=2)
        for line in cascade_lines(one):
            page.add((line, "magenta"), hang=2)
        page.blank()
        self._arguments()
        self._settings()
        page.blank()
        for kind in self._detail.kinds:
            self._kind(kind)
        page.add(f"avoidable: {_AVOIDABLE[self._detail.avoidable]}", hang=2)
        if detail.fix is not None:
            page.add(("fix: ", "green"), detail.fix, hang=2)
        self._said()
        self._guards()
        if one.after:
            page.blank()
            page.add(f"after it: {calls_text(one.after)}", hang=2)

    def _arguments(self) -> None:
        page, one, found = self._page, self._one, self._detail.arguments
        if not found:
            page.add(("the arguments were not recorded", "dim"), hang=2)
            return
        if one.compared_with is None or all(each.before is None for each in found):
            known = "nothing to compare with" if one.compared_with is None else f"those of #{one.compared_with} unknown"
            page.add(("arguments", "bold"), f"  {known}", hang=2)
            shown = found if self._all else found[:DIFFERING]
            add_table(page, [(each.path, each.now or "", "", False) for each in shown])
            if len(found) > len(shown):
                page.add(f"… {count_text(len(found) - len(shown), 'more leaf', 'more leaves')} with --all", indent=4)
            return
        before, now = self._story.timeline[one.compared_with - 1].signature, one.signature
        page.add(
            ("arguments", "bold"),
            f"  before: #{one.compared_with}{signature_mark(before)} · now: #{one.number}{signature_mark(now)}",
            hang=2,
        )
        self._compare(found)

    def _settings(self) -> None:
        page, detail = self._page, self._detail
        if detail.settings:
            page.add(("settings", "bold"), "  that differ", hang=2)
            rows = [(each.path, each.before or "not set", each.now or "not set", True) for each in detail.settings]
            add_table(page, rows, heads=("before", "now"))
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
            (each.path, side_text(each.before), side_text(each.now) if each.differs else "=", each.differs)
            for each in shown
        ]
        add_table(self._page, rows, heads=("before", "now"))
        if self._all:
            return
        if differing > DIFFERING:
            self._page.add(f"… {differing - DIFFERING} more that differ, with --all", indent=4, hang=2)
        if alike > ALIKE:
            self._page.add((f"… {count_text(alike - ALIKE, 'leaf', 'leaves')} alike", "dim"), indent=4, hang=2)

    def _kind(self, kind: StoryKind) -> None:
        page = self._page
        page.add((kind.kind, "bold"), f"  {kind.explanation}", hang=2)
        lines = [text for one in kind.causes if (text := change_text(one))]
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
                text = cut(_COMMENT.split(text, maxsplit=1)[0], TEXT)
                if _STATE in text:
                    # torch's whole global state, twice: the causes say which settings differ.
                    text, value = text.partition(_STATE)[0], None
            made = f" #{one.number}" if one.number is not None else ""
            parts: list[Part] = [(f"{one.failure.entry}{made}", "cyan"), f"  {' '.join(text.split())}"]
            if one.failure.name is not None:
                parts.append((f"  ({one.failure.name})", "dim"))
            if value is not None:
                parts += [("  now ", "dim"), value if self._all else cut(value, TEXT)]
            page.add(*parts, indent=2, hang=2)
        if len(detail.guards) > len(shown):
            page.add(f"… {len(detail.guards) - len(shown)} more with --all", indent=2, hang=2)


_AVOIDABLE: dict[Avoidable, str] = {
    "yes": "yes",
    "no": "no",
    "unknown": "perhaps; that depends on what the program needs",
}
