"""Signatures side by side."""

from __future__ import annotations

from builders import array, signature, signatures, static

from jitscope.analysis.signature_table import PATHS, signature_table


def test_only_what_differs_has_a_column():
    table = signature_table(
        1,
        signatures(
            1,
            signature(array("w", "f32", 8), array("x", "f32", 64), static("causal", True)),
            signature(array("w", "f32", 8), array("x", "f32", 63), static("causal", False)),
        ),
    )

    assert ("x", "causal") == table.paths
    assert [("f32[64]", "True"), ("f32[63]", "False")] == [row.values for row in table.rows]
    assert ["w", "(passed)"] == [same.path for same in table.same]


def test_what_is_not_there_is_none():
    table = signature_table(
        1, signatures(1, signature(array("x", "f32", 1)), signature(static("mask", None), positional=1))
    )

    assert ("x", "mask") == table.paths
    assert [("f32[1]", None), (None, "None")] == [row.values for row in table.rows]


def test_one_signature_has_nothing_that_differs():
    table = signature_table(1, signatures(1, signature(array("x", "f32", 1))))

    assert () == table.paths
    assert ["x", "(passed)"] == [same.path for same in table.same]


def test_of_very_many_paths_the_number_is_told():
    leaves = [[array(f"p[{n}]", "f32", size) for n in range(100)] for size in (1, 2)]

    table = signature_table(1, signatures(1, *(signature(*each) for each in leaves)))

    assert (PATHS, 100 - PATHS) == (len(table.paths), table.more_paths)


def test_how_arguments_were_passed_and_options_can_differ():
    leaf = array("x", "f32", 1)

    table = signature_table(
        1,
        signatures(
            1,
            signature(leaf),
            signature(leaf, positional=0, keywords=("x",)),
            signature(leaf, options=("inline=True",)),
        ),
    )

    assert ("(passed)", "(options)") == table.paths
