"""The caches of Inductor and AOTAutograd on disk, as torch itself uses them, in two processes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from subprocesses import run

torch = pytest.importorskip("torch")

from jitscope.analysis.build import build_report  # noqa: E402
from jitscope.analysis.cache_misses import misses_of  # noqa: E402
from jitscope.caches.folders import read_named  # noqa: E402
from jitscope.caches.verify import verify  # noqa: E402
from jitscope.capture.frameworks import torch_cache_privates as privates  # noqa: E402
from jitscope.model.events import CompilationEvent, PhaseEvent  # noqa: E402
from jitscope.store.reader import load  # noqa: E402

compiler = pytest.mark.skipif(
    shutil.which("g++") is None and shutil.which("c++") is None, reason="needs a C++ compiler"
)
real = [pytest.mark.inductor, pytest.mark.slow, compiler]

COMMON = """
import os, shutil
from pathlib import Path
import torch, jitscope
import torch._functorch.config as functorch
import torch._inductor.config as inductor
out = Path(os.environ["OUT"])
SCALE = 2.5
def f(x):
    return (x.sin() * SCALE).sum()
def step(name):
    torch.compiler.reset()
    g = jitscope.watch(torch.compile(f))
    with jitscope.record(out / f"{name}.jsonl"):
        x = torch.ones(30, requires_grad=True)
        g(x).backward()
"""
FIRST = (
    COMMON
    + """
step("first")
(out / "artifacts").write_bytes(torch.compiler.save_cache_artifacts()[0])
"""
)
SECOND = (
    COMMON
    + """
step("second")
with inductor.patch(max_fusion_size=17):
    step("config")
with inductor.patch(post_grad_custom_pre_pass=lambda graph: None):
    step("pass")
with inductor.patch(force_disable_caches=True):
    step("off")
with functorch.patch(enable_autograd_cache=False):
    step("no_aot")
for part in ("fxgraph", "aotautograd"):
    shutil.rmtree(Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]) / part)
torch.compiler.load_cache_artifacts((out / "artifacts").read_bytes())
step("artifacts")
SCALE = 3.5
step("constant")
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two processes recorded, and the cache that they shared."""
    out = tmp_path_factory.mktemp("disk")
    for program in (FIRST, SECOND):
        run(program, OUT=str(out), TORCHINDUCTOR_CACHE_DIR=str(out / "cache"), JITSCOPE_STRICT="1")
    return out


def recorded(folder: Path, name: str):
    return load(folder / f"{name}.jsonl")


def asked(folder, name):
    """The last word on each lookup, by cache and direction."""
    events = recorded(folder, name).events
    lookups = [one for e in events if isinstance(e, CompilationEvent | PhaseEvent) for one in e.caches]
    return {(one.cache, one.backward): one for one in lookups}


AOT, FX, BACKWARD = ("aot_autograd", False), ("fx_graph", False), ("fx_graph", True)


def test_all_hooks_are_there():
    assert [] == [one.name for one in privates.CAPABILITIES if not one.found()]


@pytest.mark.parametrize(
    ("returned", "state"),
    [((len, "config"), "hit"), (len, "hit"), ((None, "config"), "miss"), (None, "miss")],
    ids=["2.13", "2.11", "2.13 none", "2.11 none"],
)
def test_a_load_is_a_hit_in_the_shapes_that_versions_return_it_in(returned, state):
    class Told:
        seen: list[str] = []  # noqa: RUF012

        def looked(self, cache, seconds, known):
            self.seen.append(known["state"])

    told = Told()
    assert returned == privates._AotContext().around_load(lambda: returned, told, lambda: 0.0)()
    assert [state] == told.seen


EARLY = """
from jitscope.capture import autowatch
autowatch.install()
import torch
from torch.compiler._cache import CacheArtifactManager
class Artifact:
    key = "f123"
    def type(self): return "inductor"
    def populate_cache(self): print("populated")
