"""``jitscope report``, as a user runs it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from builders import compilation, function, recording, training, write

from jitscope.commands.forms import FORMS, PLOT_NAMES, TABLE_NAMES


def test_the_text_report(jitscope, saved):
    done = jitscope("report", saved)
    first, *_, last = done.stdout.splitlines()

    assert (0, "") == (done.returncode, done.stderr)
    assert "20.0 s, 30% compiling, 67% of that recompiling · hits 2 / 5 (40%)" == first
    assert f"jitscope why train_step {saved}" == last
    assert "\x1b" not in done.stdout


def test_the_last_line_of_the_report_is_a_command_that_works(jitscope, saved):
    last = jitscope("report", saved).stdout.splitlines()[-1]
    done = jitscope(*last.split()[1:])

    assert 0 == done.returncode, done.stderr
    assert "train_step" in done.stdout


def test_the_newest_recording_is_the_default(jitscope, tmp_path):
    (tmp_path / ".jitscope").mkdir()
    write(tmp_path / ".jitscope" / "a.jsonl", training())
    assert 5 == json.loads(jitscope("report", "--format", "json").stdout)["totals"]["calls"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere / "b.jsonl", recording(function()))
    done = jitscope("report", "--format", "json", JITSCOPE_DIR=str(elsewhere))
    assert 0 == json.loads(done.stdout)["totals"]["calls"]


def test_output_to_a_file(jitscope, saved, tmp_path, refused):
    for name, start in (("report.txt", "20.0 s"), ("report.json", "{")):
        target = tmp_path / name
        done = jitscope("report", saved, "-o", target)
        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
        assert target.read_text(encoding="utf-8").startswith(start)
        target.write_text("precious")
        assert "exists already" in refused(jitscope("report", saved, "-o", target))
        assert "precious" == target.read_text()
        assert 0 == jitscope("report", saved, "-o", target, "--force").returncode
        assert target.read_text(encoding="utf-8").startswith(start)


def test_output_to_a_dash_is_standard_output(jitscope, saved):
    assert jitscope("report", saved).stdout == jitscope("report", saved, "-o", "-").stdout


STARTS = {
    "g.graphml": "<?xml",
    "g.dot": "digraph",
    "g.md": "**20.0 s, ",
    "g.csv": '"compilation",',
    "g.json": '{\n  "schema"',
}


@pytest.mark.parametrize(("name", "start"), STARTS.items())
def test_forms_are_written_by_the_ending_of_the_file(jitscope, saved, tmp_path, name, start):
    done = jitscope("report", saved, "-o", tmp_path / name)

    assert (0, "") == (done.returncode, done.stderr)
    assert (tmp_path / name).read_text(encoding="utf-8").lstrip().startswith(start)


def test_a_trace_says_where_to_open_it(jitscope, saved, tmp_path):
    for name in ("run.perfetto.json", "run.pftrace"):
        done = jitscope("report", saved, "-o", tmp_path / name)

        assert (0, "") == (done.returncode, done.stdout)
        assert f"open {tmp_path / name} in https://ui.perfetto.dev; it stays on this machine\n" == done.stderr
        assert 3 == sum(
            event.get("cat") == "compilation" for event in json.loads((tmp_path / name).read_text())["traceEvents"]
        )


def test_a_trace_on_standard_output_is_a_trace_only(jitscope, saved):
    done = jitscope("report", saved, "--format", "perfetto")

    assert "" == done.stderr
    assert {"displayTimeUnit", "otherData", "traceEvents"} == set(json.loads(done.stdout))


PICTURES = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="pictures need matplotlib: pip install 'jitscope[pictures]'"
)


@PICTURES
def test_a_picture_goes_to_a_file(jitscope, saved, tmp_path):
    done = jitscope("report", saved, "-o", tmp_path / "a.png", "--plot", "graph")

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.png").read_bytes().endswith(b"IEND\xaeB`\x82")
    assert 0 == jitscope("report", saved, "-o", tmp_path / "a.svg").returncode
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    assert jitscope("report", saved, "--format", "svg").stdout.encode() == (tmp_path / "a.svg").read_bytes()


def test_a_table_is_csv_by_itself(jitscope, saved):
    by_itself = jitscope("report", saved, "--table", "functions").stdout

    assert by_itself == jitscope("report", saved, "--format", "csv", "--table", "functions").stdout
    assert 2 == len(by_itself.splitlines())


def test_one_function_alone_in_every_form(jitscope, tmp_path):
    events = [function(1, "step"), function(2, "unrelated", line=9), compilation(1, 1), compilation(2, 2, start=9.0)]
    path = write(tmp_path / "two.jsonl", recording(*events))
    for form in ("text", "json", "markdown", "csv", "perfetto", "dot", "graphml"):
        done = jitscope("report", path, "--format", form, "--function", "step")
        assert (0, "") == (done.returncode, done.stderr)
        assert "step" in done.stdout
        assert "unrelated" not in done.stdout, form


def test_the_page_on_forms_names_them_all():
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")

    for form in {*FORMS} - {"text"}:
        assert any(said in page for said in (f"--format {form}", f".{form}")), form
    for name in (*TABLE_NAMES, *PLOT_NAMES):
        assert f"`{name}`" in page


def test_options_that_mean_nothing_are_refused(jitscope, saved):
    for arguments, said in (
        (["--plot", "graph"], "or name the file: -o graph.svg"),
        (["--plot", "graph", "--format", "csv"], "--plot is for --format svg and png, not for csv"),
        (["--table", "functions", "--format", "json"], "--table is for --format csv, not for json"),
    ):
        done = jitscope("report", saved, *arguments)
        assert (2, "") == (done.returncode, done.stdout)
        assert said in done.stderr


def test_the_graph_as_json(jitscope, saved):
    graph = json.loads(jitscope("report", saved, "--format", "graph-json").stdout)

    assert {"shape"} == {edge["causes"] for edge in graph["edges"] if edge["kind"] == "recompilation"}


def test_the_recording_is_never_overwritten(jitscope, saved, refused):
    before = saved.read_bytes()

    assert "is the recording itself" in refused(jitscope("report", saved, "-o", saved, "--force"))
    assert before == saved.read_bytes()


def test_all_shows_what_was_left_out(jitscope, tmp_path):
    saved = write(tmp_path / "run.jsonl", training(range(64, 50, -1)))
    few, everything = jitscope("report", saved).stdout, jitscope("report", saved, "--all").stdout

    assert "13 more compilations with --all" in few
    assert "f32[52,128] → f32[51,128]" not in few
    assert "with --all" not in everything
    assert "f32[52,128] → f32[51,128]" in everything


BAD = {
    "empty": b"",
    "foreign": b"print('hello')\n",
    "binary": bytes(range(256)),
    "newer": b'{"event":"header","schema":99}\n',
    "cut_header": b'{"event":"header","sch',
    "broken": b"%s\n{oops\n%s\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line(jitscope, saved, tmp_path, name, refused):
    head, *_, tail = saved.read_bytes().splitlines()
    path = tmp_path / f"{name}.jsonl"
    path.write_bytes(BAD[name] % (head, tail) if name == "broken" else BAD[name])

    assert str(path) in refused(jitscope("report", path))


def test_bad_paths_are_one_line(jitscope, saved, tmp_path, refused):
    assert "no recording at" in refused(jitscope("report", tmp_path / "none.jsonl"))
    assert "is a folder" in refused(jitscope("report", tmp_path))
    assert "no recordings in .jitscope" in refused(jitscope("report"))
    assert "cannot write" in refused(jitscope("report", saved, "-o", tmp_path / "no" / "where.txt"))
    assert "cannot write" in refused(jitscope("report", saved, "-o", tmp_path, "--force"))


def test_an_odd_name_cannot_break_the_line(jitscope, tmp_path, refused):
    assert r"a\nb" in refused(jitscope("report", tmp_path / "a\nb"))


def test_bad_usage(jitscope):
    for arguments in (["report", "--format", "yaml"], ["report", "--nonsense"], ["nonsense"]):
        done = jitscope(*arguments)
        assert (2, "") == (done.returncode, done.stdout)
        assert "Traceback" not in done.stderr


def test_help_and_version(jitscope):
    assert "report" in jitscope("--help").stdout
    assert "--format" in jitscope("report", "-h").stdout
    assert jitscope("--version").stdout.startswith("jitscope 0.")


def test_an_output_that_knows_only_ascii(jitscope, saved):
    done = jitscope("report", saved, PYTHONIOENCODING="ascii")

    assert (0, "") == (done.returncode, done.stderr)
    assert "axis 0: 64 -> 63" in done.stdout
    assert "calls  #_#_#" in done.stdout


def test_a_reader_that_leaves_is_no_error(tmp_path):
    saved = write(tmp_path / "run.jsonl", training(range(1, 500)))
    with subprocess.Popen(
        [sys.executable, "-m", "jitscope", "report", str(saved), "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert b"{\n" == command.stdout.readline()
        command.stdout.close()
        assert b"" == command.stderr.read()


def test_each_verb_imports_only_what_it_needs(saved):
    def modules(*arguments):
        code = (
            f"import sys; from jitscope.commands import main; main({arguments!r}, standalone_mode=False); "
            "print(*sys.modules, file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return set(done.stderr.split())

    assert not {"rich", "jitscope.capture", "jitscope.store.reader"} & modules("--help")
    assert not {"rich", "jitscope.capture", "jax", "torch"} & modules("report", str(saved), "--format", "json")
    assert not {"jitscope.capture", "jax", "torch", "numpy"} & modules("report", str(saved))
    assert not {"networkx", "matplotlib"} & modules("report", str(saved))
    for form in ("markdown", "csv", "perfetto"):
        assert not {"rich", "networkx", "matplotlib"} & modules("report", str(saved), "--format", form)


def test_one_function_alone(jitscope, tmp_path):
    path = write(tmp_path / "two.jsonl", recording(function(1, "Model.step"), function(2, "attention")))
    for name in ("step", "Model.step", "*.step"):
        found = json.loads(jitscope("report", path, "--format", "json", "--function", name).stdout)
        assert ["Model.step"] == [one["name"] for one in found["functions"]]


def test_an_unknown_function_is_one_clear_line(jitscope, tmp_path, refused):
    path = write(tmp_path / "two.jsonl", recording(function(1, "Model.step"), function(2, "attention")))

    assert refused(jitscope("report", path, "--function", "atention")).endswith("did you mean attention?")
    assert refused(jitscope("report", path, "--function", "zzz")).endswith("there are Model.step, attention")
    empty = write(tmp_path / "none.jsonl", recording())
    assert refused(jitscope("report", empty, "--function", "x")).endswith("no watched function is in it")
