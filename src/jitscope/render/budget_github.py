"""What became of a budget, as workflow commands of GitHub Actions: annotations at the lines that compiled too often.

The format is that of GitHub's toolkit (``actions/toolkit``, ``packages/core/src/command.ts``):
``::error file=…,line=…,title=…::message``, with ``%``, carriage return and line feed escaped, in properties also ``:``
and ``,``.
"""

from __future__ import annotations

import shlex

from jitscope.model.budget import BudgetResult, Offence
from jitscope.model.events import Site
from jitscope.model.notation import cut, printable
from jitscope.render.budget_text import amount_text, summary_line
from jitscope.render.offences import offence_lines

ANNOTATIONS = 10
"""GitHub shows this many errors of one step, and as many warnings."""
OFFENCES = 5
"""Different compilations that one annotation tells of."""


def render_budget_github(result: BudgetResult, *, root: str = "", source: str | None = None) -> str:
    """Write ``result`` as workflow commands, a line each, and the verdict after them.

    ``root`` is the folder that paths are relative to, as GitHub wants them; files outside of it keep theirs.
    ``source`` is the recording's path, for the command that tells more.
    """
    more = (
        " ".join(["jitscope why", *map(shlex.quote, [result.select, *([source] if source else [])])])
        if result.select
        else None
    )
    lines = _errors(result, root, more)
    level = "error" if result.strict else "warning"
    doubts = [(note.slug, note.text) for note in result.doubts]
    doubts += [("unmatched", f"no function of the recording fits the pattern {each}") for each in result.unmatched]
    room = ANNOTATIONS if level == "warning" else ANNOTATIONS - len(lines)
    lines += [command(level, printable(text), title=f"jitscope: {slug}") for slug, text in doubts[: max(room, 1)]]
    # Nothing of the last line is the watched program's: it could be taken for a command.
    return "".join(f"{line}\n" for line in [*lines, summary_line(result)])


def command(level: str, message: str, *, file: str = "", line: int = 0, title: str = "") -> str:
    """One workflow command: an ``error``, ``warning`` or ``notice``."""
    given = {"file": file, "line": str(line) if line > 0 else "", "title": title}
    properties = ",".join(f"{name}={_property(text)}" for name, text in given.items() if text)
    return f"::{level}{f' {properties}' if properties else ''}::{_data(message)}"


def relative_to(file: str, root: str) -> str:
    """``file`` as seen from the folder ``root``, where it is in there, with slashes."""
    file, root = file.replace("\\", "/"), root.replace("\\", "/").rstrip("/")
    return file.removeprefix(f"{root}/") if root else file


def _errors(result: BudgetResult, root: str, more: str | None) -> list[str]:
    """An error for each place that broke a limit; what there is no room for is counted in the last one."""
    places: dict[tuple[str, int], dict[tuple[int, int | None], tuple[Offence, list[str]]]] = {}
    for rule in result.broken:
        said = f"{rule.text} of {rule.pattern}" if rule.pattern is not None else rule.text
        said += f": {amount_text(rule.limit, rule.actual)}, allowed {amount_text(rule.limit, rule.allowed)}"
        for offence in rule.offences:
            site = _site(offence)
            mine = places.setdefault((relative_to(site.file, root), site.line), {})
            identity = offence.compilation.id if offence.compilation is not None else None
            mine.setdefault((offence.function, identity), (offence, []))[1].append(said)
    shown = list(places.items())[:ANNOTATIONS]
    left = len(places) - len(shown)
    lines = []
    for number, ((file, line), offences) in enumerate(shown, start=1):
        text = offence_lines((offence for offence, _ in offences.values()), OFFENCES)
        if number == len(shown) and left:
            text.append(f"… and {left} more places")
        text += [printable(more)] if more is not None else []
        broken = [name for _, said in offences.values() for name in said]
        title = printable(cut(f"jitscope: {', '.join(dict.fromkeys(broken))}", 200))
        lines.append(command("error", "\n".join(text), file=printable(file), line=line, title=title))
    return lines


def _why(select: str, source: str | None) -> str:
    return " ".join(["jitscope why", shlex.quote(select), *([shlex.quote(source)] if source is not None else [])])


def _site(offence: Offence) -> Site:
    """The call that compiled; without one, where the function is defined."""
    one = offence.compilation
    return one.site if one is not None and one.site is not None else Site(offence.file, offence.line, offence.name)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
