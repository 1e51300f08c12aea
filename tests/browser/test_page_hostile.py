"""Names, paths and values come from programs: in the page they do nothing, and are shown as they are."""

from __future__ import annotations

import pytest
from builders import array, compilation, function, header, recording, runs, signature, signatures, static

from jitscope.model.caching import CacheLookup
from jitscope.model.events import CompilingCallEvent, MeasuredEvent, NoteEvent, Site, Span, StartEvent

TEXTS = {
    "script": "</script><script>alert(1)</script>",
    "comment": "<!--<script>alert(1)",
    "event": "<img src=x onerror=alert(1)>",
    "svg": "<svg/onload=alert(1)>",
    "address": "javascript:alert(1)",
    "entity": "&lt;b&gt;&amp;",
    "template": "${alert(1)}{{alert(1)}}",
    "prototype": "__proto__",
    "bidi": "a\u202egnp.exe\u2066",
    "controls": "a\x00\x07\x1b[31mb\u2028\u200b\n",
    "surrogates": "\U0001f600" * 50,
}
ESCAPED = {"bidi": "a\\u202egnp.exe\\u2066", "controls": "a\\x00\\x07\\x1b[31mb\\u2028\\u200b\\n"}


def hostile(text):
    """A recording with ``text`` wherever a program has a say."""
    site = Site(f"/home/{text}/{text}", 1, text)
    other = Site(f"/home/{text}", 2, text)
    return recording(
        function(1, text, file=f"/home/u/{text}", framework="torch", kind="function"),
        function(2, f"{text}.<locals>.{text}", file=text),
        *signatures(
            1,
            signature(array(text, "f32", 1), static(f"{text}x", text)),
            signature(array(text, "f32", 2), static(f"{text}x", f"{text}y")),
        ),
        compilation(
            1, 1, call=1, signature=1, program=text, framework="torch", framework_id="0/0", site=site,
            caches=(
                CacheLookup(text, "hit", key=text, read_seconds=0.5, folder=text),
                CacheLookup(text, "miss", key=text, reason=text, words=text, unwritten=text, unwritten_words=text),
                CacheLookup("jax", "bypass", reason="not_cacheable", words=text),
            ),
        ),
        compilation(
            2, 1, call=2, signature=2, program=text, framework="torch", framework_id="0/1", site=other,
            evidence=(text,), failed=text, thread=text,
        ),
        compilation(3, None, program=text, site=site),
        StartEvent(text, -1.0, 1.0),
        CompilingCallEvent(1, 1, 0.0, 3.0, (Span(text, 0.5, 1.0, text), Span("dynamo", 0.25, 2.0, text)), site=site),
        MeasuredEvent(1, 1, 1.0, 0.5, (0.25,), (), text),
        runs(1, (1, "compile", 1), (2, "compile", 1)),
        NoteEvent(text, text),
        header=header(argv=(text, text), versions={text: text, "jax": text}, devices=(text,), host=text),
    )  # fmt: skip


LOOKED_AT = ("", "show=function:1", "show=first:1", "show=compilation:1", "show=compilation:2", "show=finding:0")
FOREIGN = """() => [...document.querySelectorAll(
    '#app :is(script, img, iframe, object, embed, link, base, form, style, video, audio, foreignObject), [srcdoc]')]
    .map((one) => one.outerHTML)"""
HANDLERS = """() => [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes])
    .filter((one) => /^on|^style$|^srcdoc$/.test(one.name) && !(one.name === 'style' && one.ownerElement.style.length)
        || /href|src|action/.test(one.name) && /^\\s*javascript:/i.test(one.value))
    .map((one) => one.name + one.value)"""


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_does_nothing(opened, name):
    """No dialog, no complaint, no request (`opened` looks for those), no foreign element, no handler."""
    page = opened(hostile(TEXTS[name])).page

    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # draws all charts
    for hash_ in (*LOOKED_AT, "show=signature:2:1"):
        page.evaluate("(hash) => { location.hash = hash; }", hash_)
        page.wait_for_timeout(50)
        assert [] == page.evaluate(FOREIGN)
        assert [] == page.evaluate(HANDLERS)
        assert 2 == page.evaluate("document.scripts.length")


@pytest.mark.parametrize("name", ["script", "event", "entity", "template", *ESCAPED])
def test_a_hostile_text_is_shown_as_it_is(opened, name):
    page = opened(hostile(TEXTS[name])).page

    assert ESCAPED.get(name, TEXTS[name]) in page.locator('[aria-label="Functions"]').inner_text().replace("\xa0", " ")


@pytest.mark.parametrize("name", ["script", "event", "entity", "template", "prototype", *ESCAPED])
def test_hostile_parts_of_a_call_and_hostile_caches_are_shown_as_they_are(opened, name):
    one = opened(hostile(TEXTS[name]), hash_="show=first:1")
    wanted = ESCAPED.get(name, TEXTS[name])

    def holds(place):
        return wanted in one.page.locator(place).first.inner_text().replace("\xa0", " ")

    one.soon(True, lambda: holds("#details .first-call table"))
    assert holds("#details .measured")
    assert holds("#first .start-up")
    assert holds("#caches .reasons")
    assert holds('[aria-label="Lookups in caches"]')
    one.page.evaluate("location.hash = 'show=compilation:1'")
    one.until("document.querySelector('#details .caches') !== null")
    assert holds("#details .caches")


@pytest.mark.parametrize("hash_", ["show=compilation:2", "show=compilation:1", "show=first:1"])
@pytest.mark.parametrize("name", ["bidi", "controls"])
def test_nothing_that_hides_reaches_the_document(opened, name, hash_):
    page = opened(hostile(TEXTS[name]), hash_=hash_).page

    shown = page.evaluate(
        """() => document.getElementById('app').innerText
            + [...document.querySelectorAll('#app *')]
                .flatMap((one) => [...one.attributes].map((each) => each.value))"""
    )
    assert not set(shown) & set("\u202e\u2066\x00\x07\x1b\u2028\u200b")


def test_names_of_a_megabyte_are_cut(opened):
    page = opened(hostile("n" * 1_000_000)).page

    for hash_ in LOOKED_AT:
        page.evaluate("(hash) => { location.hash = hash; }", hash_)
        page.wait_for_timeout(50)
        assert 100_000 > page.evaluate("document.getElementById('app').innerText.length")
        assert 300_000 > page.evaluate("document.getElementById('app').outerHTML.length")
        assert 1280 >= page.evaluate("document.documentElement.scrollWidth")


def test_the_policy_refuses_what_a_hole_would_let_in(opened):
    """Were markup made of a text after all, its script would not run, and nothing would be loaded."""
    one = opened(hostile("plain"))

    refused = one.page.evaluate(
        """async () => {
            const found = [];
            document.addEventListener('securitypolicyviolation', (event) => found.push(event.effectiveDirective));
            try { document.body.innerHTML = '<img src=x onerror=alert(1)>'; } catch (error) { found.push(error.name); }
            const script = document.createElement('script');
            try { script.text = 'window.evil = 1'; document.body.append(script); } catch { found.push('script'); }
            try { await fetch('https://example.invalid/'); } catch { found.push('fetch'); }
            const image = new Image();
            await new Promise((done) => { image.onerror = done; image.src = 'https://example.invalid/x.png'; });
            return [found.sort(), window.evil ?? null];
        }"""
    )

    found, evil = refused
    assert evil is None
    assert {"TypeError", "script", "fetch", "connect-src", "img-src"} <= set(found)
    one.complaints.clear()
    del one.requests[1:]
