"""What lookups in caches on disk come to: seconds saved, words, sums."""

import pytest
from builders import compilation, function, recording

from jitscope.analysis.build import build_report
from jitscope.analysis.cache_outcomes import measured_in, outcome_of, reason_text, unwritten_text
from jitscope.analysis.part import build_part_report
from jitscope.model.caching import CacheLookup
from jitscope.model.events import Phase, PhaseEvent

KEY = "jit_step-" + "a" * 64


def jax_hit(stored=2.0, read=0.5):
    return CacheLookup("jax", "hit", key=KEY, read_seconds=read, stored_seconds=stored, stored_whole=True)


def jax_miss(**fields):
    return CacheLookup("jax", "miss", key=KEY, **({"reason": "no_entry", "read_seconds": 0.001} | fields))


def test_jaxs_whole_seconds_are_bounds():
    one = outcome_of(jax_hit(stored=2.0, read=0.5))

    assert (None, 1.5, 2.5, "bounds") == (one.saved_seconds, one.saved_at_least, one.saved_at_most, one.saved_from)


def test_what_an_earlier_run_measured_is_exact():
    one = outcome_of(jax_hit(stored=2.0, read=0.5), {KEY: 2.75})

    assert (2.25, "recording") == (one.saved_seconds, one.saved_from)


def test_what_another_entry_of_that_key_took_is_not_believed():
    one = outcome_of(jax_hit(stored=2.0, read=0.5), {KEY: 7.0})

    assert (None, "bounds") == (one.saved_seconds, one.saved_from)


def test_torchs_entries_say_it_themselves():
    one = outcome_of(CacheLookup("fx_graph", "hit", read_seconds=1.0, stored_seconds=13.25))

    assert (12.25, "entry") == (one.saved_seconds, one.saved_from)


def test_an_entry_that_says_nothing_saves_an_unknown_time():
    one = outcome_of(CacheLookup("fx_graph", "hit", read_seconds=1.0))

    assert (None, None, None) == (one.saved_seconds, one.saved_at_least, one.saved_from)


def test_reasons_that_a_newer_jitscope_may_know_are_told_as_they_are():
    one = CacheLookup("jax", "miss", reason="{new}", unwritten="{0}")

    assert ("{new}", "{0}") == (reason_text(one), unwritten_text(one))


def test_a_miss_saves_nothing():
    assert outcome_of(jax_miss()).saved_seconds is None


@pytest.mark.parametrize(
    ("lookup", "words"),
    [
        (CacheLookup("jax", "off", reason="no_folder"), "no folder is set"),
        (jax_miss(reason="set_late", words="/new", folder="/old"), "still looks in /old"),
        (jax_miss(written=False, unwritten="too_quick", unwritten_words="… is 1"), "not written: compiling took less"),
        (jax_miss(written=False, unwritten="host_callbacks"), "calls back into Python"),
        (CacheLookup("fx_graph", "bypass", reason="not_cacheable", words="Unsupported pass"), "Unsupported pass"),
        (CacheLookup("fx_graph", "hit", remote=True), "a remote cache"),
        (CacheLookup("jax", "miss", reason="invented_later"), "invented_later"),
    ],
)
def test_reasons_have_words(lookup, words):
    assert words in outcome_of(lookup).why


def test_a_plain_hit_needs_no_words():
    assert outcome_of(jax_hit()).why is None


def report_of(*lookups, measured=None, **fields):
    events = [compilation(n, caches=(one,), **fields) for n, one in enumerate(lookups, start=2)]
    return build_report(recording(function(1), *events), measured)


def test_sums_count_each_result_and_each_reason():
    (cache,) = report_of(
        jax_hit(), jax_miss(written=True, write_seconds=0.25), jax_miss(written=False, unwritten="too_quick")
    ).caches

    assert (1, 2, 1, 0.25) == (cache.hits, cache.misses, cache.written, cache.write_seconds)
    assert {"no entry has its key": 2} == cache.reasons
    assert [1] == list(cache.unwritten.values())


def test_sums_say_of_how_many_hits_the_saving_is_unknown():
    (cache,) = report_of(jax_hit()).caches

    assert (0.0, 1, 1.5) == (cache.saved_seconds, cache.saved_unknown, cache.saved_at_least)


def test_sums_of_known_hits_add_up():
    (cache,) = report_of(jax_hit(), jax_hit(), measured={KEY: 2.75}).caches

    assert (4.5, 0) == (cache.saved_seconds, cache.saved_unknown)


def test_what_this_run_measured_itself_serves_its_own_hits():
    """A program that is compiled, forgotten and read again: the run knows what its own entry took."""
    report = report_of(jax_miss(written=True, compile_seconds=2.25), jax_hit(), measured={KEY: 2.75})
    (cache,) = report.caches
    (one,) = report.functions[0].compilations_detail[1].caches

    assert (1.75, 0) == (cache.saved_seconds, cache.saved_unknown)
    assert (1.75, "recording") == (one.saved_seconds, one.saved_from)


def test_a_part_knows_what_the_entry_took_that_was_made_before_it():
    first, second = (
        compilation(n, caches=(one,)) for n, one in ((2, jax_miss(written=True, compile_seconds=2.25)), (3, jax_hit()))
    )
    (cache,) = build_part_report(recording(function(1), first, second), recording(function(1), second)).caches

    assert (1.75, 0) == (cache.saved_seconds, cache.saved_unknown)


def test_what_hits_took_all_the_same_leaves_out_the_reading():
    phases = (Phase("trace", 0, 0.5), Phase("lower", 0, 0.25), Phase("compile", 0, 0.0), Phase("cache_read", 0, 0.5))
    (cache,) = report_of(jax_hit(), phases=phases).caches

    assert {"trace": 0.5, "lower": 0.25, "compile": 0.0} == cache.rest_seconds


def test_an_entry_written_after_the_backward_graph_is_counted_once():
    forward = CacheLookup("aot_autograd", "miss", key="a1", reason="no_entry", read_seconds=0.5)
    later = CacheLookup("aot_autograd", "miss", key="a1", reason="no_entry", read_seconds=0.5, written=True)
    backward = CacheLookup("fx_graph", "miss", key="f2", reason="no_entry", backward=True)
    report = build_report(
        recording(
            function(1, framework="torch"),
            compilation(2, framework="torch", caches=(forward,)),
            PhaseEvent(2, Phase("backward", 3.0, 1.0), (backward, later)),
        )
    )
    aot, fx = report.caches

    assert (1, 1, 1) == (aot.misses, aot.written, fx.misses)
    assert ["aot_autograd", "fx_graph"] == [one.cache for one in report.functions[0].compilations_detail[0].caches]


def test_only_entries_that_were_written_are_measured():
    events = [
        compilation(2, caches=(jax_miss(written=True, compile_seconds=2.75),)),
        compilation(3, caches=(CacheLookup("jax", "miss", key="other", written=False, compile_seconds=1.0),)),
    ]

    assert {KEY: 2.75} == measured_in(events)


def test_recordings_without_lookups_have_no_caches():
    assert () == build_report(recording(function(1), compilation(2))).caches
