"""JAX's persistent cache, as JAX itself uses it: found or not, written or not, and what its keys are made of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from subprocesses import SRC, run

jax = pytest.importorskip("jax")
np = pytest.importorskip("numpy")

from jax._src import cache_key, compilation_cache  # noqa: E402

import jitscope  # noqa: E402
from jitscope.analysis.build import build_report  # noqa: E402
from jitscope.analysis.cache_keys import key_story  # noqa: E402
from jitscope.analysis.cache_misses import misses_of  # noqa: E402
from jitscope.analysis.index import index_events  # noqa: E402
from jitscope.capture.frameworks import jax_cache_privates as privates  # noqa: E402
from jitscope.model.events import CompilationEvent  # noqa: E402
from jitscope.store.reader import load  # noqa: E402

pytestmark = pytest.mark.jax

SETTINGS = {
    "jax_compilation_cache_dir": None,
    "jax_enable_compilation_cache": True,
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": 0,
    "jax_compilation_cache_max_size": -1,
    "jax_raise_persistent_cache_errors": False,
}


def restart():
    """What a new process would have: no cache opened, nothing compiled."""
    compilation_cache.reset_cache()
    jax.clear_caches()


@pytest.fixture
def configure():
    """Set settings, and forget what was compiled; all is as before when the test has ended."""
    before = {name: getattr(jax.config, name) for name in SETTINGS}

    def configure(folder=None, **settings):
        for name, value in (SETTINGS | {"jax_compilation_cache_dir": folder and str(folder)} | settings).items():
            jax.config.update(name, value)
        restart()

    yield configure
    for name, value in before.items():
        jax.config.update(name, value)
    restart()


@pytest.fixture
def asked(tmp_path):
    """Run something with a recording, and return the lookups of the function ``f``."""
    count = iter(range(100))

    def asked(action):
        path = tmp_path / f"run{next(count)}.jsonl"
        with jitscope.record(path):
            action()
        asked.recording = load(path)
        events = [event for event in asked.recording.events if isinstance(event, CompilationEvent)]
        return [lookup for event in events if event.program == "f" for lookup in event.caches]

    return asked


def f_of(scale=2.5, array=None, **options):
    """A new jitted function called f, with a constant or two in it."""

    def f(x):
        return (x * scale).sum() if array is None else (x * scale + array).sum()

    return jitscope.watch(jax.jit(f, **options))


X = np.ones(20, np.float32)


def call(*args, **fields):
    return lambda: f_of(*args, **fields)(X)


# -- keys are those of the program without jitscope ---------------------------------------------------

KEYED = """
import sys
import jax
import numpy as np
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_compilation_cache_include_metadata_in_key", True)
@jax.jit
def step(x):
    return (x * 2).sum()
