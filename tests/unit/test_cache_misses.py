"""Why caches on disk missed, from recordings made by hand."""

import pytest
from builders import compilation, function, header, recording

from jitscope.analysis.cache_misses import misses_of
from jitscope.errors import JitscopeError
from jitscope.model.caching import CacheKeyEvent, CacheLookup, KeyPart, pack

PROGRAM = """\
module @jit_step attributes {} {
  func.func public @main(%arg0: tensor<{size}xf32>) -> (tensor<f32>) {
    %cst = stablehlo.constant dense<{scale}> : tensor<f32>
    return %cst : tensor<f32>
  }
}
"""


def text(scale="2.000000e+00", size=3, name="step"):
    return PROGRAM.replace("{scale}", scale).replace("{size}", str(size)).replace("jit_step", f"jit_{name}")


def asked(run, *programs, name="step", folder="/cache"):
    """A recording of lookups: ``(key, result, program, parts, fields)``."""
    events = [function(1, name)]
    for n, (key, result, program, parts, fields) in enumerate(programs):
        known = {"computation": program, "jax_lib version": "0.10.2", "XLA flags": ""} | parts
        events.append(
            CacheKeyEvent(
                id=100 + n,
                cache="jax",
                key=key,
                parts=tuple(KeyPart(part, f"d{value}", value) for part, value in known.items()),
                packed=pack(program) if result == "miss" else None,
            )
        )
        lookup = CacheLookup("jax", result, key=key, parts=100 + n, folder=folder, **fields)
        events.append(compilation(10 + n, program=name, caches=(lookup,)))
    return recording(*events, header=header(run=run))


WRITTEN = {"written": True, "compile_seconds": 1.0, "reason": "no_entry"}


def miss(key, program=None, parts=None, **fields):
    return key, "miss", program or text(), parts or {}, WRITTEN | fields


def hit(key, program=None):
    return key, "hit", program or text(), {}, {}


def only(*recordings, **fields):
    (found,) = misses_of(recordings[:-1], recordings[-1], **fields).misses
    return found


def test_a_first_lookup_says_so():
    assert "first_time" == only(asked("a", miss("k1"))).kind


def test_the_part_that_changed_is_named():
    found = only(asked("a", miss("k1")), asked("b", miss("k2", parts={"jax_lib version": "0.11"})))

    assert ("key_changed", "a") == (found.kind, found.against)
    assert [("jax_lib version", "0.10.2", "0.11")] == [(one.part, one.old, one.new) for one in found.changes]


def test_the_nearest_earlier_lookup_is_compared():
    before = asked("a", miss("k1", text("7.000000e+00"), {"XLA flags": "--a"}), miss("k2", text("5.000000e+00")))
    found = only(before, asked("b", miss("k3", text("6.000000e+00"))))

    assert ["computation"] == [one.part for one in found.changes]
    assert ("a constant: 5 → 6",) == found.changes[0].inside


def test_a_program_of_the_same_arguments_is_nearer_than_one_of_others():
    before = asked("a", miss("k1", text(size=4)), miss("k2", text("5.000000e+00", size=3)))
    found = only(before, asked("b", miss("k3", text("2.000000e+00", size=3))))

    assert "k2" == found.against_key


def test_the_newest_of_equally_near_ones_is_compared():
    found = only(
        asked("a", miss("k1")), asked("b", miss("k1b", parts={"XLA flags": "--x"})), asked("c", miss("k2", text("9.0")))
    )

    assert "a" == found.against  # differs in one part, run b's in two


def test_a_renamed_function_is_found_by_its_program():
    found = only(asked("a", miss("k1")), asked("b", miss("k2", text(name="other")), name="other"))

    assert ("the function's name: step → other",) == found.changes[0].inside


def test_a_hit_lends_its_key_the_text_of_the_miss_that_made_it():
    found = only(asked("a", miss("k1")), asked("b", hit("k1")), asked("c", miss("k2", text("3.000000e+00"))))

    assert ("b", ("a constant: 2 → 3",)) == (found.against, found.changes[0].inside)


def test_the_same_key_that_was_not_written_says_why():
    found = only(
        asked("a", miss("k1", written=False, unwritten="too_quick", unwritten_words="x is 1")), asked("b", miss("k1"))
    )

    assert "not_written" == found.kind
    assert "run a did not write the entry: compiling took less than is worth an entry (x is 1)" in found.told


def test_the_same_key_in_another_folder_says_where():
    found = only(asked("a", miss("k1")), asked("b", miss("k1"), folder="/elsewhere"))

    assert ("other_folder", True, True) == (found.kind, "/cache" in found.told, "/elsewhere" in found.told)


def test_the_same_key_whose_entry_was_there_is_gone():
    assert "gone" == only(asked("a", miss("k1")), asked("b", miss("k1"))).kind


def test_what_could_not_be_read_is_told_in_the_frameworks_words():
    found = only(asked("a", miss("k1")), asked("b", miss("k1", reason="unreadable", words="ZlibError: bad")))

    assert ("unreadable", True) == (found.kind, "ZlibError: bad" in found.told)


def test_hits_are_counted_and_not_explained():
    found = misses_of([asked("a", miss("k1"))], asked("b", hit("k1"), miss("k2", text("3.0"))))

    assert (1, 2, 1) == (found.hits, found.asked, len(found.misses))


def test_a_function_is_chosen_by_the_last_part_of_its_name():
    run = asked("a", miss("k1"), name="Model.step")

    assert 1 == len(misses_of([], run, "step").misses)


def test_an_unknown_function_is_an_error_that_names_those_there_are():
    with pytest.raises(JitscopeError, match="there are step"):
        misses_of([], asked("a", miss("k1")), "stop")


def test_parts_that_are_all_equal_are_said_not_to_explain_it():
    found = only(asked("a", miss("k1")), asked("b", miss("k2")))

    assert "all parts of the key that jitscope knows of are the same" in found.told
    assert () == found.changes


def test_a_lookup_without_recorded_parts_is_a_first_one():
    bare = recording(
        function(1),
        compilation(2, caches=(CacheLookup("jax", "miss", key="k9", reason="no_entry", parts=77),)),
        header=header(run="b"),
    )

    assert "first_time" == only(asked("a", miss("k1")), bare).kind
