"""``python -m jitscope``."""

from __future__ import annotations

from jitscope.commands import main

if __name__ == "__main__":
    main(prog_name="jitscope")
