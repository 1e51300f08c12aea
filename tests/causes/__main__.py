"""The scoreboard: ``python -m causes [jax] [torch] [--only NAME] [--write FILE]``, from the tests folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from causes import scoreboard
from causes.runner import FRAMEWORKS, measure


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m causes", description="How often causes are named right.")
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK", help="jax, torch; both by default")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="run this situation; repeatable")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table into this Markdown file")
    options = parser.parse_args()
    unknown = set(options.frameworks) - set(FRAMEWORKS)
    if unknown:
        parser.error(f"no such framework: {', '.join(sorted(unknown))}")
    results = {framework: measure(framework, options.only) for framework in options.frameworks or FRAMEWORKS}
    print(scoreboard.plain(results))
    if options.write:
        scoreboard.write(options.write, scoreboard.markdown(results))


main()
