"""The budget in pyproject.toml, and what is said of one that is wrong."""

from pathlib import Path

import pytest

from jitscope.errors import JitscopeError
from jitscope.model.budget import COUNTED, Budget, Limits
from jitscope.store.budget_file import find_file, read_budget


@pytest.fixture
def file(tmp_path):
    def write(text, path=tmp_path / "pyproject.toml"):
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_all_there_is(file):
    path = file(
        """
        [project]
        name = "x"
        [tool.jitscope.budget]
        max_recompiles = 2
        max_compilations = 10
        max_avoidable = 0
        max_compile_seconds = 30
        max_eager_fallbacks = 0
        forbid = ["weak_type", "new_function"]
        strict = true
        [tool.jitscope.budget.functions."train.*step*"]
        max_compilations = 1
        forbid = ["shape"]
        """
    )
    assert Budget(
        max_recompiles=2,
        max_compilations=10,
        max_avoidable=0,
        max_compile_seconds=30.0,
        max_eager_fallbacks=0,
        forbid=("weak_type", "new_function"),
        strict=True,
        functions={"train.*step*": Limits(max_compilations=1, forbid=("shape",))},
    ) == read_budget(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_recompile = 1", ".max_recompile: unknown key; did you mean max_recompiles?"),
        ("max-recompiles = 1", ".max-recompiles: unknown key; did you mean max_recompiles?"),
        ("zzz = 1", ".zzz: unknown key; there are max_recompiles, "),
        ('max_recompiles = "2"', '.max_recompiles: must be a whole number from 0 on, not "2"'),
        ("max_recompiles = true", ".max_recompiles: must be a whole number from 0 on, not true"),
        ("max_recompiles = 1.5", ".max_recompiles: must be a whole number from 0 on, not 1.5"),
        ("max_compilations = -1", ".max_compilations: must be a whole number from 0 on, not -1"),
        ("max_compile_seconds = nan", ".max_compile_seconds: must be a number of seconds from 0 on, not nan"),
        ("max_compile_seconds = inf", ".max_compile_seconds: must be a number of seconds from 0 on, not inf"),
        ("max_avoidable = 1979-05-27", '.max_avoidable: must be a whole number from 0 on, not "1979-05-27"'),
        ('forbid = ["weaktype"]', ".forbid: 'weaktype' is no kind of cause; did you mean weak_type?"),
        ('forbid = "shape"', '.forbid: must be a list of kinds of causes, as ["weak_type"], not "shape"'),
        ("forbid = [1]", '.forbid: must be a list of kinds of causes, as ["weak_type"], not [1]'),
        ("strict = 1", ".strict: must be true or false, not 1"),
        ("functions = 3", ".functions: must be a table, not 3"),
        ("[tool.jitscope.budget.functions]\nstep = 3", ".functions.step: must be a table, not 3"),
        (
            '[tool.jitscope.budget.functions."a.*"]\nmax_recompilez = 1',
            '.functions."a.*".max_recompilez: unknown key; did you mean max_recompiles?',
        ),
        (
            "[tool.jitscope.budget.functions.a]\nstrict = true",
            ".functions.a.strict: holds for the whole run only: move it to tool.jitscope.budget",
        ),
        ('[tool.jitscope.budget.functions." "]', '.functions." ": an empty pattern fits no function'),
    ],
)
def test_one_line_names_the_file_and_the_key(file, text, said):
    path = file(f"[tool.jitscope.budget]\n{text}")
    with pytest.raises(JitscopeError) as raised:
        read_budget(path)

    assert str(raised.value).startswith(f"{path}: tool.jitscope.budget{said}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.jitscope.bugdet]\n", "tool.jitscope.bugdet: unknown key; did you mean budget?"),
        ("[tool]\njitscope = 1", "tool.jitscope: must be a table, not 1"),
        ("[tool.jitscope]\nbudget = 1", "tool.jitscope.budget: must be a table, not 1"),
        ("[tool.jitscope", "is not TOML: "),
    ],
)
def test_what_is_around_the_table(file, text, said):
    path = file(text)
    with pytest.raises(JitscopeError, match="pyproject") as raised:
        read_budget(path)
    assert said in str(raised.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(JitscopeError, match=r"no file .*none\.toml: check the path of --config"):
        read_budget(tmp_path / "none.toml")
    with pytest.raises(JitscopeError, match="cannot read"):
        read_budget(tmp_path)
    (tmp_path / "x.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(JitscopeError, match="is not TOML"):
        read_budget(tmp_path / "x.toml")


def test_a_file_without_a_budget_has_none(file):
    assert read_budget(file("[project]\nname = 'x'")) is None
    assert read_budget(file("[tool.jitscope.other]\na = 1")) is None
    assert Budget() == read_budget(file("[tool.jitscope.budget]"))


def test_the_nearest_file_that_speaks_of_jitscope(tmp_path, file):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    file("[project]\nname = 'x'", tmp_path / "a" / "pyproject.toml")
    assert find_file(inner) is None

    outer = file("[tool.jitscope.budget]\nmax_recompiles = 1")
    assert outer == find_file(inner)
    nearer = file("[tool.jitscope.budget]\nmax_recompiles = 2", inner / "pyproject.toml")
    assert nearer == find_file(inner)


def test_the_budget_of_the_page_is_one_and_its_table_names_every_key(file):
    page = (Path(__file__).resolve().parents[2] / "docs" / "gates.md").read_text(encoding="utf-8")
    budget = read_budget(file(page.partition("```toml\n")[2].partition("```")[0]))

    assert (2, ("weak_type", "new_function")) == (budget.max_recompiles, budget.forbid)
    assert {"train.*step*": Limits(max_compilations=1)} == budget.functions
    assert [] == [key for key in (*COUNTED, "forbid", "strict") if f"| `{key}` |" not in page]
