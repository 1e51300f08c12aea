"""Tables as CSV."""

import csv
import io

import pytest
from builders import compilation, function, recording, runs, signature, signatures, static, training
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.build import build_report
from jitscope.commands.forms import TABLE_NAMES
from jitscope.model.events import Phase, PhaseEvent, Site
from jitscope.render.csv import render_csv
from jitscope.render.tables import TABLES, columns, table


def rows(value, name="compilations"):
    return list(csv.DictReader(io.StringIO(render_csv(value, build_report(value), name))))


def test_the_command_offers_these_tables():
    assert TABLES == TABLE_NAMES


@pytest.mark.parametrize("name", TABLES)
def test_columns_are_each_there_once_and_do_not_depend_on_what_happened(name):
    value = training()
    headers = [list(row) for row in table(name, value, build_report(value))]

    assert headers
    assert all(header == columns(name) for header in headers)
    assert len(columns(name)) == len(set(columns(name)))
    empty = recording()
    assert ",".join(f'"{column}"' for column in columns(name)) + "\n" == render_csv(empty, build_report(empty), name)


def test_a_row_for_each_compilation():
    first, second, third = rows(training())

    assert ("train_step", "first_compile", "false", "2.0") == tuple(
        first[name] for name in ("function", "causes", "recompile", "seconds")
    )
    assert ("shape", "true", "batch['x']", "batch['x']: f32[64,128] → f32[63,128] (shape)") == tuple(
        second[name] for name in ("causes", "recompile", "paths", "changes")
    )
    assert ("3", "5", "/home/u/train.py", "40", "1.6") == tuple(
        third[name] for name in ("compilation", "call", "site_file", "site_line", "phase_compile")
    )


def test_phases_add_up_to_the_seconds():
    value = recording(function(), compilation(1), PhaseEvent(1, Phase("backward", 9.0, 0.5)))
    (row,) = rows(value)

    assert "0.5" == row["phase_backward"]
    assert float(row["seconds"]) == pytest.approx(
        sum(float(spent) for name, spent in row.items() if name.startswith("phase_") and spent)
    )


def test_what_nobody_watched_is_in_it():
    value = recording(compilation(1, None, library=True, program="add"), compilation(2, None, program="helper"))

    assert [("add", "eager operation"), ("helper", "not watched")] == [
        (row["function"], row["kind"]) for row in rows(value)
    ]


def test_functions_signatures_and_findings_are_those_of_the_report():
    value = training()
    report = build_report(value)
    (one,) = rows(value, "functions")
    (finding,) = rows(value, "findings")
    found = rows(value, "signatures")

    assert ("5", "2", "3", "6.0", report.functions[0].state) == tuple(
        one[name] for name in ("calls", "hits", "compilations", "compile_seconds", "state")
    )
    assert [(one.text, str(one.calls)) for one in report.functions[0].signatures] == [
        (row["signature"], row["calls"]) for row in found
    ]
    assert ["1", "1", "1"] == [row["compilations"] for row in found]
    assert ("shape", "4.0", "axis 0: 64 → 63 → 61") == tuple(finding[name] for name in ("kind", "seconds", "values"))


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "＝", "  =", "\t=", "\r=", "\n@"])
def test_a_spreadsheet_runs_nothing(lead):
    name = f"{lead}cmd|' /C calc'!A0"
    value = recording(
        function(1, name, file=name),
        *signatures(1, signature(static(name, name))),
        compilation(1, program=name, call=1, signature=1, site=Site(name, 1, name)),
        runs(1, (1, "compile", 1)),
    )
    for each in TABLES:
        for row in rows(value, each):
            for cell in row.values():
                assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))
                assert not set("\t\r\n") & set(cell)


@given(st.text(max_size=20))
def test_every_name_comes_back_in_one_cell(name):
    value = recording(function(1, name), compilation(1))
    text = render_csv(value, build_report(value))

    assert 2 == text.count("\n")
    (row,) = csv.DictReader(io.StringIO(text))
    assert columns("compilations") == list(row)
    assert None not in row.values()


def test_a_cell_is_never_longer_than_a_spreadsheet_holds():
    (row,) = rows(recording(function(1, "x" * 1_000_000), compilation(1)))

    assert max(map(len, row.values())) <= 32_767
