"""JAX's own counts, kept by listeners of the tests, to hold jitscope's against."""

from __future__ import annotations

import pytest

jax = pytest.importorskip("jax")

jax.config.update("jax_num_cpu_devices", 4) if hasattr(jax.config, "jax_num_cpu_devices") else None

from jax import monitoring  # noqa: E402

_seen: list[tuple[str, str, float]] = []


def _listen(name: str, seconds: float, **kwargs: object) -> None:
    _seen.append((name.rsplit("/", 1)[-1], str(kwargs.get("fun_name", "")), seconds))


monitoring.register_event_duration_secs_listener(_listen)


class Truth:
    """What JAX itself announced since the test began."""

    def __init__(self) -> None:
        self._start = len(_seen)

    def events(self, kind: str, name: str | None = None) -> list[float]:
        """Durations of the events of this kind, of the program of this name where given."""
        return [
            seconds
            for event, program, seconds in _seen[self._start :]
            if event == kind and (name is None or program in (name, f"jit({name})"))
        ]

    def compilations(self, name: str | None = None) -> int:
        """How many programs XLA compiled."""
        return len(self.events("backend_compile_duration", name))


@pytest.fixture
def truth():
    return Truth()


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/jax/" in str(item.path):
            item.add_marker(pytest.mark.jax)
