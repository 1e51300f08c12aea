"""What is said to have taken most of a first call."""

import msgspec
import pytest
from builders import slow_start

from jitscope.analysis.costliest import NOT_ATTRIBUTED, costliest
from jitscope.analysis.first_call import first_calls
from jitscope.model.first_call import Part
from jitscope.render.first_call import costliest_text


def call(*parts, not_attributed=0.0, seconds=10.0):
    (one,) = [each for each in first_calls(slow_start()).calls if each.function == 1]
    return msgspec.structs.replace(one, parts=parts, not_attributed=not_attributed, seconds=seconds)


def part(label, own, *parts):
    return Part(label, label, None, own + sum(one.seconds for one in parts), own, parts=parts)


def test_parts_of_one_label_are_added_up_at_whatever_depth():
    found = costliest(call(part("dynamo", 1.0, part("guards", 2.0, part("dynamo", 4.0))), part("guards", 0.5)))

    assert (("dynamo", 5.0), ("guards", 2.5)) == found


def test_at_most_three_are_named_and_none_that_is_next_to_nothing():
    parts = [part(name, own) for name, own in (("a", 1.0), ("b", 4.0), ("c", 2.0), ("d", 3.0))]

    assert ["b", "d", "c"] == [label for label, _ in costliest(call(*parts))]
    assert [("b", 4.0)] == list(costliest(call(part("b", 4.0), part("tiny", 0.2))))


@pytest.mark.parametrize(("seconds", "named"), [(0.5, False), (0.6, True)])
def test_what_is_not_attributed_is_named_where_it_is_much(seconds, named):
    found = costliest(call(part("a", 9.0), not_attributed=seconds))

    assert named == ((NOT_ATTRIBUTED, seconds) in found)


def test_a_call_that_took_no_time_has_none():
    assert () == costliest(call(part("a", 0.0), seconds=0.0))
    assert "" == costliest_text(call(part("a", 0.0), seconds=0.0))
