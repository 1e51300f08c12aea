"""Lines of source: in the recording and in the page only where they were asked for."""

from __future__ import annotations

import json
import linecache

import pytest
from builders import compilation, function, recording, runs

from jitscope.analysis.build import build_report
from jitscope.analysis.index import index_events
from jitscope.capture.sessions import FileSession
from jitscope.capture.source import AROUND, WITH_SOURCE, lines_around
from jitscope.model.events import EndEvent, Header, Site, SourceEvent
from jitscope.render.html.data import page_data
from jitscope.store.reader import load


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "train.py"
    path.write_text("".join(f"line_{n} = {n}\n" for n in range(1, 21)), encoding="utf-8")
    yield path
    linecache.checkcache(str(path))


def recorded(path, program, *, with_source, sites):
    header = Header(1, "0", "r", (), "", "2026-01-01T00:00:00Z", 0.0, "h", 1)
    session = FileSession(path, header, 0.0, force=False, with_source=with_source)
    session.write(function())
    for number, line in enumerate(sites, start=1):
        session.write(compilation(number, call=number, site=Site(str(program), line, "main")))
    session.close(EndEvent(20.0))
    return load(path)


def test_source_is_off_by_default(tmp_path, program, monkeypatch):
    monkeypatch.delenv(WITH_SOURCE, raising=False)

    value = recorded(tmp_path / "run.jsonl", program, with_source=False, sites=[10])

    assert not [event for event in value.events if isinstance(event, SourceEvent)]
    assert "line_10" not in (tmp_path / "run.jsonl").read_text()


def test_each_call_site_is_written_once_with_the_lines_around_it(tmp_path, program):
    value = recorded(tmp_path / "run.jsonl", program, with_source=True, sites=[10, 10, 2])

    found = [event for event in value.events if isinstance(event, SourceEvent)]

    assert [(10, 10 - AROUND, 2 * AROUND + 1), (2, 1, 2 + AROUND)] == [
        (event.line, event.first, len(event.lines)) for event in found
    ]
    assert "line_10 = 10" == found[0].lines[AROUND]


@pytest.mark.parametrize("file", ["<stdin>", "/nowhere/train.py", "In [3]"])
def test_what_is_no_file_is_left_out(file):
    assert lines_around(Site(file, 1, "main")) is None


def test_a_line_that_the_file_does_not_have_is_left_out(program):
    assert lines_around(Site(str(program), 99, "main")) is None


def test_a_file_of_bytes_is_left_out(tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(range(256)))

    assert lines_around(Site(str(tmp_path / "x.bin"), 1, "main")) is None


def test_long_lines_are_cut(tmp_path):
    (tmp_path / "long.py").write_text("x" * 100_000)

    assert 200 == len(lines_around(Site(str(tmp_path / "long.py"), 1, "main")).lines[0])


def test_the_page_has_the_lines_of_the_sites_it_names():
    site = Site("/home/u/train.py", 40, "main")
    kept = SourceEvent(site.file, 40, 39, ("a", "step(x)", "b"))
    value = recording(
        function(),
        kept,
        SourceEvent(site.file, 40, 39, ("again",)),
        SourceEvent("/home/u/other.py", 1, 1, ("x",)),
        compilation(1, call=1, site=site),
        runs(1, (None, "compile", 1)),
    )

    document = json.dumps(page_data(value, build_report(value)))

    assert (kept, SourceEvent("/home/u/other.py", 1, 1, ("x",))) == index_events(value).source
    assert "step(x)" in document
    assert "again" not in document
    assert "other.py" not in document
