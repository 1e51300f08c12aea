"""The report as JSON, and its schema."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from builders import compilation, function, recording, training

from jitscope.analysis.build import build_report
from jitscope.model.report import Report
from jitscope.render.json import render_json
from jitscope.render.schema import SCHEMAS, report_schema, schema_of, schema_text

FILE = Path(__file__).parents[2] / "docs" / "report.schema.json"

# The names that other programs rely on, from the design.
NAMES = {
    "": ["schema", "run", "totals", "functions", "eager_ops", "notes"],
    "run": ["id", "argv", "started", "wall_seconds", "rank", "world_size", "versions", "devices"],
    "totals": [
        "calls", "hits", "dispatch_misses", "eager_fallbacks", "compilations", "recompilations",
        "avoidable_recompilations", "compile_seconds", "recompile_seconds", "eager_op_compilations",
        "eager_op_compile_seconds",
    ],
    "functions.0": [
        "id", "framework", "name", "file", "line", "calls", "hits", "dispatch_misses", "eager_fallbacks",
        "compilations", "compile_seconds", "state", "signatures", "families", "compilations_detail",
    ],
    "functions.0.signatures.0": ["id", "text", "calls", "hits", "first_call"],
    "functions.0.families.0": ["text", "signatures", "compile_seconds"],
    "functions.0.compilations_detail.0": [
        "id", "call", "signature", "seconds", "phases", "layers", "persistent_cache", "site", "causes", "fix",
        "framework_id",
    ],
    "functions.0.compilations_detail.0.site": ["file", "line", "function"],
    "functions.0.compilations_detail.0.causes.0": ["kind", "path", "old", "new", "evidence", "avoidable"],
    "eager_ops.0": ["name", "compilations", "compile_seconds", "sites"],
    "notes.0": ["slug", "text"],
}  # fmt: skip


@pytest.fixture
def report():
    eager = compilation(9, None, program="jit(add)", library=True)
    return build_report(recording(*training().events[:-1], eager, end=None))


@pytest.mark.parametrize("where", NAMES)
def test_the_names_are_those_of_the_design(report, where):
    value = json.loads(render_json(report))
    for step in filter(None, where.split(".")):
        value = value[int(step)] if step.isdigit() else value[step]

    assert set(NAMES[where]) <= set(value)


def test_the_written_schema_is_current():
    assert schema_text() == FILE.read_text(encoding="utf-8"), "run: python -m jitscope.render.schema"


def test_a_report_is_valid(report):
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for value in (report, build_report(recording(end=None)), build_report(recording(function()))):
        validator.validate(json.loads(render_json(value)))


def test_a_report_comes_back_as_it_was(report):
    text = render_json(report)

    assert report == msgspec.json.decode(text, type=Report)
    assert text.endswith("}\n")
    assert '\n  "schema": 1,\n' in text


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_written_schema_is_current(name):
    assert schema_text(name) == FILE.with_name(f"{name}.schema.json").read_text(encoding="utf-8"), (
        "run: python -m jitscope.render.schema"
    )
    jsonschema.Draft202012Validator.check_schema(schema_of(name))
