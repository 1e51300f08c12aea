"""The parts of an emitted warm-up that are JAX's."""

from __future__ import annotations

import re

from jitscope.model.notation import long_dtype, printable
from jitscope.model.signature import ArrayLeaf
from jitscope.model.specs import CannotRebuildError, Foreign
from jitscope.model.steps import literal
from jitscope.render.code import Code, Group, call_code, keyword_code, lines_of, name_code, value_code
from jitscope.render.warm_script import EmittedCall, Writer, with_lines

_SCALARS = {"bool": "False", "int": "0", "float": "0.0", "complex": "0j"}
_KEYS = {"key<fry>": "threefry2x32", "key<rbg>": "rbg", "key<urbg>": "unsafe_rbg"}
_SHARDING = re.compile(
    r"P\((?P<spec>.*)\) on \((?P<axes>[^()]*)\)(?: (?P<types>Auto|Explicit|Manual))?(?: devices (?P<devices>[\d,]+))?"
    r"(?: in (?P<memory>\w+))?"
)
_CONTEXTS = {
    "jax_default_matmul_precision": "default_matmul_precision",
    "jax_numpy_dtype_promotion": "numpy_dtype_promotion",
    "jax_numpy_rank_promotion": "numpy_rank_promotion",
    "jax_threefry_partitionable": "threefry_partitionable",
    "jax_softmax_custom_jvp": "softmax_custom_jvp",
    "jax_debug_key_reuse": "debug_key_reuse",
}

_ARRAY = '''
def array(shape, dtype, **options):
    """An argument's type: nothing is allocated."""
    return jax.ShapeDtypeStruct(shape, dtype, **options)
'''
_KEY = '''
def key_dtype(implementation):
    """The dtype of typed random keys."""
    return jax.eval_shape(lambda: jax.random.key(0, impl=implementation)).dtype
'''
_DEVICE = '''
def device(name):
    """The device that JAX calls so: one of the CPU, which is there beside a GPU, or of the default backend."""
    for one in jax.devices("cpu" if "cpu" in name.lower() else None):  # "cpu:0", in older JAX "TFRT_CPU_0"
        if str(one) == name:
            return one
    raise LookupError(f"there is no device {name} here")
'''
_ON_DEVICE = '''
def on_device(name=None):
    """On one device, put there explicitly: the first one, or that which JAX calls so."""
    return jax.sharding.SingleDeviceSharding(device(name) if name else jax.local_devices()[0])
'''
_SHARDED = '''
def sharded(spec, axes, device_ids=None, **options):
    """Sharded over a mesh of these axes (names and sizes), of the first devices or of those with these ids."""
    count = int(np.prod(list(axes.values())))
    by_id = {device.id: device for device in jax.devices()}
    devices = [by_id[number] for number in device_ids] if device_ids else jax.devices()[:count]
    mesh = jax.sharding.Mesh(np.array(devices).reshape(tuple(axes.values())), tuple(axes), **options)
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*spec))
'''
_X64 = '''
def enable_x64(value):
    """Set 64-bit types on or off for a block: ``jax.enable_x64`` from JAX 0.8 on."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(value)
    from jax.experimental import enable_x64

    return enable_x64(value)
'''


