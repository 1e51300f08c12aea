"""Two runs compared."""

import msgspec
import pytest
from builders import array, compilation, function, process, ranks, recording, runs, signature, signatures, training

from jitscope.analysis.combine import combine
from jitscope.analysis.compare import compare
from jitscope.model.events import FunctionEvent
from jitscope.render.difference_words import verdict_text


def step(number, name="step", sizes=(8,), line=12, seconds=1.0, **fields):
    known = signatures(number, *(signature(array("x", "f32", size)) for size in sizes), start=100 * number)
    made = [
        compilation(100 * number + n, number, seconds, call=n + 1, signature=100 * number + n, program=f"jit({name})")
        for n in range(len(sizes))
    ]
    calls = [(100 * number + n, "compile", 1) for n in range(len(sizes))]
    return [function(number, name, line=line, **fields), *known, *made, runs(number, *calls)]


def statuses(difference):
    return {one.name: one.status for one in difference.functions}


@pytest.mark.parametrize(
    "value",
    [training(), recording(), recording(*step(1), end=None), combine(ranks((64, 63), (64,)))],
    ids=["training", "nothing", "killed", "combined"],
)
def test_a_run_against_itself_is_unchanged(value):
    found = compare(value, value)

    assert ("same", 0, 0.0, ()) == (found.verdict, found.compilations, found.compile_seconds, found.causes)
    assert {"same"} >= {one.status for one in found.functions}
    assert all(one.compilations == () for one in found.functions)
    assert verdict_text(found).startswith("noth")


def test_what_holds_in_one_process_only_changes_nothing():
    def moved(by):
        events = tuple(
            msgspec.structs.replace(event, body=by) if isinstance(event, FunctionEvent) else event
            for event in training().events
        )
        return process(msgspec.structs.replace(training(), events=events), run=f"r{by}", pid=by, monotonic=float(by))

    found = compare(moved(1), moved(2))

    assert ("same", "yes", ()) == (found.verdict, found.comparable, found.caveats)


def test_fewer_compilations_are_won():
    found = compare(training((64, 63, 61)), training((64, 64, 61)))
    (one,) = found.functions
    (gone,) = one.compilations

    assert ("fewer", -1, -2.0, -1, -2.0) == (
        found.verdict,
        found.compilations,
        found.compile_seconds,
        found.recompilations,
        found.recompile_seconds,
    )
    assert ("gone", 1, 0, 2.0, 0.0, ("shape",)) == (
        gone.status, gone.before, gone.after, gone.seconds_before, gone.seconds_after, gone.causes,
    )  # fmt: skip
    assert "f32[63,128]" in gone.signature
    assert (2, "changed", -2.0) == (one.unchanged, one.status, one.seconds)
    assert "B compiles 1 fewer time and 2.00 s less" == verdict_text(found)
    assert (0, 1) == (one.before.hits, one.after.hits)


def test_more_compilations_are_lost():
    found = compare(training((64,)), training((64, 63, 62)))

    assert "B compiles 2 more times and 4.00 s more" == verdict_text(found)
    assert {"new"} == {one.status for one in found.functions[0].compilations}


def test_as_many_but_others():
    found = compare(training((64, 63)), training((64, 32)))

    assert ("other", 0) == (found.verdict, found.compilations)
    assert "B compiles as often as A (2 times), but not the same and takes as long" == verdict_text(found)


def test_causes_that_came_and_went():
    before = recording(*step(1, sizes=(8, 9, 10)))
    again = compilation(300, 1, 2.0, call=2, signature=100, cleared=True)
    after = recording(*step(1, sizes=(8,)), again)
    causes = {(one.kind, one.path): (one.status, one.before, one.after) for one in compare(before, after).causes}

    assert ("gone", 2, 0) == causes["shape", "x"]
    assert {"new"} == {status for (kind, _), (status, _, _) in causes.items() if kind != "shape"}


def test_functions_that_are_new_or_gone():
    found = compare(recording(*step(1), *step(2, "old")), recording(*step(1), *step(2, "new")))

    assert {"step": "same", "old": "gone", "new": "new"} == statuses(found)
    assert found.functions[-1].name == "step"


