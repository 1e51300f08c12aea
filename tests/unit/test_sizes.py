"""The values something took, as one text."""

import pytest

from jitscope.analysis.sizes import sequence_text


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ""),
        (["f32[64,8]"], "f32[64,8]"),
        (["f32[64,8]", "f32[63,8]", "f32[61,8]"], "axis 0: 64 → 63 → 61"),
        (["f32[64,8]", "f32[64,8]", "f32[63,8]", "f32[64,8]"], "axis 0: 64 → 63 → 64"),
        (["f32[64,8]", "f32[64,9]"], "axis 1: 8 → 9"),
        (["f32[8]{committed}", "f32[9]{committed}"], "axis 0: 8 → 9"),
        (["f32[64,8]", "f32[63,9]"], "f32[64,8] → f32[63,9]"),
        (["f32[64,8]", "f32[63,8]", "f32[63,9]"], "f32[64,8] → f32[63,8] → f32[63,9]"),
        (["f32[8]", "bf16[9]"], "f32[8] → bf16[9]"),
        (["f32[8]", "f32[9]{committed}"], "f32[8] → f32[9]{committed}"),
        (["f32[8]", "f32[8,1]"], "f32[8] → f32[8,1]"),
        (["f32[]", "f32[8]"], "f32[] → f32[8]"),
        (["f32[8]", "absent", "f32[9]"], "f32[8] → absent → f32[9]"),
        (["True", "False", "True"], "True → False → True"),
        (["f32[8]", "f32[8]"], "f32[8]"),
    ],
)
def test_sequences(values, expected):
    assert expected == sequence_text(values)


def test_of_many_values_the_first_are_shown():
    values = [f"f32[{size},8]" for size in range(64, 44, -1)]

    assert "axis 0: 64 → 63 → 62 → 61 → 60 → 59 → … 14 more" == sequence_text(values)
    assert "axis 0: 64 → 63 → … 18 more" == sequence_text(values, limit=2)
    assert "axis 0: 64 → 63" == sequence_text(values[:2], limit=2)


def test_long_values_are_cut():
    text = sequence_text(["x" * 500, "y"])

    assert f"{'x' * 59}… → y" == text
