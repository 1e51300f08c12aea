"""First calls and caches on disk in the HTML report: the numbers of the JSON report, filters, keys."""

from __future__ import annotations

import re
import shlex

import pytest
from builders import compilation, function, ranks, recording, slow_start

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.analysis.costliest import costliest
from jitscope.analysis.first_call import first_calls
from jitscope.analysis.first_select import select_call
from jitscope.render.caching import add_caches, outcome_lines
from jitscope.render.first_call import costliest_text
from jitscope.render.numbers import seconds_text, share_text
from jitscope.render.page import Page

TABLE = "table.waterfall"


def rows(place):
    """The cells of the rows of a waterfall: part, begins, total, self, share."""
    return [
        [" ".join(text.split()) for text in row.locator("th, td:not(.field)").all_text_contents()]
        for row in place.locator(f"{TABLE} tbody tr").all()
    ]


def expected(parts, whole, depth=0, inside=None):
    for part in parts:
        around = f"inside of {inside}: " if inside else ""
        program = f" {part.program}" if part.program and part.name != "eager_op" else ""
        yield [
            f"{around}{part.label}{f' {part.count}×' if part.count > 1 else ''}{program}",
            seconds_text(part.start),
            seconds_text(part.seconds),
            seconds_text(part.own),
            share_text(part.seconds / whole),
        ]
        yield from expected(part.parts, whole, depth + 1, part.label)


def in_table(page):
    return page.locator('[role=table][aria-label="First calls"] [role=row][data-key] b').all_inner_texts()


@pytest.mark.parametrize("number", [1, 2])
def test_a_waterfall_has_the_parts_of_the_json_report(opened, number):
    call = next(one for one in first_calls(slow_start()).calls if one.function == number)
    one = opened(slow_start(), hash_=f"show=first:{number}")
    place = one.page.locator("#details .first-call")
    if number == 2:  # two parts of 10 ms are told together until all are asked for
        assert "2 smaller parts" in place.locator(TABLE).inner_text()
        place.get_by_role("button", name="2 smaller parts").click()
        one.soon(0, place.get_by_text("2 smaller parts").count)

    wanted = list(expected(call.parts, call.seconds))
    rest = seconds_text(call.not_attributed)
    wanted.append(["not attributed", "–", rest, rest, share_text(call.not_attributed / call.seconds)])

    one.soon(wanted, lambda: rows(place))
    assert f"{seconds_text(call.seconds)} until it returned" in place.inner_text()


def test_a_bar_stands_where_its_part_began_and_is_as_long_as_it(opened):
    call = next(one for one in first_calls(slow_start()).calls if one.function == 1)
    page = opened(slow_start(), hash_="show=first:1").page

    measured = page.evaluate(
        """() => [...document.querySelectorAll('#details .first-call .piece')].map((one) => {
            const field = one.parentElement.getBoundingClientRect();
            const bar = one.getBoundingClientRect();
            return [(bar.left - field.left) / field.width, bar.width / field.width];
        })"""
    )

    wanted = [[part.start / call.seconds, part.seconds / call.seconds] for part in call.parts]
    assert [[pytest.approx(each, abs=0.01) for each in row] for row in wanted] == measured


def test_what_came_before_the_first_call_is_told(opened):
    (start_up,) = build_report(slow_start()).start_up
    place = opened(slow_start()).page.locator("#first .start-up")
    text = place.inner_text()

    assert f"{seconds_text(start_up.seconds)} since the process began" in text
    assert "start Python and jitscope" in text
    assert "import jax" in text
    assert "the program, other imports" in text
    (op,) = start_up.eager_ops
    assert f"Compiled by themselves: 1 program, {seconds_text(op.seconds)}" in text
    assert re.search(rf"add 1×\s+{seconds_text(op.seconds)}\s+train\.py:40", text)


def test_the_longest_call_is_open_and_all_are_in_the_table(opened):
    calls = first_calls(slow_start()).calls
    page = opened(slow_start()).page

    assert [one.name for one in calls] == in_table(page)
    assert calls[0].name in page.locator("#first .longest h3").inner_text()
    table = page.locator('[role=table][aria-label="First calls"]').inner_text()
    assert all(seconds_text(one.seconds) in table and costliest_text(one) in table for one in calls)
    assert all(costliest(one) for one in calls)
    assert f"Longest first call: {seconds_text(calls[0].seconds)}" in page.locator("#verdict").inner_text()


