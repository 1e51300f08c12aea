"""Which recordings belong together, and which are thrown away."""

import pytest
from builders import header, ranks

from jitscope.analysis.combine import combine
from jitscope.analysis.programs import group_programs, outdated, parts_of_others, refuse_strangers
from jitscope.errors import JitscopeError


def at(minute, **fields):
    return header(**{"run": f"run-{minute}", "started": f"2026-11-22T20:{minute:02}:00Z"} | fields)


def ids(headers):
    return [(program.id, program.members) for program in group_programs(headers)]


def test_recordings_that_name_one_program_are_together_and_its_first_process_comes_first():
    headers = [
        at(2, run="b", program="a", parent=1),
        at(9, run="z"),
        at(1, run="a", program="a"),
        at(3, run="c", program="a", parent=1),
    ]

    assert [("z", (1,)), ("a", (2, 0, 3))] == ids(headers)


def test_a_first_process_that_did_not_know_its_program_yet_is_in_it():
    assert [("a", (1, 0))] == ids([at(2, run="b", program="a", parent=1), at(1, run="a")])


def test_ranks_of_one_launch_are_together_without_being_told():
    launch = [header(run=f"r{rank}", rank=rank, world_size=4, pid=rank) for rank in (2, 0, 3, 1)]

    assert [("r0", (1, 3, 0, 2))] == ids(launch)


@pytest.mark.parametrize(
    "other",
    [
        {"rank": 0},
        {"rank": 1, "argv": ("other.py",)},
        {"rank": 1, "started": "2026-11-22T20:55:28Z"},
        {"rank": 1, "world_size": 3},
        {"rank": 1, "cwd": "/elsewhere"},
    ],
    ids=str,
)
def test_ranks_of_another_launch_are_not(other):
    one = {"run": "a", "rank": 0, "world_size": 2}

    assert 2 == len(group_programs([header(**one), header(**one | {"run": "b"} | other)]))


def test_two_launches_after_each_other_are_two_programs():
    first = [at(1, run=f"a{rank}", rank=rank, world_size=2) for rank in range(2)]
    second = [at(5, run=f"b{rank}", rank=rank, world_size=2) for rank in range(2)]

    assert [("b0", (2, 3)), ("a0", (0, 1))] == ids([*first, *second])


def test_recordings_without_anything_in_common_are_their_own():
    assert [("b", (1,)), ("a", (0,))] == ids([at(1, run="a"), at(2, run="b")])


def test_a_combined_recording_is_its_own():
    parts = ranks((64,), (64,))
    combined = combine(parts).header

    assert 2 == len(group_programs([combined, *(one.header for one in parts)]))


def test_strangers_are_refused_in_one_line_that_names_two_of_them():
    with pytest.raises(
        JitscopeError, match=r"^a.jsonl and b.jsonl are not of one run: train.py .* and other.py; .*--any$"
    ):
        refuse_strangers([at(2, run="a"), at(1, run="b", argv=("other.py",))], ["a.jsonl", "b.jsonl"])
    with pytest.raises(JitscopeError, match=r"two runs of train.py .*jitscope diff"):
        refuse_strangers([at(1, run="a"), at(2, run="b")], ["a.jsonl", "b.jsonl"])
    refuse_strangers([at(1, run="a"), at(2, run="b")], ["a.jsonl", "b.jsonl"], any_=True)


def test_a_combined_recording_is_not_combined_again():
    headers = [combine(ranks((64,), (63,))).header, at(1)]
    for any_ in (False, True):
        with pytest.raises(JitscopeError, match=r"a\.jsonl is a combined recording already"):
            refuse_strangers(headers, ["a.jsonl", "b.jsonl"], any_=any_)


def test_a_recording_inside_another_of_the_same_process_is_a_part_of_it():
    outer, inner = at(1, run="outer", monotonic=10.0), at(1, run="inner", monotonic=15.0)
    later, other = at(1, run="later", monotonic=31.0), at(1, run="other", monotonic=15.0, pid=1)

    assert {1: 0} == parts_of_others([outer, inner, later, other], [20.0, 5.0, 5.0, 5.0])
    assert {0: 3, 1: 3} == parts_of_others([later, inner, other, outer], [5.0, 5.0, 5.0, None])
    assert {1: 0} == parts_of_others([outer, outer], [0.0, 0.0])


def test_the_newest_programs_are_kept_with_all_their_processes():
    headers = [at(1, run="a"), at(2, run="b", program="b"), at(3, run="c", program="b"), at(4, run="d")]

    assert ([0], []) == outdated(headers, [False] * 4, 2)
    assert ([3, 1, 2, 0], []) == outdated(headers, [False] * 4, 0)
    assert ([], []) == outdated(headers, [False] * 4, 3)


def test_what_was_combined_of_a_program_goes_with_it():
    parts = [one.header for one in ranks((64,), (63,))]
    headers = [at(1, run="old"), *parts, combine(ranks((64,), (63,))).header]

    assert ([0], []) == outdated(headers, [False] * 4, 1)
    assert {0, 1, 2, 3} == set(outdated(headers, [False] * 4, 0)[0])


def test_a_program_of_which_a_process_runs_stays_whole():
    headers = [at(1, run="a"), at(2, run="b", program="b"), at(3, run="c", program="b"), at(4, run="d")]

    assert ([0], [1, 2]) == outdated(headers, [False, False, True, False], 1)
