"""Compiled modules stay modules; methods and wrappers stay what they were."""

from __future__ import annotations

import copy
import functools

import pytest
import torch

import jitscope


class Net(torch.nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.linear = torch.nn.Linear(width, width)

    def forward(self, x):
        return torch.relu(self.linear(x))


def test_a_compiled_module_stays_the_same_object(backend):
    model = torch.compile(Net(), backend=backend)
    watched = jitscope.watch(model)

    assert model is watched
    assert isinstance(watched, torch.nn.Module)
    assert list(watched.state_dict()) == list(model.state_dict())
    assert watched is jitscope.watch(watched)


@pytest.mark.parametrize("in_place", [False, True], ids=["torch.compile(module)", "module.compile()"])
def test_calls_of_a_compiled_module_are_counted(truth, backend, in_place):
    model = Net()
    if in_place:
        model.compile(backend=backend, dynamic=False)
        jitscope.watch(model)
    else:
        model = jitscope.compile(model, backend=backend, dynamic=False)
    for size in (2, 2, 4, 2):
        model(torch.ones(size, 3))

    stats = jitscope.stats(model)
    assert ("Net", "module") == (stats.name, stats.kind)
    assert (4, 2, 2) == (stats.calls, stats.hits, stats.compilations)
    assert truth.compiled() == [c.framework_id for c in stats.compilations_detail]
    assert ["x: f32[2,3]", "x: f32[4,3]"] == [s.text for s in stats.signatures]
    assert [2, 0] == [c.hits for c in stats.compilations_detail]


def test_two_modules_that_share_code_are_counted_apart(truth, backend):
    models = [jitscope.compile(torch.nn.Linear(3, 3), backend=backend) for _ in range(2)]
    for model in models:
        for _ in range(3):
            model(torch.ones(2, 3))

    stats = [jitscope.stats(model) for model in models]
    assert [3, 3] == [s.calls for s in stats]
    assert len(truth.compiled()) == sum(s.compilations for s in stats)
    assert all(s.calls == s.hits + s.compiling_calls for s in stats)


def test_results_gradients_and_compiles_are_those_of_the_bare_module(truth):
    def train(wrap):
        torch.compiler.reset()
        before = len(truth.compiled())
        torch.manual_seed(0)
        model = wrap(torch.compile(Net(), backend="aot_eager"))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for step in range(4):
            loss = model(torch.full((2 + step % 2, 3), 1.0 + step)).sum()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.detach())
        return losses, truth.compiled()[before:]

    bare, bare_ids = train(lambda model: model)
    watched, watched_ids = train(jitscope.watch)

    assert bare_ids == watched_ids
    assert all(torch.equal(a, b) for a, b in zip(bare, watched, strict=True))


def test_a_watched_module_inside_a_compiled_one_adds_no_compiles(truth):
    def program(wrap):
        torch.compiler.reset()
        before = len(truth.compiled())
        inner = Net()
        inner.compile(backend="eager")
        model = torch.compile(torch.nn.Sequential(wrap(inner), torch.nn.ReLU()), backend="eager")
        for size in (2, 2, 3):
            model(torch.ones(size, 3))
        return truth.compiled()[before:]

    assert program(lambda module: module) == program(jitscope.watch)


def test_a_deepcopy_of_a_watched_module_works(backend):
    model = jitscope.compile(Net(), backend=backend)
    model(torch.ones(2, 3))
    twin = copy.deepcopy(model)

    assert torch.equal(model(torch.ones(2, 3)), twin(torch.ones(2, 3)))
    assert 2 == jitscope.stats(model).calls


def test_a_module_that_is_not_compiled_is_returned_with_a_warning():
    model = Net()
    with pytest.warns(UserWarning, match=r"Net is not compiled yet: call torch\.compile\(module\)"):
        assert model is jitscope.watch(model)


def test_a_compiled_method_binds(backend):
    class Model:
        scale = 3

        @jitscope.watch
        @functools.partial(torch.compile, backend=backend)
        def apply(self, x):
            return x * self.scale

    model = Model()
    model.apply(torch.ones(3))
    assert torch.equal(3 * torch.ones(3), model.apply(torch.ones(3)))

    stats = jitscope.stats(Model.apply)
    assert (2, 1) == (stats.calls, stats.hits)


def test_a_plain_function_is_a_region_that_owns_what_compiles_inside(truth, backend):
    inner = torch.compile(lambda x: x * 9, backend=backend, dynamic=False)

    @jitscope.watch
    def step(x):
        return inner(x)

    for size in (3, 3, 4):
        step(torch.ones(size))

    stats = jitscope.stats(step)
    assert (3, 1, 2) == (stats.calls, stats.hits, stats.compilations)
    assert [1, 3] == [c.call for c in stats.compilations_detail]
    assert 2 == len(truth.compiled())


def test_watch_below_compile_warns_and_names_the_fix(backend):
    @functools.partial(torch.compile, backend=backend)
    @jitscope.watch
    def upside_down(x):
        return x + 1

    with pytest.warns(UserWarning, match=r"jitscope\.watch is below torch\.compile on .*upside_down"):
        upside_down(torch.ones(3))
