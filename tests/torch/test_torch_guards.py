"""Asking an entry's guards: all that fail are found, and nothing of the user's runs or changes."""

import gc
import weakref
from collections import UserDict, defaultdict
from typing import ClassVar

import pytest

import jitscope
from jitscope.analysis.build import build_report
from jitscope.capture.frameworks.plain_reading import MissingError, UnreadableError, attribute, follow, item
from jitscope.model.events import CompilationEvent

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch


def compiled(f):
    return jitscope.compile(f, backend="eager")


def last(recorded):
    return recorded.events(CompilationEvent)[-1]


def test_every_failing_guard_is_kept_with_what_is_there(recorded):
    with jitscope.record(recorded.path):
        f = compiled(lambda a, b, c: a * b + c)
        f(torch.ones(2), 1, 2)
        f(torch.ones(2, dtype=torch.float64), 3, 4)
    event = last(recorded)

    assert event.guards_asked
    assert [("0/0", "L['b']", "3", "int"), ("0/0", "L['c']", "4", "int")] == [
        (one.entry, one.source, one.value, one.type) for one in event.guards if one.type == "int"
    ]
    assert any("torch.float64" in (one.value or "") for one in event.guards)


def test_a_defaultdict_is_not_filled(recorded):
    with jitscope.record(recorded.path):
        f = compiled(lambda x, d: x * d["a"] if "a" in d else x + 1)
        f(torch.ones(1), defaultdict(lambda: 5, a=2))
        empty = defaultdict(lambda: 5)
        result = f(torch.ones(1), empty)

    assert ([2.0], {}) == (result.tolist(), dict(empty))


class Loud:
    """Tells whoever asks it something."""

    asked: ClassVar[list[str]] = []

    def __init__(self, width):
        self.width = width

    def __repr__(self):
        self.asked.append("repr")
        return "Loud"

    def __eq__(self, other):
        return isinstance(other, Loud) and self.width == other.width

    def __hash__(self):
        return hash(self.width)

    def __getattr__(self, name):
        self.asked.append(name)
        raise AttributeError(name)


def test_the_users_objects_are_not_asked(recorded):
    def run(make):
        Loud.asked.clear()
        f = make(lambda x, cfg: x * cfg.width)
        for width in (2, 3):
            f(torch.ones(1), Loud(width))
        return list(Loud.asked)

    bare = run(lambda f: torch.compile(f, backend="eager"))
    torch.compiler.reset()
    with jitscope.record(recorded.path):
        watched = run(compiled)

    assert bare == watched
    assert ["static_value"] == [
        one.kind for one in build_report(recorded.load()).functions[0].compilations_detail[-1].causes
    ]


def test_contents_of_tensors_are_never_written(recorded):
    with jitscope.record(recorded.path):
        f = compiled(lambda b: b["x"] * 2)
        f(UserDict(x=torch.tensor([777.25])))
        f(UserDict(x=torch.tensor([777.25, 777.25])))

    assert "777.25" not in recorded.path.read_text()


def test_nothing_is_kept_alive():
    f = compiled(lambda x, model: model(x))
    model = torch.nn.Linear(2, 2)
    f(torch.ones(1, 2), model)
    f(torch.ones(3, 2), model)
    gone = weakref.ref(model)
    torch.compiler.reset()
    del model, f
    gc.collect()

    assert gone() is None


def test_a_frame_of_the_same_name_is_no_recompilation(recorded):
    class Child(torch.nn.Module):
        def forward(self, x):
            x = x + 1
            torch._dynamo.graph_break()
            return x * 2

    class Sibling(torch.nn.Module):
        def forward(self, x):
            x = x - 1
            torch._dynamo.graph_break()
            return x * 3

    class Parent(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = Child(), Sibling()

        def forward(self, x):
            return self.b(self.a(x * 2))

    with jitscope.record(recorded.path):
        compiled(Parent())(torch.ones(2))

    assert 0 == build_report(recorded.load()).totals.recompilations


def test_what_dynamo_says_stays_with_the_compile_it_is_about(recorded):
    def helper(x, k):
        y = x * k
        torch._dynamo.graph_break()
        return y

    with jitscope.record(recorded.path):
        compiled(lambda x: helper(helper(x, 1), 3))(torch.ones(2))
    said = {one.framework_id: one.evidence for one in recorded.events(CompilationEvent) if one.program == "helper"}

    assert [False, True] == [bool(words) for _, words in sorted(said.items())]


def test_reading_runs_no_code_of_the_users():
    class Lazy:
        def __init__(self):
            self.kept = {"a": [1, 2]}

        @property
        def computed(self):
            raise AssertionError

    lazy = Lazy()
    assert 2 == follow(lazy, ".kept['a'][1]")
    with pytest.raises(UnreadableError):
        attribute(lazy, "computed")
    with pytest.raises(MissingError):
        attribute(lazy, "absent")
    with pytest.raises(MissingError):
        item(defaultdict(list), "x")
    with pytest.raises(UnreadableError):
        item(UserDict(x=1), "x")
    with pytest.raises(UnreadableError):
        follow(lazy, ".kept[print('x')]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 <= L['x'].size()[0] <= 8", True),
        ("(L['x'].size()[0] % 2) == 0", False),
        ("L['x'].stride()[0] == L['x'].size()[1]", True),
        ("L['x'] is L['y']", True),
        ("L['x'] is not L['y']", False),
        ("L['n'] == 4 and Max(L['n'], 2) == 4", True),
        ("len(L['d']) == 1", None),
        ("__import__('os')", None),
        ("L['x'].sum() == 15", None),
        ("not a python expression", None),
    ],
)
def test_expressions_know_sizes_and_numbers_and_nothing_else(text, expected):
    from jitscope.capture.frameworks.torch_expressions import Expressions

    x = torch.ones(5, 3)
    expressions = Expressions({"x": x, "y": x, "n": 4, "d": {"a": 1}}, {})
    if expected is None:
        with pytest.raises(UnreadableError):
            expressions.value(text)
    else:
        assert expected is expressions.value(text)
