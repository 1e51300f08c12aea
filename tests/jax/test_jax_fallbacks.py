"""On a JAX that lacks what jitscope hooks into: what can still be told is right, and what can't is said."""

from __future__ import annotations

from subprocesses import run

PROGRAM = """
import jitscope, jax, numpy as np
from jitscope.capture.frameworks import jax_privates as privates
{missing}
f = jitscope.jit(lambda x: x + 1)
for n in (2, 2, 3, 2, 3, 3):
    f(np.ones(n, np.float32))
f(jax.numpy.ones(2))
jax.vmap(f)(np.ones((2, 2), np.float32))
s = jitscope.stats(f)
print(s.calls, s.hits, s.compiling_calls, s.dispatch_misses, s.nested_calls, s.compilations)
print([(q.text, q.hits) for q in s.signatures])
print(sorted(note.slug for note in jitscope.report().value.notes))
"""


def told(missing=""):
    """Counts, hits by signature, and slugs of the notes."""
    counts, signatures, slugs = run(PROGRAM.format(missing=missing)).stdout.splitlines()
    return counts, signatures, slugs


def test_without_the_hook_counts_are_the_same_and_a_note_says_what_is_missing():
    counts, signatures, slugs = told()
    without = told("privates.can_hook = False")

    assert "7 4 2 1 1 3" == counts
    assert (counts, signatures) == without[:2]
    assert ("[]", "['jax-no-hook']") == (slugs, without[2])


def test_without_the_cache_size_the_hook_is_enough():
    assert told()[:2] == told("privates.cache_size = lambda jitted: None")[:2]


def test_without_the_other_private_names_counts_are_the_same():
    missing = """
privates.trace_misses = lambda: None
privates.trace_context = lambda: None
privates.on_fast_path = lambda callback: False
privates.on_disable_jit = lambda callback: False
privates.on_clear_caches = lambda callback: None
privates.hide_frames_of = lambda path: None
"""
    counts, signatures, slugs = told(missing)

    assert told()[:2] == (counts, signatures)
    assert "['jax-disable-jit']" == slugs
