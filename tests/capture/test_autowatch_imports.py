"""What `jitscope run` waits for: modules that a framework imports when they are first needed."""

from __future__ import annotations

from subprocesses import run

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from jitscope.capture import autowatch
autowatch.install()
told = []
autowatch.when_imported("late", lambda: told.append("late"))
autowatch.when_imported("sys", lambda: told.append("there already"))
autowatch.when_imported("failing", lambda: 1 / 0)
import late, failing, importlib
importlib.reload(late)
print(told, late.VALUE, type(late.__spec__.loader).__name__)
"""


def test_what_waits_for_a_module_is_called_once_and_its_errors_reach_nobody(tmp_path):
    for name in ("late", "failing"):
        (tmp_path / f"{name}.py").write_text("VALUE = 1\n", encoding="utf-8")
    done = run(PROGRAM.format(folder=str(tmp_path)))
    assert "['there already', 'late'] 1 SourceFileLoader" == done.stdout.strip()
