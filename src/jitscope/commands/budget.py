"""The budget that commands hold a recording against."""

from __future__ import annotations

from pathlib import Path

from jitscope.errors import JitscopeError
from jitscope.model.budget import Budget
from jitscope.store.budget_file import TABLE, find_file, read_budget

NO_BUDGET = f"no budget: give a limit (jitscope check --max-recompiles 0), or a table {TABLE} in pyproject.toml"


def configured(config: Path | None = None) -> Budget | None:
    """The budget of the file ``config``, else of the nearest ``pyproject.toml``; None where it has none.

    Raises:
        JitscopeError: if the file can't be read, its budget is wrong, or ``config`` has none.
    """
    path = find_file() if config is None else config
    budget = read_budget(path) if path is not None else None
    if config is not None and budget is None:
        raise JitscopeError(f"no table {TABLE} in {config}: add it, or name another file", slug="no-budget")
    return budget


def required() -> Budget:
    """The budget of the nearest ``pyproject.toml``.

    Raises:
        JitscopeError: if there is none, or it is wrong or empty.
    """
    budget = configured()
    if budget is None or not budget.given:
        raise JitscopeError(f"no budget for --check: add a table {TABLE} to pyproject.toml", slug="no-budget")
    return budget