jax.grad(lambda x: step(x))(np.ones(3, np.float32))
step(np.ones(4, np.float32))
"""


def test_a_program_that_jitscope_runs_has_the_keys_that_it_has_without(tmp_path):
    """Source locations are part of them here: no frame below the program may be told to JAX."""
    (tmp_path / "program.py").write_text(KEYED)
    keys = []
    for before in ([], ["-m", "jitscope", "run", "--no-report"]):
        command = [sys.executable, *before, "program.py", "cache"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([SRC, *sys.path]), "JITSCOPE_STRICT": "1"}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
        keys.append(sorted(path.name for path in (tmp_path / "cache").iterdir()))
        shutil.rmtree(tmp_path / "cache")

    assert keys[0] == keys[1] != []


def test_a_key_with_source_locations_says_so(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    jax.config.update("jax_compilation_cache_include_metadata_in_key", True)
    try:
        (lookup,) = asked(call())
    finally:
        jax.config.update("jax_compilation_cache_include_metadata_in_key", False)
    story = key_story(lookup.parts, index_events(asked.recording).keys)

    assert "True" == story.parts["jax_compilation_cache_include_metadata_in_key"].text


# -- what came of a lookup ---------------------------------------------------------------------------


def test_all_hooks_are_there():
    assert [] == [one.name for one in privates.CAPABILITIES if not one.found()]


def test_a_miss_is_written_under_jaxs_own_key(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    (lookup,) = asked(call())

    assert ("miss", "no_entry", True, None) == (lookup.result, lookup.reason, lookup.written, lookup.unwritten)
    assert [f"{lookup.key}-cache"] == [path.name for path in (tmp_path / "cache").glob("jit_f-*")]
    assert str(tmp_path / "cache") == lookup.folder
    assert min(lookup.read_seconds, lookup.write_seconds, lookup.compile_seconds) > 0


def test_the_next_process_hits_and_says_what_that_saved(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    (miss,) = asked(call())
    measured = {miss.key: miss.compile_seconds}
    restart()
    (lookup,) = asked(call())
    detail = build_report(asked.recording, measured).functions[0].compilations_detail[0]

    assert ("hit", miss.key, 0.0, True) == (lookup.result, lookup.key, lookup.stored_seconds, lookup.stored_whole)
    assert miss.compile_seconds - lookup.read_seconds == pytest.approx(detail.caches[0].saved_seconds)
    assert "hit" == detail.persistent_cache


def test_what_jax_counts_is_what_is_recorded(configure, asked, tmp_path):
    counted = []
    jax.monitoring.register_event_listener(lambda name, **_: counted.append(name.rpartition("/")[2]))
    configure(tmp_path / "cache")
    asked(call())
    restart()
    asked(call())
    mine = [lookup.result for event in asked.recording.events for lookup in getattr(event, "caches", ())]

    assert mine.count("hit") == counted.count("cache_hits")
    assert 0 < counted.count("cache_misses")


def test_without_a_folder_it_is_off(configure, asked):
    configure(None)
    (lookup,) = asked(call())

    assert ("off", "no_folder", None) == (lookup.result, lookup.reason, lookup.key)


def test_switched_off_it_is_off(configure, asked, tmp_path):
    configure(tmp_path / "cache", jax_enable_compilation_cache=False)
    (lookup,) = asked(call())

    assert ("off", "disabled") == (lookup.result, lookup.reason)


def test_switched_on_too_late_it_is_off(configure, asked, tmp_path):
    configure(tmp_path / "cache", jax_enable_compilation_cache=False)
    asked(call())
    jax.config.update("jax_enable_compilation_cache", True)
    (lookup,) = asked(call(3.0))

    assert ("off", "enabled_late") == (lookup.result, lookup.reason)
    assert not (tmp_path / "cache").exists()


def test_a_folder_set_late_is_ignored_by_jax_and_that_is_told(configure, asked, tmp_path):
    configure(tmp_path / "first")
    asked(call())
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "second"))
    (lookup,) = asked(call(3.0))

    assert ("set_late", str(tmp_path / "second"), str(tmp_path / "first")) == (
        lookup.reason,
        lookup.words,
        lookup.folder,
    )
    assert not (tmp_path / "second").exists()


def test_a_relative_folder_is_recorded_from_the_root(configure, asked, tmp_path, monkeypatch):
    """JAX follows it from the working directory of the moment: read elsewhere it would name another folder."""
    for name in ("here", "there"):
        (tmp_path / name / "cache").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    configure("cache")
    (first,) = asked(call())
    monkeypatch.chdir(tmp_path / "there")
    (second,) = asked(call(3.0))

    assert [str(tmp_path / "here" / "cache"), str(tmp_path / "there" / "cache")] == [first.folder, second.folder]
    assert ("no_entry", "no_entry") == (first.reason, second.reason)


def test_a_folder_set_late_for_the_first_time_works(configure, asked, tmp_path):
    configure(None)
    asked(call())
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "cache"))
    (lookup,) = asked(call(3.0))

    assert ("no_entry", True) == (lookup.reason, lookup.written)


def test_what_compiled_too_quickly_is_not_written(configure, asked, tmp_path):
    configure(tmp_path / "cache", jax_persistent_cache_min_compile_time_secs=1000.0)
    (lookup,) = asked(call())

    assert (False, "too_quick") == (lookup.written, lookup.unwritten)
    assert "min_compile_time_secs is 1000" in lookup.unwritten_words
    assert not list((tmp_path / "cache").glob("*-cache"))


def test_what_is_too_small_is_not_written(configure, asked, tmp_path):
    configure(tmp_path / "cache", jax_persistent_cache_min_entry_size_bytes=1 << 30)
    (lookup,) = asked(call())

    assert (False, "too_small") == (lookup.written, lookup.unwritten)


@pytest.mark.filterwarnings("ignore:Cache value for key")
def test_what_is_larger_than_the_cache_is_not_written(configure, asked, tmp_path):
    pytest.importorskip("filelock")
    configure(tmp_path / "cache", jax_compilation_cache_max_size=10)
    (lookup,) = asked(call())

    assert (False, "too_large") == (lookup.written, lookup.unwritten)


def test_what_calls_back_is_written_or_not_as_jax_does(configure, asked, tmp_path):
    configure(tmp_path / "cache")

    def f(x):
        jax.debug.callback(lambda _: None, x[0])
        return x.sum()

    jitted = jitscope.watch(jax.jit(f))
    (lookup,) = asked(lambda: jitted(X).block_until_ready())
    there = bool(list((tmp_path / "cache").glob("jit_f-*-cache")))

    assert there is lookup.written
    assert (None if there else "host_callbacks") == lookup.unwritten


@pytest.mark.filterwarnings("ignore:Error reading persistent compilation cache entry")
def test_a_broken_entry_is_told_in_jaxs_words(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    (first,) = asked(call())
    entry = tmp_path / "cache" / f"{first.key}-cache"
    entry.write_bytes(b"not packed")
    restart()
    (lookup,) = asked(call())

    assert ("miss", "unreadable", first.key) == (lookup.result, lookup.reason, lookup.key)
    assert lookup.words
    assert (False, "broken_entry", b"not packed") == (lookup.written, lookup.unwritten, entry.read_bytes())


@pytest.mark.filterwarnings("ignore:Error writing persistent compilation cache entry")
def test_a_failed_write_is_told_in_jaxs_words(configure, asked, tmp_path, monkeypatch):
    configure(tmp_path / "cache")

    def put(self, key, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jax._src.lru_cache.LRUCache.put", put)
    (lookup,) = asked(call())

    assert (False, "failed") == (lookup.written, lookup.unwritten)
    assert "No space left on device" in lookup.unwritten_words


@pytest.mark.filterwarnings("ignore:Error reading persistent compilation cache entry")
def test_a_folder_that_can_not_be_made_is_told(configure, asked, tmp_path):
    (tmp_path / "file").write_text("")
    configure(tmp_path / "file" / "cache")
    first = asked(call())
    second = asked(call(3.0))

    assert ["unusable", "unusable"] == [one.reason for one in (*first, *second)]
    assert {"off"} == {one.result for one in (*first, *second)}


def test_an_eager_operation_has_its_lookup(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    asked(lambda: jax.numpy.ones(3) + 1)
    found = [e for e in asked.recording.events if isinstance(e, CompilationEvent) and e.library]

    assert found
    assert all(("jax", "miss") == (one.caches[0].cache, one.caches[0].result) for one in found)


def test_an_ahead_of_time_compile_has_its_lookup(configure, asked, tmp_path):
    configure(tmp_path / "cache")

    assert ["miss"] == [one.result for one in asked(lambda: f_of().lower(X).compile())]


def test_threads_that_compile_at_once_have_their_own_lookups(configure, asked, tmp_path, eager_switching):
    from concurrent.futures import ThreadPoolExecutor

    configure(tmp_path / "cache")

    def named(n):
        def f(x):
            return (x * n).sum()

        f.__name__ = f"f{n}"
        return jitscope.watch(jax.jit(f))

    functions = [named(n) for n in range(8)]

    def all_at_once():
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda f: f(X), functions))

    asked(all_at_once)
    events = [e for e in asked.recording.events if isinstance(e, CompilationEvent) and e.program.startswith("f")]

    assert 8 == len(events)
    assert all([f"jit_{e.program}"] == [one.key.rpartition("-")[0] for one in e.caches] for e in events)


def test_an_error_of_jaxs_passes_through(configure, tmp_path, monkeypatch):
    configure(tmp_path / "cache", jax_raise_persistent_cache_errors=True)

    def put(self, key, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jax._src.lru_cache.LRUCache.put", put)
    with pytest.raises(OSError, match="No space left"):
        call()()


def test_an_error_of_ours_does_not(configure, tmp_path, monkeypatch, asked):
    from jitscope.capture import switches

    monkeypatch.setattr(switches, "STRICT", False)
    monkeypatch.setattr(privates, "folder", lambda: 1 / 0)
    configure(tmp_path / "cache")
    result = []
    asked(lambda: result.append(float(f_of()(X))))

    assert [50.0] == result


def test_phases_hold_reading_and_writing_and_add_up(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    (first,) = asked(call())
    (event,) = [e for e in asked.recording.events if isinstance(e, CompilationEvent) and e.program == "f"]
    phases = {phase.name: phase.seconds for phase in event.phases}

    assert first.write_seconds == phases["cache_write"]
    assert event.seconds <= event.wall_seconds


# -- the key -------------------------------------------------------------------------------------------


def why(asked, before, action):
    """What changed since ``before``, part by part."""
    asked(action)
    (miss,) = misses_of([before], asked.recording, "f").misses
    return {change.part: change for change in miss.changes}


@pytest.fixture
def before(configure, asked, tmp_path):
    """The run before: f, in an empty cache."""
    configure(tmp_path / "cache")
    asked(call())
    restart()
    return asked.recording


def test_all_eight_parts_of_jaxs_own_log_are_recorded_with_its_hashes(configure, asked, tmp_path, caplog_of):
    configure(tmp_path / "cache")
    records = caplog_of("jax._src.cache_key")
    (lookup,) = asked(call())
    parts = key_story(lookup.parts, index_events(asked.recording).keys).parts
    logged = dict(
        line.removeprefix("get_cache_key hash of serialized ").split(": ")
        for line in records
        if line.startswith("get_cache_key hash of serialized ")
    )

    assert 8 == len(logged)
    assert {name: digest[:16] for name, digest in logged.items()} == {
        part.name: part.digest for part in parts.values() if part.digest
    }


@pytest.fixture
def caplog_of():
    """The messages of a logger, at DEBUG, as a list that fills."""
    import logging

    open_ = []

    def watch(name):
        messages = []
        handler = logging.Handler()
        handler.emit = lambda record: messages.append(record.getMessage())
        logger = logging.getLogger(name)
        open_.append((logger, handler, logger.level))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        return messages

    yield watch
    for logger, handler, level in open_:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_a_captured_number_is_named(asked, before):
    changes = why(asked, before, call(3.5))

    assert ["computation"] == list(changes)
    assert "scale, which the function takes from around it: 2.5 → 3.5" in changes["computation"].inside
    assert "a constant: 2.5 → 3.5" in changes["computation"].inside


def test_the_contents_of_a_captured_array_are_said_to_have_changed_and_not_recorded(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    asked(call(array=np.arange(20, dtype=np.float32)))
    first = asked.recording
    restart()
    changes = why(asked, first, call(array=np.arange(20, dtype=np.float32)[::-1].copy()))

    assert ("only the contents of a constant array, which are not recorded",) == changes["computation"].inside


def test_another_name_of_the_function_is_named(asked, before):
    def g(x):
        return (x * 2.5).sum()

    asked(lambda: jitscope.watch(jax.jit(g))(X))
    (miss,) = [one for one in misses_of([before], asked.recording).misses if one.program == "g"]

    assert ("the function's name: f → g",) == miss.changes[0].inside


def test_another_version_is_named(asked, before, monkeypatch):
    monkeypatch.setattr(cache_key, "jaxlib_version_str", "9.9.9")
    changes = why(asked, before, call())

    assert ["jax_lib version"] == list(changes)
    assert "9.9.9" == changes["jax_lib version"].new


def test_a_flag_is_named(asked, before, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_invented_flag=true")
    changes = why(asked, before, call())

    assert ["XLA flags"] == list(changes)
    assert ("new: --xla_invented_flag=true",) == changes["XLA flags"].inside


def test_a_compiler_option_is_named(asked, before):
    changes = why(asked, before, call(compiler_options={"xla_cpu_enable_fast_min_max": True}))

    assert ["compile_options"] == list(changes)
    assert "xla_cpu_enable_fast_min_max" in changes["compile_options"].inside[0]


def test_the_custom_hook_is_named(asked, before, monkeypatch):
    monkeypatch.setattr(cache_key, "custom_hook", lambda: "my stamp 2")
    changes = why(asked, before, call())

    assert ["custom_hook"] == list(changes)
    assert "my stamp 2" == changes["custom_hook"].new


def test_another_folder_is_named(configure, asked, before, tmp_path):
    """JAX 0.10.2 makes the folder's path a part of the key; in 0.12 the key is the same."""
    configure(tmp_path / "elsewhere")
    asked(call())
    (miss,) = misses_of([before], asked.recording, "f").misses
    if miss.kind == "other_folder":
        assert str(tmp_path / "elsewhere") in miss.told
        assert str(tmp_path / "cache") in miss.told
        return
    (change,) = miss.changes

    assert "compile_options" == change.part
    assert str(tmp_path / "elsewhere") in change.inside[0]
    assert "under the same path" in change.fix