def test_a_function_that_moved_within_its_file_is_the_same():
    found = compare(recording(*step(1, line=12)), recording(*step(1, line=40)))
    (one,) = found.functions

    assert ("same", 12, 40) == (one.status, one.before.line, one.after.line)


def test_lambdas_are_told_by_place_then_by_what_they_were_compiled_for():
    before = recording(*step(1, "<lambda>", (8,), 10), *step(2, "<lambda>", (4,), 20))
    after = recording(*step(1, "<lambda>", (2,), 5), *step(2, "<lambda>", (8,), 11), *step(3, "<lambda>", (4,), 21))
    found = compare(before, after)

    assert [("new", None, 5), ("same", 10, 11), ("same", 20, 21)] == sorted(
        (one.status, one.before.line if one.before else None, one.after.line) for one in found.functions
    )


def test_another_checkout_of_the_same_program_is_compared():
    before = process(recording(*step(1, file="/home/u/a/train.py")), cwd="/home/u/a")
    after = process(recording(*step(1, file="/srv/b/train.py")), cwd="/srv/b")
    elsewhere = recording(*step(1, file="/opt/lib/train.py"))

    assert {"step": "same"} == statuses(compare(before, after)) == statuses(compare(before, elsewhere))


def test_another_file_with_the_same_function_is_another_one():
    before = recording(*step(1, file="/home/u/a.py"))
    after = recording(*step(1, file="/home/u/b.py"))

    assert ["gone", "new"] == sorted(one.status for one in compare(before, after).functions)


@pytest.mark.parametrize(
    ("fields", "slug", "text"),
    [
        ({"versions": {"python": "3.12.1", "jax": "0.10.2"}}, "versions", "another python: 3.11.7 in A, 3.12.1 in B"),
        ({"versions": {"python": "3.11.7"}}, "versions", "jax 0.10.2 in A only"),
        ({"devices": ("cuda:0",)}, "devices", "other devices: cpu:0 in A, cuda:0 in B"),
        ({"argv": ("train.py",)}, "argv", "another command line: train.py --epochs 3 in A, train.py in B"),
    ],
)
def test_what_differs_beside_the_program_is_said(fields, slug, text):
    found = compare(training(), process(training(), **fields))

    assert ("partly", [(slug, text)]) == (found.comparable, [(one.slug, one.text) for one in found.caveats])


def test_where_a_program_lies_makes_no_difference():
    assert () == compare(training(), process(training(), argv=("/srv/train.py", "--epochs", "3"))).caveats


@pytest.mark.parametrize("fields", [{"torn": True}, {"events": training().events[:-1]}], ids=["torn", "killed"])
def test_an_incomplete_recording_is_said_to_be_one(fields):
    found = compare(training(), msgspec.structs.replace(training(), **fields))

    assert ["incomplete"] == [one.slug for one in found.caveats]
    assert found.caveats[0].text.startswith("B is incomplete")


def test_another_number_of_processes_is_said():
    found = compare(training(), combine(ranks((64,), (64,))))

    assert "another number of processes: 1 in A, 2 in B" in [one.text for one in found.caveats]


def test_runs_with_nothing_in_common_are_not_comparable():
    found = compare(recording(*step(1, "a")), recording(*step(1, "b")))

    assert ("no", "no-function-in-common") == (found.comparable, found.caveats[0].slug)
    assert verdict_text(found).startswith("A and B are not comparable")


def test_a_run_that_compiles_nothing_is_comparable():
    assert "yes" == compare(training(), recording()).comparable


def test_other_times_alone_are_no_change():
    found = compare(recording(*step(1, seconds=1.0)), recording(*step(1, seconds=3.0)))

    assert ("same", pytest.approx(2.0), "same") == (found.verdict, found.compile_seconds, found.functions[0].status)
    assert "the same 1 compilation in both; they took 1.00 s and 3.00 s" == verdict_text(found)


def test_an_unused_function_is_not_compared():
    assert {"step": "same"} == statuses(compare(recording(*step(1), function(2, "idle")), recording(*step(1))))
