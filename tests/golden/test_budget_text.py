"""What `jitscope check` prints, to the letter. JITSCOPE_UPDATE_GOLDEN=1 writes the files anew: read the difference."""

import os
from pathlib import Path

import pytest
from builders import training
from rich.text import Text
from test_report_text import everything, ranks

from jitscope.analysis.budget import evaluate
from jitscope.analysis.build import build_report
from jitscope.model.budget import Budget, Limits
from jitscope.render.budget_github import render_budget_github
from jitscope.render.budget_junit import render_budget_junit
from jitscope.render.budget_text import render_budget_text

HERE = Path(__file__).parent / "budget"
CASES = {
    "within": (
        training,
        Budget(max_recompiles=2, max_compile_seconds=6, functions={"train*": Limits(forbid=("dtype",))}),
    ),
    "over": (
        training,
        Budget(
            max_recompiles=1,
            max_compile_seconds=5.5,
            forbid=("weak_type", "shape"),
            functions={"train.*step*": Limits(max_compilations=1), "evaluate": Limits(max_recompiles=0)},
        ),
    ),
    "everything": (everything, Budget(max_recompiles=1, max_avoidable=3, forbid=("static_value", "unknown"))),
    "ranks": (ranks, Budget(max_eager_fallbacks=1, forbid=("recompile_limit",), strict=True)),
}  # fmt: skip
FORMATS = {
    "txt": lambda result: render_budget_text(result, width=80, color=False, source="run.jsonl"),
    "github": lambda result: render_budget_github(result, root="/home/u", source="run.jsonl"),
    "xml": render_budget_junit,
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_text_is_as_it_was_read(case, format_):
    value, budget = CASES[case]
    text = FORMATS[format_](evaluate(build_report(value()), budget))
    path = HERE / f"{case}.{format_}"
    if os.environ.get("JITSCOPE_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("case", CASES)
def test_lines_fit_and_nothing_obeys_what_programs_are_named(case, width):
    value, budget = CASES[case]
    text = render_budget_text(evaluate(build_report(value()), budget), width=width, color=False, all_=True)

    assert width >= max(map(len, text.splitlines()[:-1]))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_colour_is_only_added():
    result = evaluate(build_report(training()), CASES["over"][1])
    coloured = render_budget_text(result, width=80, color=True)
    assert "\x1b" in coloured
    assert render_budget_text(result, width=80, color=False) == Text.from_ansi(coloured).plain.rstrip("\n") + "\n"