def test_the_same_key_whose_entry_is_gone_says_so(asked, before, tmp_path):
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    asked(call())
    (miss,) = misses_of([before], asked.recording, "f").misses

    assert "gone" == miss.kind


def test_a_hit_has_nothing_to_explain(asked, before):
    asked(call())

    found = misses_of([before], asked.recording, "f")

    assert (1, 1, ()) == (found.hits, found.asked, found.misses)


def test_contents_of_arrays_are_not_in_the_recording(configure, asked, tmp_path):
    configure(tmp_path / "cache")
    (lookup,) = asked(call(array=np.full(20, 123456.75, np.float32) + np.arange(20, dtype=np.float32)))
    text = key_story(lookup.parts, index_events(asked.recording).keys).text

    assert "__elided__" in text
    assert "123456" not in text


# -- do no harm ------------------------------------------------------------------------------------------

LOGGED = """
import json, logging, os, sys
import numpy as np
import jax
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
for name in ("jax._src.cache_key", "jax._src.compilation_cache"):
    logging.getLogger(name).setLevel(logging.DEBUG)
for name in ("jax", "asyncio"):
    logging.getLogger(name).setLevel(logging.INFO)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_compilation_cache_dir", os.environ["FOLDER"])
def f(x): return (x * 2.5 + 1).sum()
g = jax.jit(f)
if os.environ["WATCH"] == "1":
    import jitscope
    g = jitscope.watch(g)
print(float(g(np.ones(3, np.float32))))
print(sorted(os.listdir(os.environ["FOLDER"])))
"""


