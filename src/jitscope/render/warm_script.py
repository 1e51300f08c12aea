"""A warm-up as a Python file of its own, which needs only the framework and the program: ``jitscope warm --emit``.

What comes from the recording is written as the ``repr`` of checked literals, as numbers, as names of a table, or in
comments of one line. Names of functions and classes are those of the imported modules, never texts of the recording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from jitscope.model.events import Framework
from jitscope.model.notation import cut, printable
from jitscope.model.signature import ArrayLeaf
from jitscope.model.specs import (
    Array,
    CallSpec,
    CannotRebuildError,
    Foreign,
    Given,
    Member,
    Record,
    Spec,
    Tree,
    Value,
)
from jitscope.render.code import Code, Group, call_code, keyword_code, lines_of, name_code, pair_code, value_code
from jitscope.render.numbers import count_text, seconds_text

_RUN = re.compile(r"[\w.-]{1,80}", re.ASCII)
_COMMENT = 96
RESERVED = frozenset(
    {"array", "device", "enable_x64", "key_dtype", "on_device", "sharded"}
    | {"backward", "default_dtype", "filled", "kept", "marked", "zeros"}
    | {"main", "module", "jax", "jnp", "np", "torch", "collections", "contextlib", "random", "sys"}
)
"""Names that the file may define or import itself."""
_LOCAL = re.compile(r"tensor_\d+", re.ASCII)
"""Names that its functions may define."""

_FILLED = '''
def filled(kind, **fields):
    """An object of a class that is not called with its fields."""
    made = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made
'''


@dataclass(frozen=True, slots=True)
class EmittedCall:
    """One signature that is to be compiled."""

    spec: CallSpec
    text: str
    calls: int
    seconds: float
    conditions: Mapping[str, str | None]
    """JAX: settings to be entered; torch: modes."""
    backward: bool = False


@dataclass(frozen=True, slots=True)
class EmittedFunction:
    """One function that is to be warmed."""

    framework: Framework
    module: str
    attribute: str
    """Dotted where it is in a class."""
    calls: tuple[EmittedCall, ...]
    classes: Mapping[str, tuple[str, str]]
    """By the name in the recording: module and qualified name of the class here."""
    filled: frozenset[str] = frozenset()
    """Which of them are not called with their fields: they have a constructor of their own."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Signatures that can't be rebuilt, and why."""
    arguments: str = ""
    """``module:name`` of what the user passes in."""
    modules: tuple[str, ...] = ()
    """torch: names, in its module, of the modules whose state is put back; ``""`` stands for the function itself."""


@dataclass
class Parts:
    """What the functions of a file need."""

    imports: set[str] = field(default_factory=set)
    """Modules of the program."""
    plain: set[str] = field(default_factory=set)
    """``import …`` lines."""
    helpers: dict[str, str] = field(default_factory=dict)
    """By name: the source."""


class Writer:
    """Writes the arguments of one function; a framework's writer knows its arrays and its contexts."""

    def __init__(self, function: EmittedFunction, parts: Parts) -> None:
        self.function = function
        self.parts = parts

    def array(self, leaf: ArrayLeaf) -> Code:
        """An expression for an array."""
        raise NotImplementedError

    def foreign(self, spec: Foreign) -> Code:
        """An expression for a value of a framework's."""
        raise NotImplementedError

    def prelude(self) -> list[str]:
        """Lines that come first in the function."""
        return []

    def body(self, call: EmittedCall) -> list[str]:
        """The lines that compile one signature."""
        raise NotImplementedError

    def imported(self, module: str, name: str) -> str:
        """``module.name``, with the module imported: no name of the program's can clash with one of the file's."""
        first = name_code(module).partition(".")[0]
        if first in RESERVED or _LOCAL.fullmatch(first):
            raise CannotRebuildError("", f"a module called {module} would hide a name that the file uses")
        self.parts.imports.add(module)
        return f"{module}.{name_code(name)}"

    @property
    def called(self) -> str:
        """The function that is warmed."""
        return self.imported(self.function.module, self.function.attribute)

    def arguments(self, spec: CallSpec) -> list[Code]:
        """The arguments of a call."""
        return [
            *(self.code(each) for _, each in spec.positional),
            *(keyword_code(name, self.code(each)) for name, each in spec.keywords),
        ]

    def code(self, spec: Spec) -> Code:
        """An expression for one argument.

        Raises:
            CannotRebuildError: there is none.
        """
        match spec:
            case Array():
                return self.array(spec.leaf)
            case Value():
                return self._value(spec)
            case Foreign():
                return self.foreign(spec)
            case Member():
                return f"{self._class(spec.type)}.{name_code(spec.name)}"
            case Given():
                module, _, name = self.function.arguments.partition(":")
                if not name:
                    raise CannotRebuildError(spec.name, "is passed by you, and a file can't hold it: use --arguments")
                return f"{self.imported(module, name)}[{spec.name!a}]"
            case Tree():
                return self._tree(spec)
            case Record():
                items = [keyword_code(name, self.code(each)) if name else self.code(each) for name, each in spec.fields]
                if spec.type not in self.function.filled:
                    return call_code(self._class(spec.type), items)
                self.parts.helpers.setdefault("filled", _FILLED)
                return call_code("filled", [self._class(spec.type), *items])

    def _value(self, spec: Value) -> Code:
        try:
            return value_code(spec.value)
        except ValueError:
            raise CannotRebuildError("", f"a {type(spec.value).__qualname__} can't be written") from None

    def _tree(self, spec: Tree) -> Code:
        items = tuple(self.code(each) for each in spec.items)
        if spec.kind == "list":
            return Group("[", items, "]")
        if spec.kind == "tuple":
            return Group("(", items, ")", trailing=len(items) == 1)
        made = Group("{", tuple(pair_code(key, each) for key, each in zip(spec.keys, items, strict=True)), "}")
        if spec.kind == "dict":
            return made
        self.parts.plain.add("import collections")
        return call_code("collections.OrderedDict", [made])

    def _class(self, recorded: str) -> str:
        return self.imported(*self.function.classes[recorded])


