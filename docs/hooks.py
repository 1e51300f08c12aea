"""What mkdocs calls: the gallery's recordings become pages of the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jitscope.analysis.build import build_report
from jitscope.render.html.page import render_html
from jitscope.store.reader import load


def on_post_build(config: dict[str, Any], **_: Any) -> None:
    """Render each recording of the gallery beside the gallery's page."""
    site = Path(config["site_dir"]) / "gallery"
    for recording in sorted((Path(config["docs_dir"]) / "gallery").glob("*.jsonl")):
        loaded = load(recording)
        (site / f"{recording.stem}.html").write_text(render_html(loaded, build_report(loaded)), encoding="utf-8")
