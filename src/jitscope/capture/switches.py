"""Environment switches, read once."""

from __future__ import annotations

import os

OFF = os.environ.get("JITSCOPE", "").strip().lower() in {"0", "off", "false", "no"}
"""``JITSCOPE=0``: `watch` returns its argument and nothing is installed."""

STRICT = os.environ.get("JITSCOPE_STRICT", "") == "1"
"""``JITSCOPE_STRICT=1`` (our own tests): an error inside jitscope raises instead of becoming a note."""
