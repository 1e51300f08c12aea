"""``jitscope check``: a recording held against a budget."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from jitscope.analysis.budget import evaluate
from jitscope.analysis.build import build_report
from jitscope.commands.budget import NO_BUDGET, configured
from jitscope.commands.choose import run_of
from jitscope.commands.completing import complete_function, complete_kinds, complete_recording
from jitscope.commands.output import refuse_overwriting, write_file, write_out
from jitscope.errors import OVER_BUDGET, JitscopeError
from jitscope.model.budget import Budget, BudgetResult, Limits
from jitscope.store.budget_file import parse_kinds

_BY_SUFFIX = {".json": "json", ".xml": "junit"}
_EPILOG = """\b
Examples:
  jitscope check --max-recompiles 0
  jitscope check run.jsonl --forbid weak_type,new_function
  jitscope check --function 'train*' --max-compilations 1
  jitscope check --format junit -o budget.xml
"""


def _kinds(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of causes, with commas between them."""
    try:
        return tuple(parse_kinds(name.strip() for text in given for name in text.split(",") if name.strip()))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def _seconds(ctx: click.Context, param: click.Parameter, given: float | None) -> float | None:
    """No nan: it is within every limit."""
    if given is not None and not 0 <= given < float("inf"):
        raise click.BadParameter(f"{given} is not a number of seconds from 0 on", ctx, param)
    return given


_COUNT = click.IntRange(min=0)


@click.command(epilog=_EPILOG)
@click.argument("file", required=False, type=click.Path(path_type=Path), shell_complete=complete_recording)
@click.option("--max-recompiles", type=_COUNT, metavar="N", help="Compilations after a function's first.")
@click.option("--max-compilations", type=_COUNT, metavar="N", help="Compilations, first ones included.")
@click.option("--max-avoidable", type=_COUNT, metavar="N", help="Recompilations whose causes can all be avoided.")
@click.option("--max-compile-seconds", type=float, callback=_seconds, metavar="S", help="Time spent compiling.")
@click.option("--max-eager-fallbacks", type=_COUNT, metavar="N", help="Calls that ran without compiled code.")
@click.option(
    "--forbid",
    callback=_kinds,
    multiple=True,
    metavar="KIND,…",
    shell_complete=complete_kinds,
    help="Causes that none may have: weak_type.",
)
@click.option(
    "--function",
    metavar="GLOB",
    shell_complete=complete_function,
    help="The limits given here are for each function that fits, not the run.",
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Budget file, not pyproject.toml.")
@click.option("--strict", is_flag=True, help="What is not known fails too: a cut-off recording, an unused pattern.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github", "junit"]),
    help="Default: by the ending of -o, else text.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file; - is standard output.")
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
@click.option("--all", "all_", is_flag=True, help="Show every limit and every compilation that counts.")
def check(
    file: Path | None,
    function: str | None,
    config: Path | None,
    strict: bool,
    format_: str | None,
    output: Path | None,
    force: bool,
    all_: bool,
    forbid: tuple[str, ...],
    **counts: float | None,
) -> None:
    """Hold the recording FILE, or a run, against a budget; without FILE, the newest one. Exit code 3 when exceeded.

    The budget is the table tool.jitscope.budget of the nearest pyproject.toml; options take the place of what it says.
    """
    given: dict[str, Any] = {name: value for name, value in counts.items() if value is not None}
    if forbid:
        given["forbid"] = forbid
    if function is not None and not given:
        raise click.UsageError("--function needs a limit that is to hold: --function GLOB --max-recompiles 0")
    budget = _with_options(configured(config) or Budget(), given, function, strict=strict)
    if not budget.given:
        raise JitscopeError(NO_BUDGET, slug="no-budget")
    run = run_of(file)
    if output is not None and str(output) == "-":
        output = None
    if output is not None:
        for source in run.paths:
            refuse_overwriting(output, source=source, force=force)
    result = evaluate(build_report(run.recording), budget)
    chosen = format_ or (_BY_SUFFIX.get(output.suffix.lower(), "text") if output is not None else "text")
    text = _render(result, chosen, run.source, all_=all_, file=output is not None)
    if output is None:
        write_out(text)
    else:
        write_file(output, text, force=force)
    if not result.within:
        click.get_current_context().exit(OVER_BUDGET)


def _with_options(budget: Budget, given: dict[str, Any], function: str | None, *, strict: bool) -> Budget:
    """The budget of the file with the options of the command line in place of what it says."""
    if strict:
        budget = msgspec.structs.replace(budget, strict=True)
    if function is None:
        return msgspec.structs.replace(budget, **given)
    limits = msgspec.structs.replace(budget.functions.get(function, Limits()), **given)
    return msgspec.structs.replace(budget, functions=budget.functions | {function: limits})


def _render(result: BudgetResult, chosen: str, source: str, *, all_: bool, file: bool) -> str:
    # A renderer is imported when it is used: rich takes longer than all the rest.
    if chosen == "json":
        from jitscope.render.json import render_json

        return render_json(result)
    if chosen == "junit":
        from jitscope.render.budget_junit import render_budget_junit

        return render_budget_junit(result)
    if chosen == "github":
        from jitscope.render.budget_github import render_budget_github

        return render_budget_github(result, root=_root(), source=source)
    from jitscope.render.budget_text import render_budget_text

    return render_budget_text(
        result, source=source, all_=all_, color=False if file else None, width=80 if file else None
    )


def _root() -> str:
    """The folder that GitHub's paths are relative to: its checkout, else the repository that this is in, else here."""
    here = Path.cwd()
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if workspace and here.is_relative_to(workspace):
        return workspace
    return str(next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here))
