"""The HTML report, opened from disk: its numbers, its filters, its keys."""

from __future__ import annotations

import json

import msgspec
import pytest
from builders import (
    array,
    compilation,
    function,
    ranks,
    recording,
    runs,
    signature,
    signatures,
    slow_start,
    training,
)

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.model.events import SourceEvent
from jitscope.render.numbers import ratio_text, seconds_text

LAST = "/v/lib/python3.11/site-packages/lib/base.py"


def varied():
    """Two functions of the user's on two frameworks, one of a library's; what changed is a shape, then a dtype."""
    return recording(
        function(1, "train_step"),
        function(2, "Model.forward", framework="torch", file="/home/u/model.py", line=7),
        function(3, "helper", file=LAST, line=3),
        *signatures(
            1,
            signature(array("x", "f32", 64, 8)),
            signature(array("x", "f32", 63, 8)),
            signature(array("x", "bf16", 63, 8)),
            start=1,
        ),
        *signatures(3, signature(array("y", "f32", 1)), start=11),
        compilation(1, 1, call=1, signature=1, seconds=2.0),
        compilation(2, 1, call=3, signature=2, seconds=3.0, start=4.0),
        compilation(3, 1, call=4, signature=3, seconds=1.0, start=8.0),
        compilation(4, 2, call=1, program="forward", framework="torch", framework_id="0/0", start=10.0, seconds=0.5),
        compilation(5, 3, call=1, signature=11, start=12.0, seconds=0.25),
        compilation(6, None, program="jit(add)", library=True, start=14.0, seconds=0.125),
        runs(1, (1, "compile", 1), (1, "hit", 1), (2, "compile", 1), (3, "compile", 1), (3, "hit", 40)),
        runs(2, (None, "compile", 1), (None, "hit", 9)),
        runs(3, (11, "compile", 1)),
    )


def names(page, table="Functions"):
    return page.locator(f'[role=table][aria-label="{table}"] [role=row][data-key] b').all_inner_texts()


def test_the_page_holds_the_json_report(opened):
    """What it decodes is what ``--format json`` writes, to the last digit."""
    one = opened(varied())

    assert json.loads(msgspec.json.encode(build_report(varied()))) == one.page.evaluate("window.jitscope.report")


def test_the_totals_are_those_of_the_report(opened):
    totals = build_report(varied()).totals
    page = opened(varied()).page

    def shown(name):
        return page.locator(f'[data-total="{name}"] dd').inner_text()

    assert ratio_text(totals.hits, totals.calls) == shown("hits")
    assert str(totals.compilations) == shown("compilations")
    assert str(totals.recompilations) == shown("recompilations")
    assert seconds_text(totals.compile_seconds) == shown("compile_seconds")
    assert seconds_text(totals.recompile_seconds) == shown("recompile_seconds")
    assert seconds_text(totals.eager_op_compile_seconds) == shown("eager_op_compile_seconds")


def test_the_verdict_names_the_function_the_cause_and_the_fix(opened):
    first = build_report(varied()).findings[0]
    text = opened(varied()).page.locator("#verdict").inner_text()

    assert "6.88 s compiling: 34% of 20.0 s. 4.00 s of it recompiling." in text
    assert all(part in text for part in ("train_step", "train.py:12", first.kind, first.path, first.fix))


def test_findings_are_there_in_their_order(opened):
    findings = build_report(varied()).findings
    page = opened(varied()).page

    shown = page.locator("#findings article").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")

    assert [f"{seconds_text(one.seconds)}: {one.name}, {one.kind}" for one in findings] == shown
    assert ["64", "63"] == page.locator("#findings li").first.locator("mark").all_inner_texts()


def test_the_tables_show_each_function_and_compilation(opened):
    page = opened(varied()).page

    assert ["train_step", "Model.forward", "helper"] == names(page)
    assert ["train_step"] * 3 + ["Model.forward", "helper"] == names(page, "Compilations")
    assert "jit(add)" in page.locator("#unwatched").inner_text()


def test_a_function_shows_its_signatures_with_what_differs_marked(opened):
    page = opened(varied(), hash_="show=function:1").page
    rows = page.locator("#details table.signatures tbody tr")

    assert [["f32", "64"], ["f32", "63"], ["bf16", "63"]] == [
        rows.nth(n).locator("mark").all_inner_texts() for n in range(3)
    ]
    assert (
        "42" in page.locator("#details .totals").inner_text() or "44" in page.locator("#details .totals").inner_text()
    )