def _without_times(text):
    """JAX logs what compiling took, and when (up to 0.8)."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+", "then", text)
    return re.sub(r"\(?\d+\.\d+s\)?|in \d+\.\d+ sec", "#", text)


def test_what_jax_logs_and_writes_is_the_same_byte_for_byte(tmp_path):
    plain = run(LOGGED, FOLDER=str(tmp_path / "cache"), WATCH="0")
    shutil.rmtree(tmp_path / "cache")
    watched = run(LOGGED, FOLDER=str(tmp_path / "cache"), WATCH="1")

    assert _without_times(plain.stdout) == _without_times(watched.stdout)
    assert "get_cache_key hash of serialized computation" in plain.stdout + plain.stderr
    assert _without_times(plain.stderr) == _without_times(watched.stderr)


ACROSS = """
import os, json
import numpy as np
import jax, jitscope
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
def f(x): return (x * 2.5 + 1).sum()
g = jitscope.watch(jax.jit(f))
with jitscope.record(os.environ["OUT"]):
    g(np.ones(3, np.float32))
"""


def test_a_second_process_hits_what_the_first_one_wrote(tmp_path):
    for name in ("a", "b"):
        run(ACROSS, OUT=str(tmp_path / f"{name}.jsonl"), JAX_COMPILATION_CACHE_DIR=str(tmp_path / "cache"))
    lines = [json.loads(line) for name in ("a", "b") for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
    found = [lookup["result"] for line in lines for lookup in line.get("caches", ())]

    assert ["miss", "hit"] == found
