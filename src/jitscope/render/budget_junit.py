"""What became of a budget, as JUnit XML: a test case for each limit, and one for what is in doubt.

There is no one standard; this is the form that GitLab, Jenkins and Azure read (``testsuites``/``testsuite``/
``testcase`` with ``failure``, ``skipped``, ``system-out``), as pytest writes it (``xunit2``).
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from jitscope.model.budget import BudgetResult, Rule
from jitscope.render.budget_text import amount_text
from jitscope.render.offences import offence_lines

OFFENCES = 20
"""Different compilations that one failure tells of."""

_INVALID = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped (production 2, ``Char``)."""


def render_budget_junit(result: BudgetResult) -> str:
    """Write ``result`` as JUnit XML."""
    cases = [_case(rule, strict=result.strict) for rule in result.rules]
    cases += [_doubts(result)] if result.doubts else []
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": "0",
    }
    suites = ET.Element("testsuites", {"name": "jitscope"} | counts)
    suite = ET.SubElement(suites, "testsuite", {"name": "jitscope budget"} | counts)
    suite.extend(cases)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(rule: Rule, *, strict: bool) -> ET.Element:
    names = [rule.text, *([] if rule.pattern is None else [f"[{rule.pattern}]"]), rule.name or ""]
    if rule.name is not None and rule.file:
        names.append(f"{rule.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{rule.line}")
    case = ET.Element("testcase", classname="jitscope.budget", name=_valid(" ".join(filter(None, names))), time="0")
    if rule.status == "unmatched":
        text = _valid(f"no function of the recording fits the pattern {rule.pattern}")
        ET.SubElement(case, "failure" if strict else "skipped", message=text, type="unmatched")
    if rule.status == "over":
        amounts = [amount_text(rule.limit, amount) for amount in (rule.actual, rule.allowed, rule.over_by)]
        message = f"{rule.text}: {amounts[0]}, allowed {amounts[1]}, over by {amounts[2]}"
        failure = ET.SubElement(case, "failure", message=_valid(message), type="over-budget")
        failure.text = _valid("\n".join(offence_lines(rule.offences, OFFENCES)))
    return case


def _doubts(result: BudgetResult) -> ET.Element:
    case = ET.Element("testcase", classname="jitscope.budget", name="all is known", time="0")
    text = _valid("\n".join(f"{note.text} ({note.slug})" for note in result.doubts))
    if result.strict:
        failure = ET.SubElement(case, "failure", message="the numbers may be incomplete", type="doubt")
        failure.text = text
    else:
        ET.SubElement(case, "system-out").text = text
    return case


def _valid(text: str) -> str:
    return _INVALID.sub("", text)
