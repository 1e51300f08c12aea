"""`jitscope doctor` knows every variable that jitscope itself reads."""

import re
from pathlib import Path

import jitscope
from jitscope.analysis.environment import EFFECTS


def test_every_variable_of_jitscopes_own_is_known():
    found = {
        name
        for path in Path(jitscope.__file__).parent.rglob("*.py")
        for name in re.findall(r'"(JITSCOPE(?:_[A-Z]+)*)"', path.read_text(encoding="utf-8"))
    }
    assert "JITSCOPE_QUIET" in found
    assert set() == found - set(EFFECTS)
