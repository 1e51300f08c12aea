"""The benchmarks reach into jitscope's wrapper: one suite is run, so that a change of it is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[2] / "benchmarks" / "run.py"

pytestmark = [pytest.mark.jax, pytest.mark.slow]


def test_what_a_hit_consists_of_can_be_measured():
    done = subprocess.run(
        [sys.executable, str(RUN), "--quick", "--only", "anatomy_jax"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "jitscope, 4 signatures in turn" in done.stdout
