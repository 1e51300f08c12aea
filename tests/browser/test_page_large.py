"""A report of 1,000 functions and 10,000 compilations: few elements, whatever there is. Times: benchmarks/page.py."""

from __future__ import annotations

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def large(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from scale_recordings import mixed

    return mixed(51_000)


def test_a_large_report_makes_few_elements(opened, large):
    one = opened(large)
    page = one.page
    size = page.evaluate("[window.jitscope.report.functions.length, window.jitscope.compilations.size]")

    assert [1000, 10_000] == size
    assert 8_000 > page.evaluate("document.querySelectorAll('*').length")
    page.locator('[aria-label="Compilations"] [role=row][data-key]').first.focus()
    page.keyboard.press("End")
    one.until("document.activeElement.dataset.index === '9999'")
    assert 8_000 > page.evaluate("document.querySelectorAll('*').length")
    page.get_by_label("Search").fill("step_77")
    one.until("location.hash.includes('step_77')")
    shown = "11 of 1,000 functions, 110 of 10,000 compilations"
    one.soon(True, lambda: shown in page.locator(".shown").inner_text())