def test_advice_measures_and_what_is_not_known_are_told(opened):
    call = next(one for one in first_calls(slow_start()).calls if one.function == 1)
    other = next(one for one in first_calls(slow_start()).calls if one.function == 2)
    one = opened(slow_start(), hash_="show=first:1")
    text = one.page.locator("#details").inner_text()

    assert call.measured is not None
    assert "4.25 s with its result" in text
    assert f"{seconds_text(call.measured.steady)} (median of 3)" in text
    assert "as it is written" in text
    assert f"paid for itself after {call.measured.pays_after} calls" in text
    one.page.evaluate("location.hash = 'show=first:2'")
    one.soon("Model.forward: first call", one.page.locator("#details-title").inner_text)
    text = one.page.locator("#details").inner_text()
    assert other.advice
    assert other.notes
    assert all(f"do {advice}" in text for advice in other.advice)
    assert all(note.text in text for note in other.notes)
    assert f"later: backward {seconds_text(other.later[0].seconds)}, outside of this call" in text


def test_the_advice_can_be_copied(opened):
    other = next(one for one in first_calls(slow_start()).calls if one.function == 2)
    one = opened(slow_start(), hash_="show=first:2")
    one.page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    one.page.locator("#details").get_by_role("button", name="Copy the advice").first.click()

    one.page.get_by_text("copied", exact=True).wait_for()
    assert other.advice[0] == one.page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize(
    ("hash_", "names"),
    [
        ("q=model.py", ["Model.forward"]),
        ("framework=jax", ["train_step", "quick"]),
        ("function=3", ["quick"]),
        ("q=nothing-like-it", []),
    ],
)
def test_the_filter_applies_to_first_calls(opened, hash_, names):
    page = opened(slow_start(), hash_=hash_).page

    assert names == in_table(page)
    assert names[:1] == page.locator("#first .longest h3 button").all_inner_texts()


def test_a_first_call_is_reached_by_keys_and_from_function_and_compilation(opened):
    one = opened(slow_start())
    page = one.page

    def title():
        return page.locator("#details-title").inner_text() if page.locator("#details").count() else ""

    page.locator('[aria-label="First calls"] [role=row][data-key]').first.focus()
    page.keyboard.press("ArrowDown")
    one.until("document.activeElement.dataset.index === '1'")
    page.keyboard.press("Enter")
    one.soon("train_step: first call", title)
    one.until("location.hash === '#show=first%3A1'")
    page.keyboard.press("Escape")
    one.soon("", title)
    one.until("document.activeElement.dataset.index === '1'")
    for hash_, button in (("function:2", "where it went"), ("compilation:2", "where that call's time went")):
        page.evaluate("(hash) => { location.hash = 'show=' + hash; }", hash_)
        one.soon(1, page.locator("#details").get_by_role("button", name=button).count)
        page.locator("#details").get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
        one.soon("Model.forward: first call", title)


def test_the_command_for_a_terminal_leads_to_the_same_call(opened):
    """Of several function objects of one source the call is found by its compilation."""
    events = []
    for n in (1, 2, 3):
        events += [function(n, "main.<locals>.<lambda>"), compilation(n, n, call=1, start=float(n), seconds=n / 4)]
    for value, number in ((recording(*events), 2), (slow_start(), 1)):
        page = opened(value, hash_=f"show=first:{number}").page
        command = shlex.split(page.locator("#details .first-call .next code").inner_text())

        assert ["jitscope", "first"] == command[:2]
        assert number == select_call(value, command[2])[0].function


def test_small_parts_are_unfolded_by_keys(opened):
    one = opened(slow_start(), hash_="show=first:2")
    button = one.page.locator("#details .waterfall-place > button").first

    button.focus()
    one.page.keyboard.press("Enter")
    one.soon("true", lambda: button.get_attribute("aria-expanded"))
    one.soon(True, lambda: "garbage collection" in one.page.locator("#details").inner_text())
    one.page.keyboard.press("Enter")
    one.soon(False, lambda: "garbage collection" in one.page.locator("#details").inner_text())


