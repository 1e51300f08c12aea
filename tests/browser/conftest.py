"""The HTML report in a real browser: Playwright and the system's Chromium, which ``make browser`` installs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from jitscope.analysis.build import build_report
from jitscope.render.html.page import render_html

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser():
    """Of one module: while it runs, its loop is in the way of others'."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make browser")
    path = os.environ.get("JITSCOPE_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser ({', '.join(BROWSERS)}): make browser, or set JITSCOPE_TEST_BROWSER")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield found
        found.close()


class Opened:
    """A page, with what it complained about and asked for."""

    def __init__(self, page, path: Path) -> None:
        self.page, self.path = page, path
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}") or dialog.dismiss())
        page.on("request", lambda request: self.requests.append(request.url))

    def go(self, hash_: str = "") -> None:
        """Open the file, or open it anew."""
        self.page.goto("about:blank")
        self.requests.clear()
        self.page.goto(self.path.as_uri() + (f"#{hash_}" if hash_ else ""))

    def until(self, expression: str) -> None:
        """Wait until ``expression`` holds. Playwright's way evaluates a string, which the page's policy forbids."""
        for _ in range(500):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"not in time: {expression}")

    def soon(self, expected, get) -> None:
        """Wait until ``get()`` is ``expected``: what is pressed shows when the page has drawn it."""
        for _ in range(500):
            found = get()
            if found == expected:
                return
            self.page.wait_for_timeout(20)
        assert expected == found


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of a recording. At the end no page has complained, or asked for anything but its file."""
    contexts, pages = [], []

    def open_(recording, *, hash_="", width=1280, scheme="light", reduced=None):
        path = tmp_path / f"report-{len(pages)}.html"
        path.write_text(render_html(recording, build_report(recording)), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion=reduced
        )
        contexts.append(context)
        one = Opened(context.new_page(), path)
        pages.append(one)
        one.go(hash_)
        return one

    yield open_
    for one in pages:
        assert [] == one.complaints
        assert [one.path.as_uri()] == [url.split("#")[0] for url in one.requests]
    for context in contexts:
        context.close()
