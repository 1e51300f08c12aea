"""Make docs/gallery anew: run each program, keep its recording, its timeline and what its report says.

    python examples/gallery/make.py [NAME ...]      (make gallery)

In the recordings, this machine's folders and name are replaced: what is published says nothing of where it was made.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "docs" / "gallery"
PAGE = FOLDER / "index.md"


@dataclass(frozen=True)
class Piece:
    """A program of the gallery."""

    name: str
    program: Path
    title: str
    about: str


PIECES = (
    Piece(
        "ragged_batch",
        HERE / "ragged_batch.py",
        "A ragged last batch",
        "A training loop on JAX. Each epoch ends with a batch of 11 instead of 32: one shape more, one compile more.",
    ),
    Piece(
        "lambda_in_a_loop",
        HERE / "lambda_in_a_loop.py",
        "A lambda in a loop",
        "`jax.jit` of a lambda that is made anew each time around. The cache belongs to the function object.",
    ),
    Piece(
        "recompile_limit",
        HERE / "recompile_limit.py",
        "The recompile limit",
        "Generation with torch: a cache that grows by a token, and a module attribute that says the step. After eight "
        "entries each, Dynamo gives up, and the rest of the run is eager.",
    ),
    Piece(
        "attention_jax",
        ROOT / "examples" / "attention_jax.py",
        "Attention on JAX",
        "The reference workload, small: a first call, another sequence length, another dtype.",
    ),
    Piece(
        "attention_torch",
        ROOT / "examples" / "attention_torch.py",
        "Attention on PyTorch",
        "The same with `torch.compile` and Inductor.",
    ),
)

HEAD = """# Gallery

What jitscope shows of programs that compile more than they should, each recorded by `jitscope run PROGRAM`. Press a
picture for the page that `jitscope html` writes: one file, which works offline. Without a website, from a clone:

```console
$ jitscope html docs/gallery/ragged_batch.jsonl --open
```

All of this page is made by `make gallery`.
"""


def main() -> None:
    """Record, and write the page."""
    wanted = set(sys.argv[1:]) or {piece.name for piece in PIECES}
    FOLDER.mkdir(exist_ok=True)
    for piece in PIECES:
        if piece.name in wanted:
            print(f"{piece.program.relative_to(ROOT)} …", file=sys.stderr, flush=True)
            record(piece)
    PAGE.write_text("\n".join([HEAD, *map(section, PIECES)]), encoding="utf-8")


def record(piece: Piece) -> None:
    """Run the program; keep its recording, and its timeline as a picture."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "run.jsonl"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JITSCOPE")},
            "JITSCOPE_QUIET": "1",
            # Else an earlier run's compiles are found on disk.
            "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",
        }
        command = [sys.executable, "-m", "jitscope", "run", "-o", str(made), "-q", piece.program.name]
        done = subprocess.run(  # noqa: S603  # this very interpreter
            command, cwd=piece.program.parent, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{piece.program.name} failed:\n{done.stderr[-2000:]}")
        kept = FOLDER / f"{piece.name}.jsonl"
        kept.write_text(anonymous(made.read_text(encoding="utf-8"), piece.program.parent), encoding="utf-8")
    jitscope("report", str(kept), "--plot", "timeline", "-o", str(kept.with_suffix(".svg")), "--force")


def anonymous(recording: str, folder: Path) -> str:
    """The recording as if it had been made in ``/home/you``."""
    places = {
        str(folder): "/home/you/gallery",
        str(ROOT): "/home/you/jitscope",
        sysconfig.get_path("purelib"): "/home/you/.venv/lib/python3/site-packages",
        sysconfig.get_path("stdlib"): "/usr/lib/python3",
        sys.prefix: "/home/you/.venv",
        str(Path.home()): "/home/you",
    }
    for place, instead in sorted(places.items(), key=lambda pair: -len(pair[0])):
        recording = recording.replace(place, instead)
    return re.sub(r'"host":"[^"]*"', '"host":"yours"', recording, count=1)


def section(piece: Piece) -> str:
    """What the page says of a piece."""
    text = jitscope("report", str(FOLDER / f"{piece.name}.jsonl")).rstrip()
    # The last line names the next command, and a path.
    shown = "\n".join(text.splitlines()[:-1]).strip()
    return f"""## {piece.title}

{piece.about}

<a href="{piece.name}.html"><img src="{piece.name}.svg" alt="Timeline: when what was compiled"></a>

```text
{shown}
```
"""


def jitscope(*args: str) -> str:
    """What a command of jitscope's prints."""
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "jitscope", *args]
    return subprocess.run(  # noqa: S603  # this very interpreter
        command, env=environment, capture_output=True, text=True, check=True, encoding="utf-8", cwd=FOLDER
    ).stdout


if __name__ == "__main__":
    main()
