"""From the sources that torch's guards look at to the user's names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from jitscope.model.signature import Signature

_ROOT = re.compile(r"\b[LG]\['(\w+)'\]")
_DICTS = re.compile(r"\.__dict__\['(_modules|_parameters|_buffers)'\]")
_MEMBER = re.compile(r"\.(?:_modules|_parameters|_buffers)\['([^']*)'\]")
_ATTRIBUTE = re.compile(r"\.__dict__\['(\w+)'\]")


class Names:
    """From torch's sources to the user's names."""

    def __init__(
        self,
        signature: Signature | None,
        *,
        wrapped: bool,
        defaults: Collection[str],
        parameters: Sequence[str] | None,
    ) -> None:
        self._wrapped = wrapped
        self._parameters = parameters
        self._defaults = defaults
        self._arguments = (
            list(dict.fromkeys(found[0] for leaf in signature.leaves if (found := re.match(r"\w+", leaf.path))))
            if signature is not None
            else []
        )

    def path(self, source: str) -> str:
        """``L['fn']._modules['1'].training`` → ``self[1].training``; of an expression, each source in it."""
        text = re.sub(r"___from_numpy\(([^()]+)\)", r"\1", source)
        text = re.sub(r"\bdict\((type\([^()]*\))\.__dict__\)\['(\w+)'\]", r"\1.\2", text)
        text = _ROOT.sub(r"\1", text)
        text = _DICTS.sub(r".\1", text)
        text = _MEMBER.sub(lambda found: f"[{found[1]}]" if found[1].isdigit() else f".{found[1]}", text)
        text = _ATTRIBUTE.sub(r".\1", text).replace(".__dict__", "").removesuffix(".__code__")
        text = re.sub(r"\b__import_(\w+)", lambda found: found[1].replace("_dot_", "."), text)
        if self._wrapped:
            text = re.sub(r"\bfn\b", "self", text)
        if self._parameters is None or not {"args", "kwargs"} & set(self._parameters):
            # A wrapper's arguments: the signature calls them as the function inside does.
            text = re.sub(r"\bargs\[(\d+)\]", lambda found: self._argument(int(found[1]), found[0]), text)
            text = re.sub(r"\bkwargs\['(\w+)'\]", lambda found: self._keyword(found[1], found[0]), text)
        return text

    def in_order(self, paths: Collection[str]) -> list[str]:
        """Paths in the order of the arguments that they start with."""
        known = list(self._parameters or self._arguments)
        roots = {path: re.match(r"\w+", path) for path in paths}
        place = {
            path: known.index(root[0]) if root and root[0] in known else len(known) for path, root in roots.items()
        }
        return sorted(paths, key=lambda path: (place[path], path))

    def left_out(self, path: str) -> bool:
        """Whether the call left the parameter that a path starts with to its default."""
        root = re.match(r"\w+", path)
        return root is not None and root[0] in self._defaults and root[0] not in self._arguments

    def _argument(self, index: int, text: str) -> str:
        known = self._arguments if self._parameters is None else self._parameters
        return known[index] if index < len(known) else text

    def _keyword(self, name: str, text: str) -> str:
        return name if name in self._arguments or name in (self._parameters or ()) else text
