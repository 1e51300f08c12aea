"""What the report and ``jitscope cache`` say of caches on disk, to the letter."""

import os
from pathlib import Path

import pytest
from builders import array, compilation, function, header, recording, runs, signature, signatures

from jitscope.analysis.build import build_report
from jitscope.analysis.cache_misses import misses_of
from jitscope.analysis.disk_sums import disk_sums
from jitscope.analysis.story import story_of
from jitscope.model.caching import CacheKeyEvent, CacheLookup, KeyPart, pack
from jitscope.model.disk import (
    DISK_SCHEMA,
    CacheCheck,
    CacheChecks,
    CachePruning,
    CachePrunings,
    DiskEntry,
    DiskFolder,
    DiskListing,
    KeptEntry,
)
from jitscope.model.events import Phase
from jitscope.render.disk import render_disk_listing, render_disk_sums
from jitscope.render.disk_changes import render_cache_checks, render_cache_pruning
from jitscope.render.misses import render_misses
from jitscope.render.text import render_text
from jitscope.render.why import render_why

HERE = Path(__file__).parent / "caches"
NOW = 1_800_000_000.0
DAY = 86400.0
KEY = "jit_train_step-" + "ab" * 32


def run(scale="2.0", version="0.10.2", run="20261122-205427-4242"):
    """A training step that hit, one that was compiled anew, one that was not worth an entry, an op that calls back."""
    text = f"module @jit_train_step {{\n  %cst = stablehlo.constant dense<{scale}> : tensor<f32>\n}}"
    key = CacheKeyEvent(
        id=90,
        cache="jax",
        key=f"{KEY[:-1]}{scale[0]}",
        parts=(KeyPart("computation", f"c{scale}"), KeyPart("jax_lib version", f"v{version}", version)),
        packed=pack(text),
        captured={"LEARNING_RATE": scale},
    )
    phases = (
        Phase("trace", 0.0, 0.5),
        Phase("lower", 0.5, 0.25),
        Phase("compile", 0.75, 0.01),
        Phase("cache_read", 0.8, 0.2),
    )
    hit = CacheLookup("jax", "hit", key=KEY, read_seconds=0.2, stored_seconds=41.0, stored_whole=True, folder="/cache")
    miss = CacheLookup(
        "jax", "miss", key=key.key, parts=90, reason="no_entry", folder="/cache", read_seconds=0.001,
        write_seconds=0.05, written=True, compile_seconds=1.6,
    )  # fmt: skip
    quick = CacheLookup(
        "jax", "miss", key="jit_add-1", reason="no_entry", folder="/cache", read_seconds=0.001, written=False,
        unwritten="too_quick", unwritten_words="jax_persistent_cache_min_compile_time_secs is 1",
    )  # fmt: skip
    off = CacheLookup("fx_graph", "off", reason="disabled", words="torch._inductor.config.force_disable_caches is True")
    return recording(
        function(1, "train_step"),
        *signatures(1, signature(array("x", "f32", 64)), signature(array("x", "f32", 32))),
        key,
        compilation(
            10, call=1, signature=1, phases=phases, persistent_cache="hit", caches=(hit,), program="train_step"
        ),
        compilation(
            11, call=2, signature=2, persistent_cache="miss", seconds=2.0, caches=(miss,), program="train_step"
        ),
        compilation(12, None, seconds=0.1, program="add", library=True, caches=(quick,)),
        compilation(13, None, seconds=9.0, program="f", framework="torch", caches=(off,)),
        runs(1, (1, "compile", 1), (2, "compile", 1), (1, "hit", 8)),
        header=header(run=run),
    )


def folder():
    hour = 3600.0
    return DiskFolder(
        "/home/u/.cache/jax",
        "jax",
        "JAX_COMPILATION_CACHE_DIR",
        (
            DiskEntry("jax", KEY, ("a-cache",), 48_200_000, NOW - 12 * DAY, NOW - hour, "cache", "jit_train_step", 41.0,
                      whole_seconds=True, measured=41.62, function="Trainer.train_step", run="20261122-205427-4242"),
            DiskEntry("jax", "jit_eval-" + "cd" * 32, ("b-cache",), 9_100, NOW - 3 * DAY, None, "unknown", "jit_eval",
                      0.0, whole_seconds=True),
            DiskEntry("jax", "jit_\x1b[2J-" + "ef" * 32, ("c-cache",), 12, NOW - 40 * DAY, None, "unknown",
                      "jit_\x1b[2J",
                      problem="cut off"),
        ),
        strangers=2,
    )  # fmt: skip


def torch_folder():
    return DiskFolder(
        "/tmp/torchinductor_u",
        "torch",
        "Inductor's default",
        (
            DiskEntry(
                "aot_autograd", "a" + "b" * 51, ("x",), 149_400, NOW - DAY, NOW - 7200, "file system", None, 20.6
            ),
            DiskEntry("code", "c" + "d" * 51, ("y.cpp", "y.so"), 25_000, NOW - DAY),
            DiskEntry("header", "c" + "e" * 51, ("z.h.gch",), 156_000_000, NOW - DAY),
        ),
    )


def listing():
    missing = DiskFolder("/gone", "triton", "TRITON_CACHE_DIR", error="cannot look into /gone: permission denied")
    return DiskListing(DISK_SCHEMA, (folder(), torch_folder(), missing))


def pruning():
    chosen, kept = folder().entries[1:], (KeptEntry("k", "written a moment ago"),)
    return CachePrunings(
        DISK_SCHEMA, dry_run=True, folders=(CachePruning("/home/u/.cache/jax", "jax", chosen, kept, 48_200_000),)
    )


def checks():
    return CacheChecks(
        DISK_SCHEMA,
        (CacheCheck("/home/u/.cache/jax", "jax", 3, folder().entries[2:], {}),
         CacheCheck("/tmp/torchinductor_u", "torch", 2, (), {"a compiler's own format": 1})),
    )  # fmt: skip


CASES = {
    "report": lambda: render_text(build_report(run()), width=80, color=False, source="run.jsonl"),
    "report_measured": lambda: render_text(build_report(run(), {KEY: 41.6}), width=80, color=False, source="run.jsonl"),
    "why_1": lambda: render_why(story_of(run(), "train_step#1"), width=80, color=False, source="run.jsonl"),
    "why_2": lambda: render_why(story_of(run(), "train_step#2"), width=80, color=False, source="run.jsonl"),
    "misses": lambda: render_misses(
        misses_of([run("5.0", "0.9.0", "20261121-100000-17")], run()), width=80, color=False
    ),
    "misses_first": lambda: render_misses(misses_of([], run()), width=80, color=False),
    "misses_none": lambda: render_misses(misses_of([], recording(function(1))), width=80, color=False),
    "listing": lambda: render_disk_listing(listing(), now=NOW, width=80, color=False),
    "listing_all": lambda: render_disk_listing(listing(), sort="size", all_=True, now=NOW, width=80, color=False),
    "sums": lambda: render_disk_sums(disk_sums(listing()), now=NOW, width=80, color=False),
    "pruning": lambda: render_cache_pruning(pruning(), width=80, color=False),
    "checks": lambda: render_cache_checks(checks(), width=80, color=False),
}


@pytest.mark.parametrize("name", CASES)
def test_text_of_caches_at_80_columns(name):
    text = CASES[name]()
    path = HERE / f"{name}.txt"
    if os.environ.get("JITSCOPE_UPDATE_GOLDEN"):
        HERE.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", CASES)
def test_no_line_is_too_long_or_a_terminals_command(name):
    text = CASES[name]()

    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("jitscope "))