def test_a_compilation_shows_its_causes_and_leads_on(opened):
    one = opened(varied(), hash_="show=compilation:2")
    page = one.page
    text = page.locator("#details").inner_text()

    assert all(part in text for part in ("train_step #2", "3.00 s", "at call 3", "train.py:40", "compile 2.40 s"))
    page.locator("#details").get_by_role("button", name="train_step #1").click()
    one.soon("train_step #1", page.locator("#details-title").inner_text)
    page.go_back()
    one.soon("train_step #2", page.locator("#details-title").inner_text)


FILTERS = {
    "q=model.py": (["Model.forward"], 1),
    "q=bf16": (["train_step"], 1),
    "origin=library": (["helper"], 1),
    "origin=mine": (["train_step", "Model.forward"], 4),
    "cause=dtype": (["train_step"], 1),
    "framework=torch": (["Model.forward"], 1),
    "function=3": (["helper"], 1),
    "cause=shape&framework=torch": ([], 0),
}


@pytest.mark.parametrize("hash_", FILTERS)
def test_a_filter_in_the_address_applies_to_all_views(opened, hash_):
    functions, compilations = FILTERS[hash_]
    page = opened(varied(), hash_=hash_).page

    assert functions == names(page)
    assert compilations == len(names(page, "Compilations"))
    assert f"{len(functions)} of 3 functions, {compilations} of 5 compilations" in page.locator(".shown").inner_text()


def test_what_is_chosen_in_the_filters_is_in_the_address(opened):
    one = opened(varied())
    page = one.page

    page.get_by_label("Cause", exact=True).select_option("shape")
    page.get_by_label("Search").fill("Train")
    one.until("location.hash.includes('q=train')")
    one.soon(["train_step"], lambda: names(page, "Compilations"))
    page.reload()
    assert "shape" == page.get_by_label("Cause", exact=True).input_value()
    assert "train" == page.get_by_label("Search").input_value()
    page.get_by_role("button", name="show all").click()
    one.soon(5, lambda: len(names(page, "Compilations")))
    one.until("location.hash === ''")
    one.requests.pop()


def test_ranks_can_be_told_apart(opened):
    one = opened(combine(ranks((64, 63), (64, 62))))
    page = one.page

    assert 4 == len(names(page, "Compilations"))
    page.get_by_label("Process", exact=True).select_option("rank 1")
    one.soon(2, lambda: len(names(page, "Compilations")))


def test_pressing_a_cause_filters_by_it(opened):
    one = opened(varied())
    page = one.page

    page.locator("#findings .chip", has_text="dtype").first.click()

    one.soon(["train_step"], lambda: names(page, "Compilations"))
    one.until("location.hash.includes('cause=dtype')")


def test_everything_can_be_done_with_keys(opened):
    one = opened(varied())
    page = one.page

    page.keyboard.press("/")
    one.until("document.activeElement.id === 'search'")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    one.soon(True, page.locator(".keyboard").is_visible)
    page.keyboard.press("Escape")
    one.soon(False, page.locator(".keyboard").is_visible)
    page.locator('[aria-label="Functions"] [role=row][data-key]').first.focus()
    page.keyboard.press("ArrowDown")
    one.until("document.activeElement.dataset.index === '1'")
    page.keyboard.press("Enter")
    one.soon("Model.forward", page.locator("#details-title").inner_text)
    one.until("document.activeElement.id === 'details'")
    page.keyboard.press("Escape")
    one.soon(0, page.locator("#details").count)
    one.until("document.activeElement.dataset.index === '1'")


