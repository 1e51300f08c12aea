"""torch's guard failures, as torch 2.13 writes them."""

import pytest
from builders import array, signature, static

from jitscope.analysis.diff import diff_signatures
from jitscope.analysis.guards import matching, parse_guard, related

# Text, path, likeliest kind: the strings of torch 2.13 for the causes that an argument can have.
TEXTS = [
    ("tensor 'x' size mismatch at index 0. expected 4, actual 5", "x", "shape"),
    ("2 <= x.size()[0]  # return x.sin()  # a.py:3 in f (user code shown is first use of this value)", "x", "shape"),
    ("2 <= x.size()[0] <= 8  # if x.shape[0] > 8:", "x", "shape"),
    ("tensor 'x' rank mismatch. expected 1, actual 2", "x", "rank"),
    ("tensor 'x' stride mismatch at index 0. expected 4, actual 1", "x", "layout"),
    ("tensor 'x' dtype mismatch. expected Float, actual Double", "x", "dtype"),
    (
        (
            "tensor 'x' dispatch key set mismatch. expected DispatchKeySet(CPU, BackendSelect), actual "
            "DispatchKeySet(Meta, BackendSelect)"
        ),
        "x",
        "device",
    ),
    ("tensor 'x' requires_grad mismatch. expected requires_grad=0", "x", "requires_grad"),
    ("expected type of 'x' to be a tensor type, ' but found <class '__main__.T'>", "x", "python_type"),
    ("k == 2     # return x * k  # a.py:3 in f", "k", "static_value"),
    ("k == 2.5", "k", "static_value"),
    ("m == 'a'", "m", "static_value"),
    ("m is None", "m", "python_type"),
    ("d.k == 2", "d.k", "static_value"),
    ("___check_obj_id(e, 139640), type=<class '__main__.E'>", "e", "static_value"),
    ("len(xs) == 2", "xs", "tree_structure"),
    ("not c", "c", "tree_structure"),
    ("len(d) != 1", "d", "tree_structure"),
    ("list(dict.keys(d))[0] == 'a'", "d", "tree_structure"),
    ("not ___dict_contains('k', G['d'])", "G['d']", "tree_structure"),
    ("L['self'].step == 0", "self.step", "static_value"),
    ("tensor 'd['k'][0]' size mismatch at index 1. expected 4, actual 5", "d['k'][0]", "shape"),
    ("GLOBAL_STATE changed: grad_mode ", None, None),
    ("___check_torch_function_mode_stack()", None, None),
    ("___stack2 == 2", "___stack2", "static_value"),
]


@pytest.mark.parametrize(("text", "path", "kind"), TEXTS)
def test_each_text_names_its_argument(text, path, kind):
    guard = parse_guard(f"0/0: {text}\nUser stack trace:\n  File a.py")

    assert path == guard.path
    assert kind == next(iter(guard.kinds), None)


def test_what_follows_the_guard_is_left_out():
    text = "0/1: s.step == 0       # s.step += 1  # a.py:3 in forward (HINT: torch.compile considers …)"

    assert "0/1: s.step == 0" == parse_guard(text).text
    assert "s.step == 0" == parse_guard(text).bare
    assert "a == 1" == parse_guard("a == 1\nUser stack trace:\n b == 2").text


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("x", "x", True),
        ("xs", "xs[2].w", True),
        ("xs[2].w", "xs", True),
        ("x", "xs", False),
        ("d['a']", "d['b']", False),
        (None, "x", False),
    ],
)
def test_paths_are_related_where_one_leads_to_the_other(one, other, expected):
    assert expected == related(one, other)


def test_a_guard_goes_to_the_cause_of_its_kind():
    old = signature(array("x", "f32", 4), static("k", 2))
    new = signature(array("x", "f64", 5), static("k", 3))
    causes = diff_signatures(old, new, framework="torch")

    assert ["shape", "dtype", "static_value"] == [one.kind for one in causes]
    assert 0 == matching(parse_guard("tensor 'x' size mismatch at index 0. expected 4, actual 5"), causes)
    assert 1 == matching(parse_guard("tensor 'x' dtype mismatch. expected Float, actual Double"), causes)
    assert 2 == matching(parse_guard("k == 2"), causes)
    assert 0 == matching(parse_guard("tensor 'x' stride mismatch at index 0. expected 4, actual 1"), causes)
    assert matching(parse_guard("GLOBAL_STATE changed: grad_mode "), causes) is None


def test_of_a_very_long_text_the_start_is_read():
    """A name of a megabyte: searching all of it would take hours."""
    assert ("x", ("tree_structure",)) == (
        parse_guard(f"list(dict.keys(L['x'])) == [{'k, ' * 400_000}]").path,
        parse_guard(f"list(dict.keys(L['x'])) == [{'k, ' * 400_000}]").kinds,
    )
    assert parse_guard("n" * 1_000_000).path is None
