"""Which recording is meant: a path, a run, the newest."""

import os

import pytest
from builders import process, training, write

from jitscope.errors import JitscopeError
from jitscope.store.locate import newest, resolve


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(["20261122-205427-1", "20261122-205427-2"]):
        path = write(tmp_path / f"{name}.jsonl", process(training(), run=name))
        os.utime(path, (number, number))
    return tmp_path


def test_nothing_and_newest_mean_what_was_written_last(folder):
    last = folder / "20261122-205427-2.jsonl"

    assert [last] * 3 == [resolve(None, folder), resolve("newest", folder), newest(folder)]


def test_a_path_is_itself(folder):
    path = folder / "20261122-205427-1.jsonl"

    assert path == resolve(path, folder) == resolve(str(path), folder)
    assert folder == resolve(folder, folder)


def test_a_file_called_newest_is_a_file(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "newest").write_text("")

    assert "newest" == str(resolve("newest", folder))


def test_a_run_is_found_by_its_id(folder):
    assert folder / "20261122-205427-1.jsonl" == resolve("20261122-205427-1", folder)


def test_a_run_is_found_under_another_name(folder):
    path = write(folder / "mine.jsonl", process(training(), run="20261122-999999-7"))

    assert path == resolve("20261122-999999-7", folder)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [("20261122-205427-3", "20261122-205427-"), ("{}/20261122-205427-11.jsonl", "{}/20261122-205427-")],
)
def test_what_may_have_been_meant_is_named(folder, wanted, meant):
    with pytest.raises(JitscopeError, match=r"^no recording at .*: did you mean ") as raised:
        resolve(wanted.format(folder), folder)
    assert f"did you mean {meant.format(folder)}" in str(raised.value)


def test_what_is_like_nothing_says_where_to_look(folder):
    with pytest.raises(JitscopeError, match="jitscope ls lists the runs"):
        resolve("zzz", folder)
    with pytest.raises(JitscopeError, match="check the path"):
        resolve("zzz", folder / "nowhere")


def test_an_empty_folder_has_no_newest(tmp_path):
    with pytest.raises(JitscopeError, match="no recordings in"):
        resolve(None, tmp_path)
