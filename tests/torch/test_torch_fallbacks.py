"""On a torch that lacks what jitscope hooks into: the program runs on, and what can't be told is said."""

from __future__ import annotations

from subprocesses import run

PROGRAM = """
import jitscope, torch
from jitscope.capture.frameworks import torch_privates as privates
{missing}
f = jitscope.compile(lambda x: (x * 2).sum(), backend="aot_eager", dynamic=False)
for n in (2, 2, 3, 2, 3, 3):
    f(torch.ones(n, requires_grad=True)).backward()
s = jitscope.stats(f)
print(s.calls, s.hits, s.compiling_calls, s.compilations)
print(sorted(note.slug for note in jitscope.report().value.notes))
"""


def told(missing=""):
    """Counts, and slugs of the notes."""
    done = run(PROGRAM.format(missing=missing))
    counts, slugs = done.stdout.splitlines()
    return counts, slugs


def test_all_there():
    assert ("6 4 2 2", "[]") == told()


def test_without_the_compile_hook_no_compile_is_attributed_and_a_note_says_so():
    counts, slugs = told("privates.register_user_context_hook = None")

    assert counts.startswith("6 ")
    assert counts.endswith(" 0 0")
    assert "torch-no-hook" in slugs


def test_without_the_list_of_entries_hits_are_counted_but_not_by_entry():
    counts, slugs = told("privates.list_entries = None")

    assert ("6 4 2 2", "['torch-no-entries']") == (counts, slugs)


def test_without_metrics_compiles_are_counted_and_phases_unknown():
    assert ("6 4 2 2", "['torch-no-metrics']") == told("privates.get_compilation_metrics = None")


def test_without_callbacks_backward_compiles_are_said_to_be_unseen():
    assert ("6 4 2 2", "['torch-no-callbacks']") == told("privates.callback_handler = None")


def test_without_the_bytecode_hook_the_metrics_tell_what_ended_in_code():
    assert ("6 4 2 2", "[]") == told("privates.register_bytecode_hook = None")
