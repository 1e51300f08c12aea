"""The parts of an emitted warm-up that are torch's."""

from __future__ import annotations

import re

from jitscope.model.notation import long_dtype, printable, short_dtype
from jitscope.model.signature import ArrayLeaf
from jitscope.model.specs import CannotRebuildError, Foreign
from jitscope.render.code import Code, Group, call_code, keyword_code, lines_of, name_code, value_code
from jitscope.render.warm_script import EmittedCall, Writer, with_lines

_DEVICE = re.compile(r"[a-z]+(?::\d{1,4})?", re.ASCII)
_AUTOCAST = re.compile(r"autocast\((?P<device>[a-z]+)\)", re.ASCII)
_SAME = "same "
"""Before the path of a tensor that was passed twice: see the recording's modes."""
_MARKS = ("mark_dynamic", "mark_unbacked", "maybe_mark_dynamic", "mark_static")

_ZEROS = '''
def zeros(shape, dtype, stride=None, device="cpu", requires_grad=False, inference=False):
    """An argument: zeros are valid as indices and as masks."""
    with torch.inference_mode(inference), torch.no_grad():
        if stride is None:
            made = torch.zeros(shape, dtype=dtype, device=device)
        elif 0 in stride:  # expanded
            last = sum((size - 1) * step for size, step in zip(shape, stride))
            made = torch.zeros(last + 1, dtype=dtype, device=device).as_strided(shape, stride)
        else:
            made = torch.empty_strided(shape, stride, dtype=dtype, device=device).zero_()
    return made.requires_grad_() if requires_grad else made
'''
_KEPT = '''
@contextlib.contextmanager
def kept(*modules):
    """Put back random states, and the modules' buffers, gradients, plain attributes and training modes."""
    parts = [part for module in modules for part in module.modules()]
    plain = (bool, int, float, str, type(None), tuple, torch.Tensor)
    held = [(names, dict(names)) for part in parts for names in (vars(part), part._buffers)]
    gradients = [(one, one.grad) for module in modules for one in module.parameters()]
    tensors = [value for _, before in held for value in before.values()] + [gradient for _, gradient in gradients]
    values = [(one, one.detach().clone()) for one in tensors if type(one) is torch.Tensor and not one.is_meta]
    numpy = sys.modules.get("numpy")
    state, numbers = random.getstate(), numpy.random.get_state() if numpy else None
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(numbers)
        for names, before in held:
            for name in [name for name, value in names.items() if name not in before and isinstance(value, plain)]:
                del names[name]
            names.update({name: value for name, value in before.items() if isinstance(value, plain)})
        for parameter, gradient in gradients:
            parameter.grad = gradient
        for tensor, value in values:
            with torch.inference_mode(tensor.is_inference()), torch.no_grad():
                if not torch.equal(tensor, value):
                    tensor.copy_(value)
'''
_BACKWARD = '''
def backward(result):
    """Compile the backward graph of a result as well; no gradient is left anywhere."""
    leaves, known = torch.utils._pytree.tree_leaves(result), set()
    for one in leaves:  # it grows: what objects hold is looked at as well
        if not isinstance(one, torch.Tensor) and not callable(one) and id(one) not in known and len(known) < 1000:
            known.add(id(one))
            leaves += torch.utils._pytree.tree_leaves(list(getattr(one, "__dict__", {}).values()))
    tensors = [one for one in leaves if isinstance(one, torch.Tensor) and one.grad_fn is not None]
    nodes, seen, leaves = [one.grad_fn for one in tensors], set(), []
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        nodes += [each for each, _ in node.next_functions]
    if tensors and leaves:
        torch.autograd.grad(tensors, leaves, [torch.zeros_like(one) for one in tensors], allow_unused=True)
'''
_MARKED = '''
def marked(tensor, mark, *sizes):
    """Tell Dynamo what may become of these sizes, as the program does."""
    for size in sizes:
        mark(tensor, size)
    return tensor
'''
_DTYPE = '''
@contextlib.contextmanager
def default_dtype(dtype):
    """Another default dtype, for a block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
'''


