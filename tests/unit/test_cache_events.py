"""Lookups and keys of caches on disk on their way: recorder, memory, combining, old recordings."""

import msgspec
from builders import compilation, function, header, recording, write

from jitscope.analysis.build import build_report
from jitscope.analysis.cache_keys import key_story
from jitscope.analysis.combine import combine
from jitscope.analysis.index import index_events
from jitscope.capture.memory import MEMORY_KEYS, MemorySession
from jitscope.capture.recorder import Recorder
from jitscope.model.caching import CacheKeyEvent, CacheLookup, KeyPart
from jitscope.model.events import EndEvent, Phase, PhaseEvent
from jitscope.store.measured import measured_beside
from jitscope.store.reader import load

BASE = CacheKeyEvent(50, "jax", "k1", parts=(KeyPart("a", "1"), KeyPart("b", "1")))
OTHER = CacheKeyEvent(51, "jax", "k2", base=50, parts=(KeyPart("b", "2"),))


def lookup(key="k2", parts=51, **fields):
    return CacheLookup("jax", "miss", key=key, parts=parts, **fields)


def run(**fields):
    events = [
        function(1),
        BASE,
        OTHER,
        compilation(2, caches=(lookup(),)),
        PhaseEvent(2, Phase("backward", 1, 1), (lookup("k3", 51),)),
    ]
    return recording(*events, header=header(**fields))


def test_a_recording_with_keys_reads_back_as_it_was(tmp_path):
    value = run()

    assert value.events == load(write(tmp_path / "run.jsonl", value)).events


def test_an_older_recording_has_no_lookups():
    line = msgspec.json.encode(compilation(2))

    assert b"caches" not in line


def test_in_a_combined_recording_keys_stay_those_of_their_process():
    one = combine([run(run="a", pid=1, host="x"), run(run="b", pid=2, host="y")])
    index = index_events(one)
    stories = [key_story(each.parts, index.keys) for event in index.compilations for each in event.caches]

    assert 4 == len(stories)
    assert len(index.keys) == 4
    assert all(
        story is not None and {"a": KeyPart("a", "1"), "b": KeyPart("b", "2")} == story.parts for story in stories
    )


def test_sums_of_a_combined_recording_are_the_sums_of_its_processes():
    one = combine([run(run="a", pid=1, host="x"), run(run="b", pid=2, host="y")])

    assert [4] == [cache.misses for cache in build_report(one).caches]


def test_a_key_is_written_once_and_before_what_refers_to_it():
    recorder = Recorder()
    for n in (60, 61):
        recorder.compilation(compilation(n, None, caches=(lookup(),)), None, (BASE, OTHER))
    kinds = [event.id for event in recorder.snapshot().events if not isinstance(event, EndEvent)]

    assert [50, 51, 60, 61] == kinds


def test_a_part_that_begins_later_has_its_keys_with_their_base():
    recorder = Recorder()
    recorder.compilation(compilation(60, None, caches=(lookup(),)), None, (BASE, OTHER))
    part = recorder.open_part()
    recorder.compilation(compilation(61, None, caches=(lookup(),)), None, (BASE, OTHER))
    events = recorder.part(part).events
    index = index_events(recording(*events, end=None))

    assert {"a", "b"} == set(key_story(51, index.keys).parts)


def test_memory_keeps_so_many_keys_and_every_lookup():
    session = MemorySession(header(), 0.0)
    for n in range(MEMORY_KEYS + 10):
        session.write(CacheKeyEvent(n, "jax", f"k{n}"))
    kept = session.recording(EndEvent(1.0)).events

    assert MEMORY_KEYS + 1 == len(kept)


def test_a_lookup_whose_key_was_not_kept_is_counted_all_the_same():
    value = recording(function(1), compilation(2, caches=(lookup(parts=999),)))

    assert 1 == build_report(value).caches[0].misses


def test_what_other_recordings_measured_is_found_beside_one(tmp_path):
    written = lookup("k2", None, written=True, compile_seconds=2.5)
    write(tmp_path / "a.jsonl", recording(function(1), compilation(2, caches=(written,))))
    own = write(tmp_path / "b.jsonl", recording(function(1)))
    (tmp_path / "c.jsonl").write_text("foreign\n" + '{"event":"compilation" "k2" "written":true broken\n')

    assert {"k2": 2.5} == measured_beside(tmp_path, ["k2", "k9"], but=[own])
    assert {} == measured_beside(tmp_path, ["k2"], but=[tmp_path / "a.jsonl"])
    assert {} == measured_beside(tmp_path / "missing", ["k2"])
    assert {} == measured_beside(tmp_path, [])
