"""torch's guards between several sources, evaluated without running the user's code.

They are Python expressions over ``L`` (the frame's variables) and ``G`` (its globals): ``2 <= L['x'].size()[0] <= 8``,
``L['x'] is L['y']``. Torch evaluates them with ``eval`` to explain a failure; here only what they are made of is known:
reading (`plain_reading`), sizes and strides of tensors, arithmetic and comparisons.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import torch

from jitscope.capture.frameworks.plain_reading import UnreadableError, attribute, item

_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "max": max,
    "min": min,
    "abs": abs,
    "int": int,
    "float": float,
    "Max": max,
    "Min": min,
    "Mod": operator.mod,
    "PythonMod": operator.mod,
    "FloorDiv": operator.floordiv,
    "CeilDiv": lambda a, b: -(-a // b),
    "math.floor": math.floor,
    "math.ceil": math.ceil,
    "math.trunc": math.trunc,
}
_MEASURES: Final = ("size", "stride", "storage_offset", "dim", "numel")
_NUMBERS: Final = (bool, int, float, complex)


class Expressions:
    """Evaluates expressions over one frame."""

    def __init__(self, variables: Mapping[str, Any], global_variables: Mapping[str, Any]) -> None:
        self._roots = {"L": variables, "G": global_variables}

    def value(self, text: str) -> Any:
        """The value of an expression.

        Raises:
            MissingError: something that it speaks of is not there.
            UnreadableError: it is no such expression, or only the user's own code could tell.
        """
        parsed = _parsed(text)
        if parsed is None:
            raise UnreadableError(text)
        return self._node(parsed)

    def _node(self, node: ast.AST) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() if node.id in self._roots:
                return self._roots[node.id]
            case ast.Subscript():
                return self._item(self._node(node.value), self._node(node.slice))
            case ast.Attribute():
                return attribute(self._node(node.value), node.attr)
            case ast.UnaryOp(op=ast.USub()):
                return -self._number(node.operand)
            case ast.UnaryOp(op=ast.Not()):
                return not self._number(node.operand)
            case ast.BinOp() if type(node.op) in _BINARY:
                return _BINARY[type(node.op)](self._number(node.left), self._number(node.right))
            case ast.BoolOp():
                values = (self._node(one) for one in node.values)
                return all(values) if isinstance(node.op, ast.And) else any(values)
            case ast.Compare():
                return self._compare(node)
            case ast.Call() if not node.keywords:
                return self._call(node)
        raise UnreadableError

    def _item(self, container: Any, key: Any) -> Any:
        if container is self._roots["L"] or container is self._roots["G"]:
            return item(dict(container) if not isinstance(container, dict) else container, key)
        return item(container, key)

    def _number(self, node: ast.AST) -> Any:
        value = self._node(node)
        if type(value) not in _NUMBERS:
            raise UnreadableError
        return value

    def _compare(self, node: ast.Compare) -> bool:
        sides = [self._node(one) for one in (node.left, *node.comparators)]
        for kind, left, right in zip(node.ops, sides, sides[1:], strict=False):
            compare = _COMPARE.get(type(kind))
            by_identity = isinstance(kind, (ast.Is, ast.IsNot))
            if compare is None or not (by_identity or (type(left) in _NUMBERS and type(right) in _NUMBERS)):
                raise UnreadableError
            if not compare(left, right):
                return False
        return True

    def _call(self, node: ast.Call) -> Any:
        name = ast.unparse(node.func)
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(self._number(one) for one in node.args))
        if isinstance(node.func, ast.Attribute) and node.func.attr in _MEASURES and not node.args:
            tensor = self._node(node.func.value)
            if isinstance(tensor, torch.Tensor):
                return tuple(found) if isinstance(found := getattr(tensor, node.func.attr)(), torch.Size) else found
        raise UnreadableError


@lru_cache(maxsize=8192)
def _parsed(text: str) -> ast.AST | None:
    """None, and no error, where it is no expression: an error would not be remembered."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None
