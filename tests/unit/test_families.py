"""Signatures that differ only in sizes."""

import pytest
from builders import array, signature, static

from jitscope.analysis.families import families, family_text


def test_sizes_collapse_and_the_rest_does_not():
    known = {
        1: signature(array("x", "f32", 64, 128), static("causal", True)),
        2: signature(array("x", "f32", 63, 128), static("causal", True)),
        3: signature(array("x", "f32", 63, 128), static("causal", False)),
        4: signature(array("x", "bf16", 62, 128), static("causal", True)),
        5: signature(array("x", "f32", 64), static("causal", True)),
    }
    (only,) = families(known, {1: 2.0, 2: 3.0, 3: 50.0})

    assert ("x: f32[$,128], causal=True", 2) == (only.text, only.signatures)
    assert pytest.approx(5.0) == only.compile_seconds


def test_the_costliest_family_is_first():
    known = {n: signature(array("x", dtype, n)) for n, dtype in ((1, "f32"), (2, "f32"), (3, "f64"), (4, "f64"))}
    found = families(known, {1: 1.0, 4: 2.0})

    assert ["x: f64[$]", "x: f32[$]"] == [family.text for family in found]


def test_strides_of_other_sizes_are_no_difference():
    known = {n: signature(array("x", "f32", n, 4, stride=(1, n))) for n in (8, 9)}
    (only,) = families(known, {})

    assert "x: f32[$,4]" == only.text
    contiguous = signature(array("x", "f32", 9, 4))
    assert () == families({1: known[8], 2: contiguous}, {})


def test_marks_stay():
    members = [signature(array("x", "f32", n, committed=True)) for n in (1, 2)]

    assert "x: f32[$]{committed}" == family_text(members)


def test_of_many_leaves_those_that_differ_are_shown():
    def wide(size):
        return signature(*(array(f"w[{n}]", "f32", 2) for n in range(20)), array("x", "f32", size))

    assert "x: f32[$], 20 leaves alike" == family_text([wide(1), wide(2)])


def test_of_many_varying_leaves_the_first_are_shown():
    def wide(size):
        return signature(
            *(array(f"w[{n}]", "f32", size) for n in range(20)), *(array(f"b[{n}]", "f32") for n in range(5))
        )

    text = family_text([wide(1), wide(2)])
    assert text.startswith("w[0]: f32[$], w[1]: f32[$], ")
    assert text.endswith("w[7]: f32[$], … 12 more, 5 leaves alike")


def test_no_leaves():
    assert "()" == family_text([signature(), signature()])