def test_each_processs_start_can_be_unfolded(opened):
    one = opened(combine(ranks((64, 63), (64, 62))))
    page = one.page
    summaries = page.locator("#first .start-up summary")

    assert ["rank 0", "rank 1"] == [text.split(":")[0] for text in summaries.all_inner_texts()]
    page.get_by_label("Process", exact=True).select_option("rank 1")
    one.soon(True, lambda: "rank 1" in page.locator("#first .start-up h3").inner_text())


def test_of_an_older_recording_only_phases_are_known_and_that_is_said(opened):
    value = recording(function(1), compilation(1, 1, call=1))
    page = opened(value).page
    (call,) = first_calls(value).calls

    assert not call.complete
    assert "Longest first call" not in page.locator("#verdict").inner_text()
    assert all(note.text in page.locator("#first").inner_text() for note in call.notes)
    assert "compile (XLA)" in page.locator(f"#first {TABLE}").first.inner_text()


def test_on_paper_several_calls_are_taken_apart(opened):
    one = opened(slow_start())

    one.page.evaluate("dispatchEvent(new Event('beforeprint'))")

    one.soon(3, one.page.locator("#first .longest").count)


def terminal_lines(report):
    page = Page(500)
    add_caches(page, report)
    return page.text(color=False)


def test_caches_have_the_numbers_and_words_of_the_terminals_report(opened):
    report = build_report(slow_start())
    page = opened(slow_start()).page
    terminal = terminal_lines(report)

    for cache in report.caches:
        text = page.locator(f'#caches article[data-cache="{cache.name}"]').inner_text()
        assert f"{cache.hits} / {cache.hits + cache.misses}" in text
        assert seconds_text(cache.seconds) in text
        for reason in (*cache.reasons, *cache.unwritten):
            assert reason in text
            assert reason in terminal
    slow = page.locator('#caches [data-cache="jax"] .slow').inner_text()
    assert "more all the same: trace 1.00 s" in slow
    assert slow in terminal


def test_a_compilation_says_what_each_cache_did_for_it(opened):
    report = build_report(slow_start())
    one = opened(slow_start())

    for function_report in report.functions:
        for detail in function_report.compilations_detail:
            one.page.evaluate("(id) => { location.hash = `show=compilation:${id}`; }", detail.id)
            one.until(f"document.querySelector('#details-title')?.textContent === '{function_report.name} #1'")
            shown = [text.split("\n")[0] for text in one.page.locator("#details .caches li").all_inner_texts()]
            lines = ["".join(part if isinstance(part, str) else part[0] for part in x) for x in outcome_lines(detail)]
            assert lines == shown


def test_lookups_lead_to_their_compilation_and_follow_the_filter(opened):
    one = opened(slow_start())
    page = one.page
    lookups = page.locator('[aria-label="Lookups in caches"] [role=row][data-key]')

    assert 2 == lookups.count()
    lookups.nth(1).click()
    one.soon("Model.forward #1", lambda: page.locator("#details-title").inner_text())
    page.keyboard.press("Escape")
    page.get_by_label("Framework", exact=True).select_option("jax")
    one.soon(1, lookups.count)


@pytest.mark.parametrize("hash_", ["", "show=first:2", "show=first:1", "show=compilation:1"])
@pytest.mark.parametrize("width", [390, 1280])
def test_first_calls_fit_the_screen(opened, width, hash_):
    page = opened(slow_start(), width=width, hash_=hash_).page

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('#details')?.scrollWidth ?? 0") <= width


def test_the_waterfall_is_a_table_for_screen_readers(opened):
    """By its roles, on a phone too, where its rows are laid out as grids."""
    for width in (390, 1280):
        page = opened(slow_start(), width=width, hash_="show=first:1").page
        table = page.locator("#details").get_by_role("table", name="First call of train_step")

        assert ["part", "begins", "total", "self", "share"] == table.get_by_role("columnheader").all_text_contents()
        assert 5 == table.get_by_role("rowheader").count()
