"""Plain values that a function takes from around it, read without running anything of the user's."""

import functools

from jitscope.capture.frameworks.captured import LENGTH, MOST, captured_in, captured_values

RATE = 0.5
NAME = "adam"


class Loud:
    """Would be noticed."""

    def __repr__(self):
        raise AssertionError("was run")

    __eq__ = __hash__ = __getattr__ = __repr__


class Number(float):
    def __repr__(self):
        raise AssertionError("was run")


LOUD = Loud()
NUMBER = Number(3.0)


def test_globals_closures_and_defaults_are_read():
    scale = 2.5

    def f(x, power=2, *, flag=True):
        return x * RATE * scale**power if flag else NAME

    assert {"scale": "2.5", "power": "2", "flag": "True", "RATE": "0.5", "NAME": "'adam'"} == captured_values(f)


def test_names_inside_inner_functions_are_read_too():
    def f(x):
        return sorted(x, key=lambda y: y * RATE)

    assert "0.5" == captured_values(f)["RATE"]


def test_nothing_of_the_users_is_run():
    def f(x):
        return x * LOUD * NUMBER

    assert {} == captured_values(f)


def test_what_a_decorator_or_a_partial_or_a_method_wraps_is_read():
    class Model:
        def step(self, x):
            return x * RATE

    @functools.wraps(Model.step)
    def outer(*args):
        return Model.step(*args)

    for each in (Model().step, functools.partial(Model().step, 1), outer):
        assert "0.5" == captured_values(each)["RATE"]


def test_a_variable_without_a_value_yet_is_left_out():
    def f():
        return later

    assert {} == captured_values(f)
    later = 1


def test_long_values_are_cut_and_many_are_bounded():
    text = "x" * 500
    values = {f"v{n}": n for n in range(100)}
    code = compile("[" + ",".join(values) + "]", "<test>", "eval")

    def f():
        return text

    assert LENGTH == len(captured_values(f)["text"])
    assert MOST == len(captured_in(code, {}, values))


def test_what_is_no_function_has_nothing():
    assert {} == captured_values(3)
    assert {} == captured_values(LOUD.__class__)
