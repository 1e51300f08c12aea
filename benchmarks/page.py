"""How long a large HTML report takes: to write, and to become interactive in a headless Chromium.

Needs what ``make browser`` installs. Target: 10,000 compilations of 1,000 functions are interactive in under 3 s.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from scale_recordings import mixed

from jitscope.analysis.build import build_report
from jitscope.render.html.page import render_html

TARGET = 3.0
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

# What a user waits for, by the page's own clock: from the navigation to its first frame with all views, and from
# a key in the search to the frame that shows what it leaves.
SEARCH = """(text) => new Promise((done) => {
    const start = performance.now();
    const box = document.getElementById('search');
    box.value = text;
    box.dispatchEvent(new Event('input', { bubbles: true }));
    const wait = () => location.hash.includes(text) && document.querySelector('.shown').textContent
        ? requestAnimationFrame(() => done((performance.now() - start) / 1000)) : requestAnimationFrame(wait);
    wait();
})"""
READY = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() / 1000))))"
SCROLL = """() => new Promise((done) => {
    const body = document.querySelector('[aria-label=Compilations] .body');
    const times = [];
    let last = performance.now();
    const step = () => {
        const now = performance.now();
        times.push((now - last) / 1000);
        last = now;
        body.scrollTop += 400;
        times.length < 120 ? requestAnimationFrame(step) : done(times.slice(1));
    };
    body.scrollIntoView();
    requestAnimationFrame(step);
})"""


def main() -> None:
    """Measure, and print one line a number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    value = mixed(5_100 if options.quick else 51_000, 100 if options.quick else 1000)
    report = build_report(value)
    print(f"{len(report.functions)} functions, {report.totals.compilations} compilations")
    start = time.perf_counter()
    text = render_html(value, report)
    print(f"written in       {time.perf_counter() - start:.2f} s, {len(text) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_text(text, encoding="utf-8")
        for name, seconds in measure(path, options.rounds).items():
            target = f" (target {TARGET:.0f} s)" if name == "interactive" else ""
            spread = f"{min(seconds):.3f} to {max(seconds):.3f} s"
            print(f"{name:<16} {statistics.median(seconds):.3f} s, {spread}{target}")


def measure(path: Path, rounds: int) -> dict[str, list[float]]:
    """Open the page that many times."""
    from playwright.sync_api import sync_playwright

    browser_path = os.environ.get("JITSCOPE_TEST_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    found: dict[str, list[float]] = {"interactive": [], "search": [], "frame, scrolling": []}
    with sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for _ in range(rounds):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri())
            found["interactive"].append(page.evaluate(READY))
            found["frame, scrolling"].append(statistics.median(page.evaluate(SCROLL)))
            found["search"].append(page.evaluate(SEARCH, "step_77"))
            page.close()
        browser.close()
    return found


if __name__ == "__main__":
    main()
