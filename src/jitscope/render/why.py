"""The story of one function for a terminal: a time line of its compilations, or one of them in full."""

from __future__ import annotations

import shlex

from jitscope.model.notation import printable
from jitscope.model.story import (
    Story,
)
from jitscope.render.page import Page, terminal_color, terminal_width
from jitscope.render.why_full import FullStory
from jitscope.render.why_timeline import TimeLine


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
        FullStory(page, story, one, story.detail, all_=all_).write()
        command = _report_command(story, source)
    else:
        TimeLine(page, story, all_=all_).write()
        command = _why_command(story, source)
    page.blank()
    page.add((command, "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


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
