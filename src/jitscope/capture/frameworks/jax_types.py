"""JAX's types from recorded leaves: shapes and dtypes without arrays, placed as they were."""

from __future__ import annotations

import re
from typing import Any

import jax
import numpy as np

from jitscope.model.notation import long_dtype, printable
from jitscope.model.signature import ArrayLeaf
from jitscope.model.specs import CannotRebuildError, Foreign
from jitscope.model.steps import literal

KEY_IMPLEMENTATIONS = {"key<fry>": "threefry2x32", "key<rbg>": "rbg", "key<urbg>": "unsafe_rbg"}
_SCALARS: dict[str, Any] = {"bool": False, "int": 0, "float": 0.0, "complex": 0j}
SHARDING = re.compile(
    r"P\((?P<spec>.*)\) on \((?P<axes>[^()]*)\)(?: (?P<types>[A-Z][\w/]*))?(?: devices (?P<devices>[\d,]+))?"
    r"(?: in (?P<memory>\w+))?"
)


class JaxTypes:
    """Builds what stands for arguments where JAX only traces."""

    def array(self, leaf: ArrayLeaf) -> Any:
        """A ``ShapeDtypeStruct``; a Python number where one was passed.

        Raises:
            CannotRebuildError: there is no such dtype, device or sharding here.
        """
        if leaf.host in _SCALARS and leaf.shape == ():
            return _SCALARS[leaf.host]
        if leaf.layout is not None:
            raise CannotRebuildError(leaf.path, f"has a layout of its own ({printable(leaf.layout)})")
        placed = self._placed(leaf)
        return jax.ShapeDtypeStruct(
            leaf.shape, dtype_of(leaf), weak_type=leaf.weak_type, **({"sharding": placed} if placed is not None else {})
        )

    def foreign(self, spec: Foreign) -> Any:
        """A dtype or a number of NumPy's.

        Raises:
            CannotRebuildError: it is torch's.
        """
        try:
            if spec.kind == "numpy.dtype":
                return jax.numpy.dtype(spec.name)
            if spec.kind == "jax.dtype":
                return getattr(jax.numpy, spec.name + ("_" if spec.name == "bool" else ""))
            if spec.kind == "numpy.scalar":
                return jax.numpy.dtype(spec.name.removesuffix("_")).type(spec.value)
        except (TypeError, AttributeError):
            raise CannotRebuildError("", f"{spec.name} is no dtype that is known here") from None
        raise CannotRebuildError("", f"{spec.kind} {spec.name} is no value of JAX's")

    def _placed(self, leaf: ArrayLeaf) -> Any:
        sharding, device = leaf.sharding, leaf.device
        if not leaf.committed:
            # Made under jax.default_device, it is where arrays go by themselves under the same again.
            if sharding is not None or (device is not None and device != _default_device()):
                raise CannotRebuildError(
                    leaf.path, f"was on {printable(sharding or device or '')} without being put there"
                )
            return None
        memory = None
        if sharding is not None and sharding.startswith("in "):
            memory, sharding = sharding.removeprefix("in "), None
        if sharding is None:
            made: Any = jax.sharding.SingleDeviceSharding(_device(leaf.path, device))
        else:
            made, memory = _named(leaf.path, sharding)
        return made.with_memory_kind(memory) if memory is not None else made


def dtype_of(leaf: ArrayLeaf) -> Any:
    """The dtype of a recorded leaf.

    Raises:
        CannotRebuildError: there is none of that name.
    """
    implementation = KEY_IMPLEMENTATIONS.get(leaf.dtype)
    if implementation is not None:
        return jax.eval_shape(lambda: jax.random.key(0, impl=implementation)).dtype
    name = long_dtype(leaf.dtype)
    try:
        return jax.numpy.dtype(name) if name is not None else _no_dtype(leaf)
    except TypeError:
        return _no_dtype(leaf)


def _no_dtype(leaf: ArrayLeaf) -> Any:
    raise CannotRebuildError(leaf.path, f"has a dtype that is not known here, {printable(leaf.dtype)}")


def devices_of(platform: str | None) -> list[Any]:
    """The devices of a platform, of the default one for None; none where it is not there."""
    try:
        return list(jax.devices(platform))
    except RuntimeError:
        return []


def device_named(text: str) -> Any:
    """The device that JAX writes so, or None: one of the default platform, or the CPU, which is there beside a GPU."""
    return next((device for device in [*devices_of(None), *devices_of("cpu")] if str(device) == text), None)


def _default_device() -> str | None:
    """What JAX writes of the device that ``jax.default_device`` names now; None where it names none."""
    value = jax.config.jax_default_device
    return str(devices_of(value)[0] if isinstance(value, str) else value) if value is not None else None


def _device(path: str, text: str | None) -> Any:
    devices = jax.local_devices()
    if text is None:
        return devices[0]
    found = device_named(text)
    if found is None:
        known = ", ".join(str(device) for device in devices[:8])
        raise CannotRebuildError(path, f"was on {printable(text)}, and there is no such device: there are {known}")
    return found


def _named(path: str, text: str) -> tuple[Any, str | None]:
    """A ``NamedSharding`` from ``P('x') on (x:4)``, and its memory kind."""
    found = SHARDING.fullmatch(text)
    if found is None:
        raise CannotRebuildError(path, f"has a sharding that can't be built from its text, {printable(text)}")
    try:
        spec = literal(f"({found['spec'].rstrip(',')},)" if found["spec"] else "()")
    except ValueError:
        raise CannotRebuildError(path, f"has a sharding that is no literal, {printable(text)}") from None
    axes = [part.partition(":") for part in found["axes"].split(",")] if found["axes"] else []
    names, sizes = tuple(name for name, _, _ in axes), [int(size) for _, _, size in axes]
    count = int(np.prod(sizes, dtype=np.int64))
    devices = jax.devices()
    numbers = [int(one) for one in found["devices"].split(",")] if found["devices"] else range(count)
    by_id = {device.id: device for device in devices}
    if len(numbers) != count or any(number not in by_id for number in numbers):
        raise CannotRebuildError(path, f"was sharded over {count} devices, and there are {len(devices)} here")
    grid = np.array([by_id[number] for number in numbers], dtype=object).reshape(sizes)
    options: dict[str, Any] = {}
    if found["types"]:
        kinds = found["types"].split("/")
        if len(kinds) != 1:
            raise CannotRebuildError(path, f"has axes of several types, {printable(text)}")
        options["axis_types"] = (getattr(jax.sharding.AxisType, kinds[0]),) * len(names)
    mesh = jax.sharding.Mesh(grid, names, **options)
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*spec)), found["memory"]
