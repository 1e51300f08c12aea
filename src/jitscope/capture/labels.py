"""The labels that are on: blocks inside of tests inside of one another, and of several threads at once."""

from __future__ import annotations

from jitscope.capture.recorder import recorder
from jitscope.model.notation import LABEL_JOIN


class Labels:
    """Joins the labels that are on, in the order in which they came, and tells the recorder."""

    def __init__(self) -> None:
        self._on: dict[object, str] = {}

    def enter(self, text: str) -> object:
        """Put a label on; the result takes it off again."""
        token = object()
        with recorder.lock:
            self._on[token] = text
            self._tell()
        return token

    def leave(self, token: object) -> None:
        """Take a label off; once more does nothing."""
        with recorder.lock:
            if self._on.pop(token, None) is not None:
                self._tell()

    def _tell(self) -> None:
        recorder.label(LABEL_JOIN.join(self._on.values()) or None)


labels = Labels()
"""Those of this process."""