def render_warm_script(
    functions: Sequence[EmittedFunction], *, run: str, version: str, writers: Mapping[str, Callable[..., Writer]]
) -> str:
    """The file's text.

    Raises:
        CannotRebuildError: an argument can't be written.
        ValueError: a name is none of Python's.
    """
    parts = Parts()
    bodies: list[list[str]] = []
    names: list[str] = []
    for function in functions:
        name = f"warm_{function.attribute.replace('.', '_')}"
        while name in names:
            name += "_"
        names.append(name_code(name))
        bodies.append(_function(function, name, writers[function.framework](function, parts)))
    known = run if _RUN.fullmatch(run) else "a run"
    frameworks = sorted({function.framework for function in functions})
    lines = [
        '"""Compile, before traffic comes, what an earlier run of the program compiled.',
        "",
        "Call main() where the program starts: what is compiled belongs to the process. Run as a program,",
        "it fills the persistent cache, if one is set.",
        "",
        f"Written by jitscope {version} from run {known}; it needs {' and '.join(frameworks)} and the program.",
        '"""',
        "",
        *_imports(parts),
    ]
    for source in parts.helpers.values():
        lines += ["", "", *source.strip("\n").splitlines()]
    for body in bodies:
        lines += ["", "", *body]
    lines += ["", "", "def main():", '    """Warm everything."""', *(f"    {name}()" for name in names)]
    lines += ["", "", 'if __name__ == "__main__":', "    main()"]
    return "\n".join(lines) + "\n"


def _imports(parts: Parts) -> Iterable[str]:
    plain = sorted(parts.plain)
    standard = [line for line in plain if line.split()[1] in ("collections", "contextlib", "random", "sys")]
    others = [line for line in plain if line not in standard]
    own = [f"import {module}" for module in sorted(parts.imports)]
    groups = [group for group in (standard, others, own) if group]
    return [line for n, group in enumerate(groups) for line in ([""] if n else []) + group]


def _function(function: EmittedFunction, name: str, writer: Writer) -> list[str]:
    bodies: list[tuple[str, list[str]]] = []
    for call in function.calls:
        head = f"{call.text} · {count_text(call.calls, 'call')}, {seconds_text(call.seconds)} to compile"
        body = writer.body(call)
        if body not in [known for _, known in bodies]:  # they differ in what is only dispatched another way
            bodies.append((head, body))
    prelude = [f"    {line}" for line in writer.prelude()] if bodies else []
    lines = [
        f"def {name}():",
        f'    """Compile {name_code(function.attribute)} for {count_text(len(bodies), "signature")}."""',
        *prelude,
    ]
    for n, (head, body) in enumerate(bodies):
        lines += [""] if n else []
        lines += [*_comment(head), *_in(body)]
    for text, why in function.skipped:
        lines += ["", *_comment(f"Not here: {text or 'a program'}: {why}")]
    return lines if bodies else [*lines, "    return"]


def _comment(text: str) -> list[str]:
    return [f"    # {line}" for line in wrap(printable(cut(text, 400)), _COMMENT - 6, break_on_hyphens=False)]


def with_lines(contexts: Sequence[Code], inner: list[str]) -> list[str]:
    """``inner`` inside of a ``with``."""
    if not contexts:
        return inner
    found = [lines_of(one, 0, 10_000)[0] for one in contexts]
    line = f"with {', '.join(found)}:"
    if len(line) > _COMMENT:
        return with_lines(contexts[:1], with_lines(contexts[1:], inner)) if len(contexts) > 1 else [line, *_in(inner)]
    return [line, *_in(inner)]


def _in(lines: list[str]) -> list[str]:
    return [f"    {line}" if line else line for line in lines]
