"""History strips: the calls in their order, in the room there is."""

from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.strip import WORST, Fate, columns, fates
from jitscope.commands.output import _encodable
from jitscope.model.report import HistoryRun
from jitscope.render.strips import SIGNS, WORDS, legend, strip


def history(*runs):
    return [HistoryRun(None, outcome, count) for outcome, count in runs]


def test_every_outcome_has_a_sign_a_word_and_a_rank():
    outcomes = set(WORST) - {"nested"}

    assert outcomes == set(SIGNS) == set(WORDS)
    assert len(outcomes) == len(set(SIGNS.values()))


def test_neighbours_with_one_outcome_are_one_and_nested_calls_are_none():
    found = fates(history(("hit", 2), ("nested", 9), ("hit", 3), ("compile", 1), ("hit", 0)))

    assert [Fate("hit", 5), Fate("compile", 1)] == found


def test_a_sign_a_call_where_there_is_room():
    assert ("█▁▁▁█▒▒", 1) == strip(
        [Fate("compile", 1), Fate("hit", 3), Fate("compile", 1), Fate("eager_fallback", 2)], 7
    )


def test_long_runs_are_counted_where_there_is_less():
    calls = [Fate("compile", 1), Fate("hit", 61), Fate("compile", 2), Fate("hit", 4)]

    assert ("█▁×61██▁▁▁▁", 1) == strip(calls, 20)


def test_calls_share_a_column_where_there_is_little_and_the_worst_is_shown():
    calls = [Fate("compile", 1), Fate("hit", 3)] * 25

    assert ("█" * 10, 10) == strip(calls, 10)
    assert ("█▁▁", 34) == strip([Fate("compile", 1), Fate("hit", 99)], 3)


def test_the_legend_names_what_occurs_only():
    assert "█ compiled  ▁ hit" == legend([[Fate("hit", 2)], [Fate("compile", 1)]])
    assert "" == legend([])


def test_signs_differ_where_only_ascii_can_be_shown():
    text = _encodable("".join(SIGNS.values()), "ascii")

    assert text.isascii()
    assert len(SIGNS) == len(set(text)) == len(text)


calls = st.lists(st.builds(Fate, st.sampled_from(WORST[:-1]), st.integers(1, 200)), max_size=30)


@given(calls, st.integers(1, 60))
def test_a_strip_never_exceeds_its_room(found, width):
    assert len(strip(found, width)[0]) <= width


@given(calls, st.integers(1, 60))
def test_columns_lose_no_call_and_hide_no_compile(found, width):
    made, each = columns(found, width)

    assert sum(one.count for one in found) == sum(one.count for one in made)
    assert len(made) <= width
    assert all(one.count == each for one in made[:-1])
    flat = [one.outcome for one in found for _ in range(one.count)]
    for number, one in enumerate(made):
        assert one.outcome == min(flat[number * each :][: one.count], key=WORST.index)
