"""One file: the template, the bundle, and the report's data, under a policy that lets nothing else in or run."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html import escape
from importlib.resources import files
from typing import Any

import msgspec

from jitscope.analysis.verdict import verdict_of
from jitscope.model.notation import cut, printable
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.html.data import page_data
from jitscope.render.numbers import count_text, seconds_text

SCRIPT = "page.js"
STYLE = "page.css"

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="jitscope">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="app">
<h1>{title}</h1>
<p>{summary}</p>
<noscript><p>The rest of this page needs JavaScript; <code>jitscope report</code> prints it as text.</p></noscript>
</div>
<script type="application/json" id="jitscope-data">{data}</script>
<script>{script}</script>
</body>
</html>
"""

_POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_MARKUP = re.compile("[<>&\u2028\u2029]")


def render_html(recording: Recording, report: Report) -> str:
    """The page. ``report`` is that of ``recording``, or a part of it."""
    return page(page_data(recording, report), title=_title(report), summary=_summary(report))


def page(data: dict[str, Any], *, title: str, summary: str, read: Callable[[str], str] | None = None) -> str:
    """Put a page together; ``read`` gives the bundle's files by name."""
    read = read or _bundled
    script, style = read(SCRIPT), read(STYLE)
    parts = {
        "policy": _POLICY.format(script=_hash(script), style=_hash(style)),
        "title": escape(title),
        "summary": escape(summary),
        "style": style,
        "script": script,
        "data": json_in_html(data),
    }
    # In one go: what one part holds is never looked at for another.
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], _PAGE)


def json_in_html(value: Any) -> str:
    """JSON that ends no element and begins none, whatever its texts hold."""
    return _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(value).decode())


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _bundled(name: str) -> str:
    return (files("jitscope.render.html") / "bundle" / name).read_text(encoding="utf-8")


def _title(report: Report) -> str:
    program = " ".join(report.run.argv) or report.run.id
    return f"jitscope · {printable(cut(program, 80))}"


def _summary(report: Report) -> str:
    """The verdict in words, for who reads the file without running it."""
    verdict = verdict_of(report)
    text = f"{count_text(verdict.compilations, 'compilation')} in {seconds_text(verdict.compiling_seconds)}"
    if verdict.compiling_share is not None and verdict.wall_seconds is not None:
        text += f", {verdict.compiling_share:.0%} of the {seconds_text(verdict.wall_seconds)} that the run took"
    text += f"; {seconds_text(verdict.recompiling_seconds)} of it recompiling"
    if report.findings:
        first = report.findings[0]
        text += f", most of it {printable(cut(first.name, 80))} ({first.kind})"
    return text + "."