class JaxWriter(Writer):
    """Writes ``function.lower(types).compile()``."""

    def body(self, call: EmittedCall) -> list[str]:
        """One statement, inside of the settings that it needs."""
        self.parts.plain.add("import jax")
        lowered = call_code(f"{self.called}.lower", self.arguments(call.spec))
        contexts = [self._context(name, text) for name, text in call.conditions.items()]
        return with_lines(contexts, lines_of(lowered, 0, 92, after=".compile()"))

    def array(self, leaf: ArrayLeaf) -> Code:
        """A ``ShapeDtypeStruct``, or a Python number."""
        if leaf.host in _SCALARS and leaf.shape == ():
            return _SCALARS[leaf.host]
        self.parts.helpers.setdefault("array", _ARRAY)
        options: list[Code] = []
        if leaf.committed:
            options.append(keyword_code("sharding", self._sharding(leaf)))
        if leaf.weak_type:
            options.append(keyword_code("weak_type", "True"))
        return call_code("array", [value_code(leaf.shape), self._dtype(leaf), *options])

    def _dtype(self, leaf: ArrayLeaf) -> Code:
        implementation = _KEYS.get(leaf.dtype)
        if implementation is not None:
            self.parts.helpers.setdefault("key", _KEY)
            return call_code("key_dtype", [value_code(implementation)])
        name = long_dtype(leaf.dtype)
        if name is None:
            raise CannotRebuildError(leaf.path, f"has a dtype that is not known, {printable(leaf.dtype)}")
        return value_code(name)

    def _sharding(self, leaf: ArrayLeaf) -> Code:
        text = leaf.sharding
        if text is None or text.startswith("in "):
            self.parts.helpers.setdefault("device", _DEVICE)
            self.parts.helpers.setdefault("on_device", _ON_DEVICE)
            made: Code = call_code("on_device", [value_code(leaf.device)] if leaf.device is not None else [])
            return self._in_memory(made, text.removeprefix("in ") if text else None)
        found = _SHARDING.fullmatch(text)
        if found is None:
            raise CannotRebuildError(leaf.path, "has a sharding that can't be written")
        self.parts.helpers.setdefault("sharded", _SHARDED)
        self.parts.plain.add("import numpy as np")
        try:
            spec = literal(f"({found['spec'].rstrip(',')},)" if found["spec"] else "()")
        except ValueError:
            raise CannotRebuildError(leaf.path, "has a sharding that can't be written") from None
        axes = dict(part.split(":") for part in found["axes"].split(",")) if found["axes"] else {}
        items: list[Code] = [value_code(spec), value_code({name: int(size) for name, size in axes.items()})]
        if found["devices"]:
            items.append(value_code([int(one) for one in found["devices"].split(",")]))
        if found["types"]:
            axis = f"jax.sharding.AxisType.{found['types']}"
            items.append(keyword_code("axis_types", Group("(", (axis,) * len(axes), ")", trailing=len(axes) == 1)))
        return self._in_memory(call_code("sharded", items), found["memory"])

    @staticmethod
    def _in_memory(made: Code, kind: str | None) -> Code:
        if kind is None:
            return made
        return f"{lines_of(made, 0, 10_000)[0]}.with_memory_kind({name_code(kind)!r})"

    def foreign(self, spec: Foreign) -> Code:
        """A dtype or a number of NumPy's."""
        self.parts.plain.add("import jax.numpy as jnp")
        name = name_code(spec.name.removesuffix("_"))
        if spec.kind == "jax.dtype":
            return f"jnp.{name}{'_' if name == 'bool' else ''}"
        if spec.kind == "numpy.dtype":
            return f'jnp.dtype("{name}")'
        if spec.kind == "numpy.scalar":
            return f'jnp.dtype("{name}").type({lines_of(value_code(spec.value), 0)[0]})'
        raise CannotRebuildError("", f"{spec.kind} is no value of JAX's")

    def _context(self, name: str, text: str | None) -> Code:
        if name == "jax_enable_x64":
            self.parts.helpers.setdefault("x64", _X64)
            return call_code("enable_x64", [value_code(text == "True")])
        if name == "jax_default_device" and text is not None:
            if text.isalpha():  # a platform, "cpu": another key of JAX's than its first device
                return call_code("jax.default_device", [value_code(text)])
            self.parts.helpers.setdefault("device", _DEVICE)
            return call_code("jax.default_device", [call_code("device", [value_code(text)])])
        if name not in _CONTEXTS:
            raise CannotRebuildError("", f"compiled under {printable(name)}: there is no context for it")
        value: object = {"True": True, "False": False}.get(text, text) if text is not None else None
        return call_code(f"jax.{_CONTEXTS[name]}", [value_code(value)])
