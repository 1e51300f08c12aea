"""The JAX tests on other releases of JAX, without PyTorch: ``make matrix``.

jitscope's own environment has one JAX; what it reads of JAX's private parts differs from release to release.
"""

from __future__ import annotations

import re
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

TESTS = ("tests/jax", "tests/unit")


def _without_jax(session: nox.Session) -> str:
    """Write the constraints without their JAX, so that the session can choose its own."""
    lines = Path("constraints.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not re.match(r"(jax|jaxlib|torch|numpy|scipy|ml_dtypes)\b", line)]
    path = Path(session.create_tmp()) / "constraints.txt"
    path.write_text("\n".join(kept), encoding="utf-8")
    return str(path)


def _run(session: nox.Session, *jax: str) -> None:
    session.install("--constraint", _without_jax(session), *jax, "--editable", ".[test]")
    session.run("python", "-m", "pytest", *TESTS, "-q", *session.posargs)


@nox.session(name="jax-0.6.2", python="3.11")
def jax_0_6(session: nox.Session) -> None:
    """The oldest JAX that jitscope supports."""
    _run(session, "jax==0.6.2", "jaxlib==0.6.2")


@nox.session(name="jax-0.8.3", python="3.11")
def jax_0_8(session: nox.Session) -> None:
    """Between the two."""
    _run(session, "jax==0.8.3", "jaxlib==0.8.3")


@nox.session(name="jax-0.12", python="3.12")
def jax_0_12(session: nox.Session) -> None:
    """The newest JAX, which needs Python 3.12; skipped where there is none."""
    _run(session, "jax==0.12.0.1", "jaxlib==0.12.0.1")
