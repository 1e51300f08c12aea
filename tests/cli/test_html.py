"""``jitscope html`` and ``jitscope report --format html``, as a user runs them."""

from __future__ import annotations

import os
import sys

import pytest
from builders import training, write


def test_the_page_of_a_recording(jitscope, saved, tmp_path):
    done = jitscope("html", saved, "-o", tmp_path / "report.html")

    path, command = done.stdout.splitlines()
    assert (0, "") == (done.returncode, done.stderr)
    assert str(tmp_path / "report.html") == path
    assert f"jitscope html {saved} --force --open" == command
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_newest_recording_and_a_name_by_its_run_are_the_defaults(jitscope, tmp_path):
    (tmp_path / ".jitscope").mkdir()
    write(tmp_path / ".jitscope" / "a.jsonl", training())

    assert 0 == jitscope("html").returncode
    assert (tmp_path / "20261122-205427-4242.html").is_file()


def test_the_report_command_writes_the_same_page(jitscope, saved, tmp_path):
    jitscope("html", saved, "-o", tmp_path / "a.html")

    assert 0 == jitscope("report", saved, "-o", tmp_path / "b.html").returncode
    assert 0 == jitscope("report", saved, "--format", "html", "-o", tmp_path / "c.txt").returncode
    printed = jitscope("report", saved, "--format", "html").stdout

    assert {(tmp_path / "a.html").read_text("utf-8")} == {
        printed, (tmp_path / "b.html").read_text("utf-8"), (tmp_path / "c.txt").read_text("utf-8")
    }  # fmt: skip


@pytest.mark.parametrize("command", ["html", "report"])
def test_nothing_is_overwritten_without_being_told_to(jitscope, saved, tmp_path, refused, command):
    target = tmp_path / "report.html"
    target.write_text("precious")

    assert "exists already" in refused(jitscope(command, saved, "-o", target))
    assert "precious" == target.read_text()
    assert 0 == jitscope(command, saved, "-o", target, "--force").returncode
    assert "precious" != target.read_text(encoding="utf-8")


def test_the_recording_is_never_overwritten(jitscope, saved, refused):
    assert "is the recording itself" in refused(jitscope("html", saved, "-o", saved, "--force"))


def test_what_is_no_recording_is_one_line(jitscope, tmp_path, refused):
    (tmp_path / "x.jsonl").write_text("no")

    refused(jitscope("html", tmp_path / "x.jsonl"))
    assert [tmp_path / "x.jsonl"] == list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script")
def test_the_browser_is_opened_with_the_file(jitscope, saved, tmp_path):
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    program.chmod(0o755)

    done = jitscope("html", saved, "--open", "-o", tmp_path / "a b.html", BROWSER=str(program))

    assert (0, "") == (done.returncode, done.stderr)
    assert f"{(tmp_path / 'a b.html').as_uri()}\n" == (tmp_path / "opened").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a browser")
def test_without_a_browser_it_is_said_and_the_file_is_there(jitscope, saved, tmp_path):
    (tmp_path / "bin").mkdir()

    done = jitscope(
        "html", saved, "--open", "-o", tmp_path / "a.html", PATH=str(tmp_path / "bin"), DISPLAY="", BROWSER=""
    )

    assert 0 == done.returncode
    assert "no browser was found: open the file in one" in done.stderr
    assert (tmp_path / "a.html").is_file()
    assert os.fspath(tmp_path / "a.html") in done.stdout
