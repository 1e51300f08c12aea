"""Caches on disk, read, checked and pruned without the frameworks: folders made by hand, hostile ones among them."""

import contextlib
import fcntl
import hashlib
import os
import pickle
import shutil
import time
import zlib
from pathlib import Path

import pytest
from cachedirs import OLD, age, atime, b32, code_entry, fx_entry, jax_entry, triton_entry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jitscope.caches import prune as pruning
from jitscope.caches.folders import read_named
from jitscope.caches.pickled import numbers_in
from jitscope.caches.prune import choose, prune
from jitscope.caches.verify import verify
from jitscope.errors import JitscopeError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def entries(folder):
    return {entry.key: entry for entry in read_named(folder).entries}


def only(folder):
    (entry,) = read_named(folder).entries
    return entry


def all_files(folder):
    return {path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def prune_all(folder, **fields):
    """Delete everything that may be."""
    found = read_named(folder)
    return prune(found, found.entries, **({"dry_run": False} | fields))


# -- reading ---------------------------------------------------------------------------------------


def test_an_entry_of_jax_tells_its_program_and_its_whole_seconds(folder):
    path = jax_entry(folder, "jit_step", seconds=7)
    entry = only(folder)

    assert ("jax", "jit_step", 7.0, True) == (entry.kind, entry.program, entry.seconds, entry.whole_seconds)
    assert (path.stat().st_size, None) == (entry.bytes, entry.problem)


def test_jaxs_own_time_stamp_says_when_an_entry_was_used(folder):
    atime(jax_entry(folder), 3600)
    entry = only(folder)

    assert "cache" == entry.used_by
    assert 3600 == pytest.approx(time.time() - entry.used, abs=60)
    assert 2 == len(entry.files)


def test_without_one_the_file_system_may_say_it(folder):
    path = jax_entry(folder)
    os.utime(path, (time.time() - 50, path.stat().st_mtime))

    assert "file system" == only(folder).used_by


def test_a_file_that_was_never_read_has_no_last_use(folder):
    jax_entry(folder)

    assert (None, "unknown") == (only(folder).used, only(folder).used_by)


def test_reading_does_not_change_when_a_file_was_read(folder):
    path = jax_entry(folder)
    before = path.stat().st_atime_ns
    entries(folder)
    verify(read_named(folder))

    assert before == path.stat().st_atime_ns


def test_an_entry_of_inductor_tells_what_compiling_took(folder):
    fx_entry(folder, nanoseconds=2_500_000_000)

    assert ("fx_graph", 2.5, False) == (only(folder).kind, only(folder).seconds, only(folder).whole_seconds)


def test_code_is_one_entry_with_what_was_built_from_it(folder):
    code_entry(folder)

    assert ("code", 2) == (only(folder).kind, len(only(folder).files))


def test_a_kernel_of_triton_has_its_name(folder):
    triton_entry(folder, name="triton_poi_add")

    assert ("triton", "triton_poi_add") == (only(folder).kind, only(folder).program)


def test_inductors_folder_holds_tritons_kernels_too(folder):
    fx_entry(folder)
    triton_entry(folder / "triton" / "0")

    assert {"fx_graph", "triton"} == {entry.kind for entry in read_named(folder).entries}
    assert "torch" == read_named(folder).kind


def test_other_files_are_counted_and_are_no_entries(folder):
    jax_entry(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "sub").mkdir()
    jax_entry(folder / "sub")

    assert (1, 2) == (len(read_named(folder).entries), read_named(folder).strangers)


def test_an_empty_folder_has_no_entries(folder):
    folder.mkdir()

    assert () == read_named(folder).entries


def test_a_link_to_an_entry_is_none(folder, tmp_path):
    outside = jax_entry(tmp_path / "outside")
    jax_entry(folder, number=1)
    (folder / outside.name).symlink_to(outside)

    assert 1 == len(read_named(folder).entries)


def test_a_folder_that_is_missing_is_an_error(folder):
    with pytest.raises(JitscopeError, match="does not exist"):
        read_named(folder)


def test_a_file_is_an_error(tmp_path):
    with pytest.raises(JitscopeError, match="is a file"):
        read_named(jax_entry(tmp_path / "cache"))


def test_a_foreign_folder_is_an_error_and_stays(folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(JitscopeError, match=r"no compilation cache.*nothing was touched"):
        read_named(folder)

    assert (folder / "thesis.tex").exists()


SHA = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "mine",
    [
        f"cache/{SHA}",
        f"thesis-{SHA}-cache",
        f"{'A' * 52}/thesis.tex",
        f"ab/c{'x' * 51}.py",
        f"fxgraph/ab/f{'x' * 51}/{'y' * 51}",
        f"aotautograd/notes/{'y' * 51}",
    ],
)
def test_a_folder_that_merely_looks_like_a_cache_is_an_error_and_stays(folder, mine):
    (folder / mine).parent.mkdir(parents=True)
    age((folder / mine, (folder / mine).write_text("mine"))[0])
    with pytest.raises(JitscopeError, match=r"no compilation cache.*nothing was touched"):
        read_named(folder)


def test_results_of_autotuning_beside_other_entries_are_inductors(folder):
    fx_entry(folder)
    (folder / "cache").mkdir()
    (folder / "cache" / SHA).write_text("{}")

    assert {"fx_graph", "autotune"} == {one.kind for one in read_named(folder).entries}


def test_a_part_of_inductors_folder_is_an_error_that_names_the_whole(folder):
    fx_entry(folder)
    with pytest.raises(JitscopeError, match=f"name {folder}"):
        read_named(folder / "fxgraph")


def test_a_loop_of_links_is_an_error(folder):
    folder.symlink_to(folder)
    with pytest.raises(JitscopeError, match=r"cannot look into|does not exist"):
        read_named(folder)


def test_a_folder_that_may_not_be_looked_into_is_an_error(folder, monkeypatch):
    jax_entry(folder)

    def scandir(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("jitscope.caches.files.os.scandir", scandir)
    with pytest.raises(JitscopeError, match="permission denied; check its permissions"):
        read_named(folder)


# -- checking --------------------------------------------------------------------------------------


def problem(folder):
    (one,) = verify(read_named(folder)).broken
    return one.problem


def test_whole_entries_are_whole(folder, tmp_path):
    jax_entry(folder)
    fx_entry(tmp_path / "torch")
    code_entry(tmp_path / "torch")
    triton_entry(tmp_path / "triton")

    for where in (folder, tmp_path / "torch", tmp_path / "triton"):
        found = verify(read_named(where))
        assert (True, ()) == (found.checked > 0, found.broken)


WHOLE = zlib.compress((3).to_bytes(4, "big") + bytes(range(256)) * 20)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (WHOLE[: len(WHOLE) // 2], "cut off"),
        (WHOLE[:-1], "cut off"),
        (WHOLE + b"more", "more than one entry"),
        (WHOLE[:20] + b"\xff\xff\xff" + WHOLE[23:], "damaged|cut off"),
        (b"hello", "damaged|neither zlib"),
        (b"\x00\x01", "neither zlib"),
        (zlib.compress(b"\0\0\0\1"), "holds no program"),
        (zlib.compress(b"\xff\xff\xff\xff" + b"x"), "makes no sense"),
    ],
)
def test_a_broken_entry_of_jax_is_found(folder, data, what):
    import re

    jax_entry(folder, data=data)

    assert re.search(what, problem(folder))


def test_a_time_stamp_without_an_entry_is_found(folder):
    entry = jax_entry(folder)
    atime(entry, 90)
    entry.unlink()

    assert "no entry beside its time stamp" == problem(folder)


def test_entries_packed_with_zstandard_are_read_and_checked(folder):
    zstandard = pytest.importorskip("zstandard")
    whole = zstandard.ZstdCompressor().compress((42).to_bytes(4, "big") + os.urandom(400_000))
    path = jax_entry(folder, data=whole)
    assert 42.0 == only(folder).seconds
    assert () == verify(read_named(folder)).broken
    path.write_bytes(whole[:-50_000])
    age(path)

    assert "cut off" in problem(folder)


def test_zstandard_that_can_not_be_unpacked_here_is_not_called_broken(folder, monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name in ("zstandard", "compression"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    jax_entry(folder, data=b"\x28\xb5\x2f\xfd" + b"\0" * 50)
    found = verify(read_named(folder))

    assert ((), True) == (found.broken, any("zstandard" in why for why in found.unchecked))


def test_a_changed_entry_of_inductor_is_found_by_its_name(folder):
    path = fx_entry(folder)
    path.write_bytes(path.read_bytes() + b".")

    assert "its content is not what its name says" == problem(folder)


def test_what_is_no_pickle_is_found_though_its_name_fits(folder):
    fx_entry(folder, content=b"hello")

    assert "no whole pickle" == problem(folder)


class Trap:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_no_pickle_is_ever_loaded(folder, tmp_path):
    sign = tmp_path / "sprung"
    fx_entry(folder, content=pickle.dumps(Trap(sign)))
    entries(folder)
    found = verify(read_named(folder))
    prune_all(folder)

    assert ((), False) == (found.broken, sign.exists())


def test_an_empty_library_and_a_false_one_are_found(folder):
    for number, data in enumerate((b"", b"hello")):
        library = code_entry(folder, number)
        library.write_bytes(data)
        age(library)

    assert {"empty file", True} == {
        one.problem if "empty" in one.problem else one.problem.endswith("is no library")
        for one in verify(read_named(folder)).broken
    }


def test_a_kernel_with_a_broken_description_is_found(folder):
    description = triton_entry(folder) / "triton_poi_add.json"
    description.write_text("{")
    age(description)

    assert "triton_poi_add.json is no JSON" == problem(folder)


def test_an_entry_that_is_being_written_is_not_called_broken(folder):
    """JAX writes in place: what is half there may be whole in a moment."""
    whole = jax_entry(folder, size=10_000).read_bytes()
    jax_entry(folder, number=1, data=whole[: len(whole) // 2], old=5)
    old = jax_entry(folder, number=2, data=whole[: len(whole) // 2], old=90)
    found = verify(read_named(folder))

    assert [old.name] == [entry.files[0] for entry in found.broken]
    assert (2, [1]) == (found.checked, list(found.unchecked.values()))
    assert "may still be writing" in next(iter(found.unchecked))


def test_an_entry_that_vanishes_is_not_called_broken(folder):
    path = jax_entry(folder)
    found = read_named(folder)
    path.unlink()

    assert (0, ()) == (verify(found).checked, verify(found).broken)


def test_what_may_not_be_read_is_found(folder):
    path = jax_entry(folder)
    found = read_named(folder)
    path.unlink()
    path.symlink_to("/etc/hostname")  # a link is never followed: to the check it can't be read

    assert "cannot be read" in verify(found).broken[0].problem


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading_of_pickles(data):
    with contextlib.suppress(ValueError):
        numbers_in(data, ("_time_taken_ns",))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_entries(tmp_path, data):
    folder = tmp_path / "any"
    jax_entry(folder, data=data)
    fx_entry(folder.with_name("torch"), content=data)

    assert 1 == verify(read_named(folder)).checked + len(verify(read_named(folder)).unchecked)
    shutil.rmtree(folder.with_name("torch"))


# -- choosing --------------------------------------------------------------------------------------

NOW = time.time()


def test_what_was_not_used_for_so_long_is_chosen(folder):
    old, new = jax_entry(folder, number=1, old=10 * 86400), jax_entry(folder, number=2, old=86400)
    chosen = choose(read_named(folder), now=time.time(), older_than=5 * 86400)

    assert [(old.name,)] == [entry.files for entry in chosen]
    assert new.exists()


def test_an_old_entry_that_was_used_lately_stays(folder):
    atime(jax_entry(folder, old=10 * 86400), 3600)

    assert [] == choose(read_named(folder), now=time.time(), older_than=5 * 86400)


def test_the_ones_used_longest_ago_go_until_the_rest_fits(folder):
    paths = [jax_entry(folder, number=n, old=(10 - n) * 86400) for n in range(4)]
    sizes = [path.stat().st_size for path in paths]
    chosen = choose(read_named(folder), now=time.time(), max_size=sum(sizes[2:]))

    assert [(paths[0].name,), (paths[1].name,)] == [entry.files for entry in chosen]


def test_age_and_size_together(folder):
    paths = [jax_entry(folder, number=n, old=(10 - n) * 86400) for n in range(4)]
    chosen = choose(read_named(folder), now=time.time(), older_than=9.5 * 86400, max_size=paths[3].stat().st_size)

    assert 3 == len(chosen)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3000)), max_size=6), st.integers(0, 6000))
def test_what_stays_always_fits_and_nothing_goes_in_vain(tmp_path, many, most):
    folder = tmp_path / f"c{time.monotonic_ns()}"
    folder.mkdir()
    for n, (days, size) in enumerate(many):
        jax_entry(folder, number=n, old=days * 86400, size=size)
    found = read_named(folder)
    chosen = choose(found, now=time.time(), max_size=most)
    left = found.bytes - sum(entry.bytes for entry in chosen)

    assert left <= most
    assert not chosen or left + chosen[-1].bytes > most


# -- deleting --------------------------------------------------------------------------------------


def test_a_dry_run_deletes_nothing_and_says_what_it_would(folder):
    jax_entry(folder)
    before = all_files(folder)
    done = prune_all(folder, dry_run=True)

    assert (1, 0, before) == (len(done.deleted), done.left, all_files(folder))


def test_an_entry_goes_with_its_time_stamp(folder):
    atime(jax_entry(folder), 3600)
    done = prune_all(folder)

    assert (1, set()) == (len(done.deleted), all_files(folder))


def test_entries_of_torch_go_with_their_own_folders_and_no_others(folder):
    fx_entry(folder)
    code_entry(folder)
    prune_all(folder)

    assert set() == all_files(folder)
    assert (folder / "fxgraph").is_dir()
    assert not any((folder / "fxgraph").glob("*/*"))


def test_other_files_stay_whatever_they_are_called(folder):
    jax_entry(folder)
    others = [
        "notes-cache",
        "jit_f-" + "g" * 64 + "-cache",
        "jit_f-" + "a" * 63 + "-cache",
        "jit_f-" + "a" * 64 + "-cache~",
        "x\ny",
        " ",
        ".lockfile",
    ]
    for name in others:
        age(folder / name if (folder / name).write_text("mine") else folder)
    prune_all(folder)

    assert {folder / name for name in others} == all_files(folder)


def test_hostile_names_of_entries_are_names(folder):
    paths = [jax_entry(folder, program) for program in ("jit_$(rm -rf ~)", "jit_\n\x1b[2J", "jit_[red]", "..", "-rf")]
    done = prune_all(folder)

    assert (len(paths), set()) == (len(done.deleted), all_files(folder))


def test_a_link_that_takes_an_entrys_place_is_not_followed(folder, tmp_path):
    treasure = tmp_path / "treasure"
    treasure.write_text("mine")
    age(treasure)
    path = jax_entry(folder)
    found = read_named(folder)
    path.unlink()
    path.symlink_to(treasure)
    done = prune(found, found.entries, dry_run=False)

    assert ("mine", ["no plain file any more"]) == (treasure.read_text(), [one.why for one in done.kept])


def test_a_link_that_takes_a_folders_place_is_not_followed(folder, tmp_path):
    path = fx_entry(folder)
    found = read_named(folder)
    outside = tmp_path / "outside"
    shutil.move(folder / "fxgraph", outside)
    (folder / "fxgraph").symlink_to(outside)
    done = prune(found, found.entries, dry_run=False)

    assert (True, 1, 0) == (
        (outside / path.relative_to(folder / "fxgraph")).exists(),
        len(done.kept),
        len(done.deleted),
    )


def test_a_cache_that_is_a_link_itself_is_read_where_it_is(folder, tmp_path):
    jax_entry(tmp_path / "scratch")
    folder.symlink_to(tmp_path / "scratch")
    done = prune_all(folder)

    assert (1, True) == (len(done.deleted), folder.is_symlink())


def test_what_was_written_a_moment_ago_stays(folder):
    path = jax_entry(folder, old=0)
    done = prune_all(folder)

    assert (True, ["written a moment ago"]) == (path.exists(), [one.why for one in done.kept])


def test_what_is_written_anew_meanwhile_stays(folder):
    path = jax_entry(folder)
    found = read_named(folder)
    age(path, OLD / 2)
    done = prune(found, found.entries, dry_run=False)

    assert (True, ["written anew meanwhile"]) == (path.exists(), [one.why for one in done.kept])


def test_what_somebody_else_deletes_meanwhile_is_gone(folder):
    path = jax_entry(folder)
    found = read_named(folder)
    path.unlink()
    done = prune(found, found.entries, dry_run=False)

    assert (1, ()) == (len(done.deleted), done.kept)


def test_a_folder_that_jax_has_locked_is_left_alone(folder, monkeypatch):
    monkeypatch.setattr("jitscope.caches.locks.PATIENCE", 0.0)
    path = jax_entry(folder)
    with (folder / ".lockfile").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(JitscopeError, match="a program is using"):
            prune_all(folder)

    assert path.exists()
    assert 1 == len(prune_all(folder).deleted)


def test_the_lock_is_jaxs_own(folder, monkeypatch):
    filelock = pytest.importorskip("filelock")
    monkeypatch.setattr("jitscope.caches.locks.PATIENCE", 0.0)
    path = jax_entry(folder)
    with filelock.FileLock(folder / ".lockfile"), pytest.raises(JitscopeError, match="a program is using"):
        prune_all(folder)

    assert path.exists()


def test_a_folder_in_which_inductor_builds_is_left_alone(folder):
    path = code_entry(folder)
    (folder / "locks").mkdir()
    with (folder / "locks" / "c1.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(JitscopeError, match="a program is using"):
            prune_all(folder)
    assert path.exists()
    prune_all(folder)

    assert {folder / "locks" / "c1.lock"} == all_files(folder)


def test_a_lock_that_is_a_link_is_not_opened(folder, tmp_path):
    path = jax_entry(folder)
    (folder / ".lockfile").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JitscopeError, match="cannot ask for the lock"):
        prune_all(folder)

    assert (True, False) == (path.exists(), (tmp_path / "elsewhere").exists())


_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.tuples(_NAMES, st.sampled_from(["plain", "folder", "link", "entry"])), max_size=8))
def test_whatever_lies_in_a_folder_only_entries_go_and_nothing_outside(tmp_path, things):
    base = tmp_path / f"p{time.monotonic_ns()}"
    folder, outside = base / "cache", base / "outside"
    outside.mkdir(parents=True)
    jax_entry(folder, "jit_sure")
    kept = jax_entry(outside, "jit_outside")
    expected = set()
    for name, kind in things:
        path = folder / name
        if path.exists() or path.is_symlink():
            continue
        if kind == "plain":
            path.write_text("mine")
            expected.add(age(path))
        elif kind == "folder":
            path.mkdir()
            expected.add(jax_entry(path, "jit_inner"))
        elif kind == "link":
            path.symlink_to(outside)
            expected.add(path)
        elif len(name.encode()) < 150:
            jax_entry(folder, name)
    prune_all(folder)

    assert kept.exists()
    assert expected == all_files(folder)


def test_the_minute_of_grace_is_a_minute():
    assert 60 == pruning.YOUNG


def test_names_of_content_are_inductors():
    # Of an entry that torch 2.13 wrote: sha256 in base 32, 51 characters, small letters.
    assert "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbk" == b32(b"")