info = CacheArtifactManager.populate_caches({"inductor": [Artifact()]})
from jitscope.capture.frameworks.torch_cache_privates import came_with_artifacts
print(info.artifacts["inductor"], came_with_artifacts("fx_graph", "f123"), came_with_artifacts("fx_graph", "f4"))
"""


def test_a_mega_cache_that_is_loaded_before_anything_is_compiled_is_seen():
    assert "populated\n['f123'] True False\n" == run(EARLY).stdout


def test_what_does_not_use_inductor_has_no_lookups(recorded):
    import jitscope

    g = jitscope.watch(torch.compile(lambda x: x + 1, backend="eager"))
    with jitscope.record(recorded.path):
        g(torch.ones(3))

    assert [()] == [event.caches for event in recorded.events(CompilationEvent)]


class TestReal:
    """Compiled for real, once."""

    pytestmark = real

    def test_the_first_process_misses_and_writes(self, folder):
        found = asked(folder, "first")

        assert {AOT, FX, BACKWARD} == set(found)
        assert {("miss", "no_entry", True)} == {(one.result, one.reason, one.written) for one in found.values()}
        assert all(one.compile_seconds > 0 and one.write_seconds > 0 for one in found.values())

    def test_keys_are_the_names_of_what_is_on_disk(self, folder):
        keys = {one.key for one in asked(folder, "first").values()}
        on_disk = {entry.key for entry in read_named(folder / "cache").entries}

        assert keys <= on_disk

    def test_the_second_process_hits_and_the_entries_say_what_that_saved(self, folder):
        first, second = asked(folder, "first"), asked(folder, "second")

        assert {"hit"} == {one.result for one in second.values()}
        assert {one.key for one in first.values()} == {one.key for one in second.values()}
        assert first[FX].compile_seconds == pytest.approx(second[FX].stored_seconds)
        assert first[AOT].compile_seconds == pytest.approx(second[AOT].stored_seconds)

    def test_what_torch_counts_is_what_is_reported(self, folder):
        caches = {one.name: one for one in build_report(recorded(folder, "second")).caches}

        assert (1, 0) == (caches["aot_autograd"].hits, caches["aot_autograd"].misses)
        assert (2, 0) == (caches["fx_graph"].hits, caches["fx_graph"].misses)
        assert 0 == caches["fx_graph"].saved_unknown

    def test_an_entry_written_after_the_backward_graph_is_counted_once(self, folder):
        caches = {one.name: one for one in build_report(recorded(folder, "first")).caches}

        assert (1, 1) == (caches["aot_autograd"].misses, caches["aot_autograd"].written)
        assert (2, 2) == (caches["fx_graph"].misses, caches["fx_graph"].written)

    def test_a_changed_setting_is_named(self, folder):
        misses = {one.cache: one for one in misses_of([recorded(folder, "first")], recorded(folder, "config")).misses}
        (change,) = misses["fx_graph"].changes

        assert ("torch._inductor.config.max_fusion_size", "64", "17") == (change.title, change.old, change.new)
        # 2.13 hashes Inductor's settings as a whole in this key, 2.11 one by one.
        assert [misses["aot_autograd"].changes[0].part] == [one.part for one in misses["aot_autograd"].changes]
        assert misses["aot_autograd"].changes[0].part in ("inductor_config", "inductor_config[max_fusion_size]")

    def test_a_captured_constant_is_named(self, folder):
        misses = misses_of([recorded(folder, "first")], recorded(folder, "constant")).misses
        graphs = {(one.cache, one.backward): one.changes[0] for one in misses}

        assert {AOT, FX, BACKWARD} == set(graphs)
        for where in (AOT, FX):
            assert "SCALE, which the function takes from around it: 2.5 → 3.5" in graphs[where].inside
            assert "a constant: 2.5 → 3.5" in graphs[where].inside

    def test_what_torch_does_not_cache_is_told_in_its_words(self, folder):
        found = asked(folder, "pass")

        assert ("bypass", "not_cacheable") == (found[FX].result, found[FX].reason)
        assert "Unsupported post grad custom pass" in found[FX].words
        assert "Unsupported post grad custom pass" in found[AOT].words

    def test_caches_that_are_off_say_by_which_setting(self, folder):
        found = asked(folder, "off")

        assert {"off"} == {one.result for one in found.values()}
        assert all("force_disable_caches" in one.words for one in found.values())

    def test_one_cache_can_be_off_while_the_other_hits(self, folder):
        found = asked(folder, "no_aot")

        assert ("off", "hit") == (found[AOT].result, found[FX].result)
        assert "enable_autograd_cache" in found[AOT].words

    def test_entries_that_a_mega_cache_brought_say_so(self, folder):
        found = asked(folder, "artifacts")

        assert {("hit", "artifacts")} == {(one.result, one.reason) for one in found.values()}

    def test_torchs_own_folder_is_read_and_found_whole(self, folder):
        found = read_named(folder / "cache")
        kinds = {entry.kind for entry in found.entries}

        assert {"fx_graph", "aot_autograd", "code"} <= kinds
        assert () == verify(found).broken
        assert 0 == found.strangers

    def test_stored_seconds_are_read_without_loading(self, folder):
        seconds = {entry.key: entry.seconds for entry in read_named(folder / "cache").entries}

        for one in asked(folder, "first").values():
            assert one.compile_seconds == pytest.approx(seconds[one.key])

    def test_nothing_of_ours_went_wrong(self, folder):
        for path in folder.glob("*.jsonl"):
            assert "internal-error" not in path.read_text()
