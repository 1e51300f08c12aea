"""Two runs compared, as Markdown: for a pull request's comment."""

from __future__ import annotations

from jitscope.model.difference import RunDifference
from jitscope.render.difference_words import (
    cause_text,
    function_text,
    number_rows,
    place_text,
    program_cost,
    program_text,
    side_text,
    verdict_text,
)
from jitscope.render.markdown_words import code, plain
from jitscope.render.numbers import count_text

FUNCTIONS = 12
PROGRAMS = 8
CAUSES = 12
"""Most of each that are shown without ``all_``."""

_STATES = {"new": "only in B", "gone": "only in A", "changed": "changed", "same": ""}


def render_difference_markdown(value: RunDifference, *, all_: bool = False) -> str:
    """Write ``value`` as GitHub's Markdown, ended by a newline. What the programs named is shown as code."""
    lines = [f"**{plain(verdict_text(value))}**", ""]
    if value.caveats:
        lead = "Not comparable" if value.comparable == "no" else "Comparable only in part"
        lines += [f"{lead}:", "", *(f"- {plain(one.text)}" for one in value.caveats), ""]
    lines += ["| | A | B |", "|---|---|---|"]
    sides = [code(side_text(side)).replace("|", "\\|") for side in (value.before, value.after)]
    lines.append(f"| | {sides[0]} | {sides[1]} |")
    lines += [f"| {name} | {before} | {after} |" for name, before, after in number_rows(value)]
    changed = [one for one in value.functions if one.status != "same"]
    shown = changed if all_ else changed[:FUNCTIONS]
    for one in shown:
        lines += ["", f"### {code(one.name)} {code(place_text(one))}", ""]
        lines.append(f"{_STATES[one.status]}: {function_text(one)}")
        if one.compilations:
            lines.append("")
        names = {each.program for each in one.compilations}
        programs = one.compilations if all_ else one.compilations[:PROGRAMS]
        lines += [
            f"- {each.status}: {code(program_text(each, program=len(names) > 1))} {program_cost(each)}"
            for each in programs
        ]
        if len(one.compilations) > len(programs):
            lines.append(f"- … {len(one.compilations) - len(programs)} more")
    if len(changed) > len(shown):
        lines += ["", f"{count_text(len(changed) - len(shown), 'more function')} changed."]
    causes = value.causes if all_ else value.causes[:CAUSES]
    if causes:
        lines += ["", "### Causes", "", *(f"- {each.status}: {code(cause_text(each))}" for each in causes)]
    if len(value.causes) > len(causes):
        lines.append(f"- … {len(value.causes) - len(causes)} more")
    same = sum(one.status == "same" for one in value.functions)
    if same:
        lines += ["", f"{count_text(same, 'function')} compiled for the same as before."]
    return "\n".join(lines) + "\n"
