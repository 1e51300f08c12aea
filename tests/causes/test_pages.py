"""docs/causes: each kind has a page, and the examples on it do what the page says."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jitscope
from jitscope.model.cause import CAUSE_KINDS

SRC = Path(jitscope.__file__).parents[1]
PAGES = Path(__file__).parents[2] / "docs" / "causes"

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEAD = re.compile(r"# (bad|good|example): (jax|torch)\n")
SHOWN = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)

RUNNER = """
import contextlib, importlib, json, runpy, sys
from pathlib import Path

import jitscope
from jitscope.analysis.build import build_report
from jitscope.render.text import render_text
from jitscope.store.reader import load

framework, folder = sys.argv[1], Path(sys.argv[2])
module = importlib.import_module(framework)
forget = module.clear_caches if framework == "jax" else module.compiler.reset
found = {}
for path in sorted(folder.glob("*.py")):
    forget()
    failed = None
    with jitscope.record(path.with_suffix(".jsonl")), contextlib.redirect_stdout(None):
        try:
            runpy.run_path(str(path))
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
    report = build_report(load(path.with_suffix(".jsonl")))
    found[path.stem] = {
        "failed": failed,
        "compilations": report.totals.compilations,
        "recompilations": report.totals.recompilations,
        "causes": [
            [cause.kind for cause in one.causes]
            for function in report.functions
            for one in function.compilations_detail
        ],
        "text": render_text(report, width=1000, color=False, all_=True),
    }
(folder / "found.json").write_text(json.dumps(found))
"""


@dataclasses.dataclass(frozen=True)
class Example:
    """One fenced block of a page."""

    kind: str
    role: str
    framework: str
    code: str

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.role}-{self.framework}"


def page(kind):
    return (PAGES / f"{kind}.md").read_text(encoding="utf-8")


def examples_of(kind):
    examples = []
    for code in BLOCK.findall(page(kind)):
        head = HEAD.match(code)
        assert head is not None, f"{kind}.md: a python block starts with neither # bad: nor # good: nor # example:"
        examples.append(Example(kind, head[1], head[2], code))
    return examples


KINDS = sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "index")
EXAMPLES = [example for kind in KINDS for example in examples_of(kind)]


def with_role(*roles):
    chosen = [example for example in EXAMPLES if example.role in roles]
    return pytest.mark.parametrize("example", chosen, ids=[example.name for example in chosen])


@pytest.fixture(scope="session")
def outcome(tmp_path_factory):
    """What an example led to; all examples of a framework run in one process, when the first of them is asked for."""
    known: dict[str, dict] = {}

    def of(example):
        framework = example.framework
        if importlib.util.find_spec(framework) is None:
            pytest.skip(f"needs {framework}")
        if framework not in known:
            known[framework] = run(framework, tmp_path_factory.mktemp(framework))
        found = known[framework][example.name]
        assert found["failed"] is None, found["failed"]
        return found

    return of


def run(framework, folder):
    for example in EXAMPLES:
        if example.framework == framework:
            (folder / f"{example.name}.py").write_text(example.code, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JITSCOPE")}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, framework, str(folder)],
        env={
            **inherited,
            "PYTHONPATH": os.pathsep.join([str(SRC), *sys.path]),
            "JITSCOPE_STRICT": "1",
            "JAX_PLATFORMS": "cpu",
            "JAX_NUM_CPU_DEVICES": "2",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return json.loads((folder / "found.json").read_text(encoding="utf-8"))


def kinds(found):
    return {kind for causes in found["causes"] for kind in causes}


def spaced(text):
    return " ".join(text.split())


# -- the pages -----------------------------------------------------------------------------------


def test_each_kind_has_a_page_and_each_page_a_kind():
    assert sorted(CAUSE_KINDS) == KINDS


def test_the_index_names_each_kind_once():
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \|", page("index"), re.MULTILINE)
    assert [(kind, kind) for kind in CAUSE_KINDS] == rows


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_headed_by_its_kind_and_has_examples(kind):
    assert page(kind).startswith(f"# {kind}\n")
    roles = [(example.framework, example.role) for example in examples_of(kind)]
    assert roles
    frameworks = list(dict.fromkeys(framework for framework, _ in roles))
    pairs = [(framework, role) for framework in frameworks for role in ("bad", "good")]
    assert roles == pairs or [role for _, role in roles] == ["example"]


@pytest.mark.parametrize("kind", ["index", *KINDS])
def test_links_between_pages_lead_somewhere(kind):
    for target in re.findall(r"\]\(([^)\s]+\.md)\)", page(kind)):
        assert (PAGES / target).is_file(), target


# -- the examples ----------------------------------------------------------------------------------


@with_role("bad", "example")
def test_it_has_the_cause_of_its_page(example, outcome):
    found = outcome(example)
    assert example.kind in kinds(found), found["causes"]


@with_role("good")
def test_the_good_twin_compiles_less_and_not_for_that_cause(example, outcome):
    good = outcome(example)
    bad = outcome(dataclasses.replace(example, role="bad"))
    assert example.kind not in kinds(good), good["causes"]
    assert good["compilations"] < bad["compilations"]
    assert (good["recompilations"], good["compilations"]) < (bad["recompilations"], bad["compilations"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if SHOWN.search(page(kind))])
def test_a_page_shows_what_jitscope_prints(kind, outcome):
    printed = [spaced(outcome(one)["text"]) for one in examples_of(kind) if one.role != "good"]
    for line in "".join(SHOWN.findall(page(kind))).splitlines():
        assert any(spaced(line) in text for text in printed), line