def test_all_that_can_be_pressed_has_a_name_and_can_be_reached(opened):
    page = opened(varied()).page
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, a[href], select, input, summary')]
            .filter(one => one.tabIndex < 0 && !one.closest('table, [role=grid], [role=table]')
                || !(one.getAttribute('aria-label') || one.textContent).trim())
            .map(one => one.outerHTML)"""
    )

    assert [] == nameless


def test_the_focus_is_seen(opened):
    one = opened(varied())
    one.page.keyboard.press("/")

    one.until("document.activeElement.id === 'search'")
    one.until("getComputedStyle(document.activeElement).outlineStyle !== 'none'")


def test_the_fix_can_be_copied(opened):
    one = opened(varied())
    one.page.evaluate(
        "window.copied = []; document.addEventListener('copy', () => copied.push(String(getSelection())))"
    )
    one.page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    one.page.get_by_role("button", name="Copy the fix").first.click()

    one.page.get_by_text("copied", exact=True).wait_for()
    assert build_report(varied()).findings[0].fix == one.page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_light_and_dark_follow_the_system_until_chosen(opened, scheme, other):
    one = opened(varied(), scheme=scheme)
    page = one.page

    def scheme_now():
        return page.evaluate("getComputedStyle(document.documentElement).colorScheme")

    assert scheme == scheme_now()
    page.get_by_role("button", name=other, exact=True).click()
    one.soon(other, scheme_now)


CONTRAST = """() => {
    const parts = (color) => color.match(/[\\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], under) => [r, g, b].map((one, n) => one * a + under[n] * (1 - a));
    const luminance = (color) => {
        const [r, g, b] = color.map((one) => one / 255)
            .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        if (one === null) return [255, 255, 255];
        const color = parts(getComputedStyle(one).backgroundColor);
        return color.length === 3 ? color : over(color, behind(one.parentElement));
    };
    const found = new Set();
    for (const one of document.querySelectorAll('#app *')) {
        const texts = [...one.childNodes].some((node) => node.nodeType === 3 && /[^\\s·]/.test(node.data));
        if (!texts || !one.checkVisibility() || one.disabled || one.closest('svg')) continue;
        const under = behind(one);
        const [a, b] = [over(parts(getComputedStyle(one).color), under), under].map(luminance).sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < 4.5) found.add(`${contrast} ${one.tagName}.${one.className} ${one.textContent.slice(0, 30)}`);
    }
    return [...found];
}"""


@pytest.mark.parametrize(("value", "hash_"), [(varied, "show=function:1"), (slow_start, "show=first:2")])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(opened, scheme, value, hash_):
    """A contrast of 4.5 to 1 or more: WCAG 2, level AA."""
    page = opened(value(), scheme=scheme, hash_=hash_).page

    assert [] == page.evaluate(CONTRAST)


@pytest.mark.parametrize("hash_", ["", "show=function:1", "show=compilation:2"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(opened, width, hash_):
    page = opened(varied(), width=width, hash_=hash_).page

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('#details')?.scrollWidth ?? 0") <= width


def test_a_report_of_nothing_says_so(opened):
    text = opened(recording()).page.locator("main").inner_text()

    assert "Nothing was compiled in 20.0 s." in text


def test_on_paper_tables_are_whole(opened):
    sizes = tuple(range(10, 60))
    one = opened(training(sizes))
    page = one.page
    before = len(names(page, "Compilations"))

    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    one.until("document.querySelectorAll('[aria-label=Compilations] [data-key]').length === 50")
    assert before < 50


def test_source_lines_are_shown_where_the_recording_has_them(opened):
    lines = ("before", "train_step(x)", "after</pre><script>")
    value = recording(
        function(), SourceEvent("/home/u/train.py", 40, 39, lines),
        compilation(1, call=1), runs(1, (None, "compile", 1)),
    )  # fmt: skip

    figure = opened(value, hash_="show=compilation:1").page.locator("#details figure.source")

    assert all(line in figure.inner_text() for line in lines)
    assert "40  train_step(x)" in figure.locator("mark").inner_text()


def test_the_charts_show_the_numbers_of_the_report(opened):
    report = build_report(varied())
    one = opened(varied())
    page = one.page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # draws all of them
    one.until("document.querySelectorAll('.chart-place:empty').length === 0")

    where = page.locator("#where").inner_text()
    assert all(seconds_text(each.compile_seconds) in where for each in report.functions)
    assert seconds_text(report.totals.compile_seconds) in where
    page.get_by_text("Timeline as a table").click()
    one.until("document.querySelector('#timeline details table') !== null")  # filled when it is opened
    when = page.locator("#timeline").inner_text()
    assert all(each.name in when and seconds_text(each.compile_seconds) in when for each in report.functions)
    assert "shape" in page.locator("#graph").text_content()


def test_the_history_strip_shows_all_calls(opened):
    one = opened(varied(), hash_="show=function:1")
    one.until("document.querySelector('[data-chart=history]')?.textContent.includes('40')")

    strip = one.page.locator("[data-chart=history]")
    assert strip.get_by_text("×40").count() > 0