class TorchWriter(Writer):
    """Writes a call with zeros: torch.compile compiles when it is called."""

    def body(self, call: EmittedCall) -> list[str]:
        """One call, inside of the modes that it was compiled under."""
        parts = self.parts
        parts.plain |= {"import contextlib", "import random", "import sys", "import torch"}
        parts.helpers.setdefault("kept", _KEPT)
        self._modes = dict(call.conditions)
        self._same = {
            name.removeprefix(_SAME): first or "" for name, first in self._modes.items() if name.startswith(_SAME)
        }
        self._names: dict[str, str] = {}
        self._shared: list[str] = []
        made: Code = call_code(self.called, self.arguments(call.spec))
        inner = self._shared
        modules = [self._module(name) for name in self.function.modules]
        training = self._modes.get("training")
        if training in ("True", "False") and "" in self.function.modules:
            inner.append(f"{self._module('')}.train({training})")
        if call.backward:
            parts.helpers.setdefault("backward", _BACKWARD)
            made = call_code("backward", [made])
        inner += lines_of(made, 0, 88)
        kept = call_code("kept", list(modules))
        return with_lines([kept, *self._contexts()], inner)

    def _module(self, name: str) -> str:
        return self.imported(self.function.module, name) if name else "module"

    def prelude(self) -> list[str]:
        """The user's module inside of the compiled one."""
        return [f'module = getattr({self.called}, "_orig_mod", {self.called})'] if "" in self.function.modules else []

    def _contexts(self) -> list[Code]:
        found: list[Code] = []
        modes = self._modes
        if modes.get("function_modes"):
            raise CannotRebuildError("", "compiled under torch function modes")
        if "default_dtype" in modes:
            self.parts.helpers.setdefault("dtype", _DTYPE)
            found.append(call_code("default_dtype", [_dtype_code("", modes["default_dtype"] or "")]))
        if modes.get("inference_mode") == "True":
            found.append("torch.inference_mode()")
        elif modes.get("grad_mode") == "False":
            found.append("torch.no_grad()")
        elif modes.get("grad_mode") == "True":
            found.append("torch.enable_grad()")
        for name, text in modes.items():
            cast = _AUTOCAST.fullmatch(name)
            if cast is not None:
                found.append(call_code("torch.autocast", [value_code(cast["device"]), _dtype_code("", text or "")]))
        return found

    def array(self, leaf: ArrayLeaf) -> Code:
        """A tensor of zeros, with the user's marks; a name, where it is passed twice."""
        first = self._same.get(leaf.path, leaf.path)
        if first in self._names:
            return self._names[first]
        made = self._tensor(leaf)
        if leaf.path not in self._same.values():
            return made
        name = self._names[leaf.path] = f"tensor_{len(self._names) + 1}"
        self._shared += lines_of(made, 0, 88, before=f"{name} = ")
        return name

    def _tensor(self, leaf: ArrayLeaf) -> Code:
        if leaf.host == "numpy":
            zeros = call_code("torch.zeros", [value_code(leaf.shape), keyword_code("dtype", _dtype(leaf))])
            return f"{lines_of(zeros, 0, 10_000)[0]}.numpy(){'' if leaf.shape else '[()]'}"
        self.parts.helpers.setdefault("zeros", _ZEROS)
        options: list[Code] = []
        if leaf.stride is not None:
            options.append(keyword_code("stride", value_code(leaf.stride)))
        if leaf.device is not None:
            if _DEVICE.fullmatch(leaf.device) is None:
                raise CannotRebuildError(leaf.path, "is on a device that is not known")
            options.append(keyword_code("device", value_code(leaf.device)))
        if leaf.requires_grad and leaf.subclass is None:
            options.append(keyword_code("requires_grad", "True"))
        if leaf.keys == "inference":
            options.append(keyword_code("inference", "True"))
        made: Code = call_code("zeros", [value_code(leaf.shape), _dtype(leaf), *options])
        if leaf.subclass == "Parameter":
            items = [made, *([keyword_code("requires_grad", "False")] if not leaf.requires_grad else [])]
            made = call_code("torch.nn.Parameter", items)
        for mark in _MARKS:
            sizes = self._modes.get(f"{mark} {leaf.path}")
            if sizes:
                self.parts.helpers.setdefault("marked", _MARKED)
                numbers = [value_code(int(size)) for size in sizes.split(",")]
                made = Group("marked(", (made, f"torch._dynamo.decorators.{mark}", *numbers), ")")
        return made

    def foreign(self, spec: Foreign) -> Code:
        """A dtype, a device, a number of NumPy's."""
        name = spec.name.removesuffix("_")
        if spec.kind == "torch.dtype":
            return _dtype_code("", name)
        if spec.kind == "torch.device" and _DEVICE.fullmatch(name):
            return call_code("torch.device", [value_code(name)])
        self.parts.plain.add("import numpy as np")
        if spec.kind == "numpy.dtype":
            return f'np.dtype("{name_code(name)}")'
        if spec.kind == "numpy.scalar":
            return f'np.dtype("{name_code(name)}").type({lines_of(value_code(spec.value), 0)[0]})'
        raise CannotRebuildError("", f"{spec.kind} is no value of torch's")


def _dtype(leaf: ArrayLeaf) -> Code:
    return _dtype_code(leaf.path, long_dtype(leaf.dtype) or "")


def _dtype_code(path: str, name: str) -> str:
    if long_dtype(short_dtype(name)) != name:
        raise CannotRebuildError(path, f"has a dtype that is not known, {printable(name)}")
    return f"torch.{name_code(name)}"
