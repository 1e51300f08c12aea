"""Keys of caches on disk, part by part, and what differs between two of one cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from jitscope.analysis.program_text import hides_constants, text_differences
from jitscope.model.caching import CacheKeyEvent, KeyPart, unpack
from jitscope.model.misses import PartChange


class KeyStory(msgspec.Struct, frozen=True):
    """What a key was made of."""

    parts: dict[str, KeyPart]
    text: str | None
    untold: str | None
    captured: dict[str, str]


def key_story(identity: int | None, keys: Mapping[int, CacheKeyEvent]) -> KeyStory | None:
    """The parts of a key, those of the key that it refers to included; None where they were not recorded."""
    event = keys.get(identity) if identity is not None else None
    if event is None:
        return None
    parts: dict[str, KeyPart] = {}
    if event.base is not None:
        base = keys.get(event.base)
        if base is None:
            return None
        parts = {part.name: part for part in base.parts if part.name not in event.gone}
    parts |= {part.name: part for part in event.parts}
    text = unpack(event.packed) if event.packed is not None else None
    return KeyStory(parts, text, event.unpacked, event.captured)


PROGRAMS = ("computation", "gm")
"""Parts that are the program itself: JAX's, torch's."""

TITLES = {
    "computation": "the program",
    "gm": "the graph",
    "jax_lib version": "the version of jaxlib",
    "backend version": "the platform and its version",
    "XLA flags": "XLA flags (XLA_FLAGS, LIBTPU_INIT_ARGS, the command line)",
    "compile_options": "compile options",
    "accelerator_config": "the devices",
    "compression": "how entries are packed (whether zstandard is installed)",
    "jax_compilation_cache_include_metadata_in_key": "whether source locations are part of the key",
    "custom_hook": "what jax._src.cache_key.custom_hook returns",
    "torch_version": "torch itself, its version or its source files",
    "system_info": "the device, or the versions of CUDA and Triton",
    "example_inputs": "the inputs of the graph",
    "fx_kwargs": "how Inductor was called",
    "inductor_config": "torch._inductor.config",
    "autograd_config": "torch._functorch.config",
    "aot_config": "AOTAutograd's own settings (the number of parameters, where arguments come from)",
    "grad_enabled": "whether gradients are on",
    "autocast_state": "autocast",
    "deterministic_algorithms": "torch.use_deterministic_algorithms",
    "deterministic_algorithms_settings": "torch.use_deterministic_algorithms",
    "cuda_matmul_settings": "precision of matrix products (torch.backends.cuda.matmul)",
    "default_dtype": "the default dtype",
    "cpp_runtime_thread_count": "the number of threads (torch.set_num_threads)",
    "user_defined_triton_source": "the source of Triton kernels",
    "triton_kernel_source_codes": "the source of Triton kernels",
    "cache_key_tag": "torch.compiler.config.cache_key_tag",
}

_FIXES = {
    "jax_lib version": "entries of another jaxlib are of no use: compile once with the new one, and keep versions "
    "equal between the machines that share the folder",
    "backend version": "entries belong to one platform and its version: keep drivers and runtimes equal between the "
    "machines that share the folder",
    "XLA flags": "set the same flags in every process that is to share entries, in any order",
    "compression": "install zstandard everywhere, or nowhere",
    "accelerator_config": "entries belong to one kind and number of devices: compile on the ones that will be used",
    "torch_version": "entries of another torch are of no use: compile once with the new one",
    "system_info": "entries belong to one device and its versions: compile on the kind that will be used",
    "cpp_runtime_thread_count": "set the same number of threads (OMP_NUM_THREADS) everywhere",
}
LOCATIONS = "jax_compilation_cache_include_metadata_in_key"
"""Recorded where it is on: source locations are hashed with the program then, and its text has none."""
_OF_INDUCTOR = ("inductor_config", "inductor_config_comms", "fx_kwargs", "custom_backend_codegen_configs")
"""Of AOTAutograd's key these are recorded as a whole."""
_OWN_FOLDER = "xla_gpu_per_fusion_autotune_cache_dir"
_OWN_FOLDER_FIX = (
    "JAX makes the folder's own path a part of the key: keep the folder under the same path everywhere, or set "
    "jax_persistent_cache_enable_xla_caches to none"
)
_CAPTURED_FIX = "pass {name} as an argument: a value that a function takes from around it is a constant of the program"


_VERSIONS = ("jax_lib version", "torch_version")
_UNSHOWN = "something that its text does not show"
_UNREADABLE = "an option that has no readable value"
_ALIKE = "they are called the same; what else of them is hashed is not known"
_BY_JAXLIB = "nothing that can be seen: another jaxlib may write the same thing in another way"


def changes(old: KeyStory, new: KeyStory) -> tuple[PartChange, ...]:
    """The parts that differ: versions first, since other parts follow from them, the program last."""
    names = [*new.parts, *(name for name in old.parts if name not in new.parts)]
    found: list[PartChange] = []
    for name in names:
        a, b = old.parts.get(name), new.parts.get(name)
        if (
            a is not None
            and b is not None
            and (a.digest, a.text if not a.digest else None)
            == (
                b.digest,
                b.text if not b.digest else None,
            )
        ):
            continue
        if "[" in name and name.startswith("compile_options["):
            continue  # told with the part that they are in
        found.append(_change(name, a, b, old, new))
    whole = {one.part for one in found}
    single = {name.partition("[")[0] for name in whole if "[" in name}
    # A dictionary that is hashed as a whole, and its settings, which are told one by one.
    kept = [one for one in found if one.part not in single]
    return tuple(sorted(kept, key=lambda one: (one.part in PROGRAMS, one.part not in _VERSIONS)))


def _change(name: str, a: KeyPart | None, b: KeyPart | None, old: KeyStory, new: KeyStory) -> PartChange:
    family, _, setting = name.partition("[")
    setting = setting.removesuffix("]")
    title = TITLES.get(family, name)
    if setting and not setting.isdigit():
        title = f"{title}.{setting}" if family.endswith("config") else f"{title}: {setting}"
    elif setting:
        title = f"{title}, number {setting}"
    fix = _FIXES.get(family)
    if name in PROGRAMS:
        inside, fix = _in_program(old, new)
        if inside == (_UNSHOWN,) and _other_jaxlib(old, new):
            inside = (_BY_JAXLIB,)
        return PartChange(name, title, None, None, inside, fix)
    before, after = (part.text if part is not None else None for part in (a, b))
    inside = ()
    if name == "compile_options":
        inside = _in_options(old, new) or (_BY_JAXLIB if _other_jaxlib(old, new) else _UNREADABLE,)
        if any(_OWN_FOLDER in one for one in inside):
            fix = _OWN_FOLDER_FIX
    elif name == "accelerator_config" and before == after:
        # More of a device is hashed than its kind.
        inside, fix = ((_BY_JAXLIB,), None) if _other_jaxlib(old, new) else ((_ALIKE,), fix)
    elif name == "XLA flags":
        inside = _in_flags(before or "", after or "")
    elif family in ("example_inputs",) and before and after:
        inside = _in_fields(before, after)
    if name in _OF_INDUCTOR:
        inside = ("setting by setting it is told of Inductor's own cache",)
    if name == "torch_version":
        # A hash of torch's sources: nothing to be read in it.
        before = after = None
    return PartChange(name, title, before, after, inside, fix)


def _other_jaxlib(old: KeyStory, new: KeyStory) -> bool:
    return old.parts.get("jax_lib version") != new.parts.get("jax_lib version")


def _in_program(old: KeyStory, new: KeyStory) -> tuple[tuple[str, ...], str | None]:
    """What differs in the program, and what to do about it."""
    # What only one of them has is more or less code, which the texts tell.
    captured = [
        (name, value, new.captured[name])
        for name, value in old.captured.items()
        if name in new.captured and new.captured[name] != value
    ]
    told = [f"{name}, which the function takes from around it: {a} → {b}"
            for name, a, b in captured]  # fmt: skip
    fix = _CAPTURED_FIX.format(name=captured[0][0]) if captured else None
    if old.text is None or new.text is None:
        why = next((one.untold for one in (old, new) if one.text is None and one.untold), None)
        untold = "what differs in it is not known: its text was not recorded" + (f" ({why})" if why else "")
        return (*told, untold), fix
    differing = text_differences(old.text, new.text)
    if any(one.startswith("the function's name") for one in differing):
        fix = fix or "keep the function's name: it is part of the program"
    if not differing and (LOCATIONS in new.parts or LOCATIONS in old.parts):
        hidden = ", or the contents of a constant array, which are not recorded" if hides_constants(new.text) else ""
        differing = (f"source locations: files, lines or callers{hidden}",)
        fix = fix or f"set {LOCATIONS} to False: the program's key has no source locations then"
    elif not differing and hides_constants(new.text):
        differing = ("only the contents of a constant array, which are not recorded",)
        fix = fix or "pass the array as an argument: an array that a function takes from around it is a constant"
    elif not differing:
        differing = (_UNSHOWN,)
    return (*told, *differing), fix


def _in_options(old: KeyStory, new: KeyStory) -> tuple[str, ...]:
    names = [name for name in (*new.parts, *old.parts) if name.startswith("compile_options[")]
    told = []
    for name in dict.fromkeys(names):
        a, b = (one.parts[name].text if name in one.parts else None for one in (old, new))
        if a != b:
            told.append(f"{name[len('compile_options[') : -1]}: {_of(a)} → {_of(b)}")
    return tuple(told)


def _in_flags(old: str, new: str) -> tuple[str, ...]:
    before, after = old.split(), new.split()
    gone = [f"no longer: {flag}" for flag in before if flag not in after]
    return (*gone, *(f"new: {flag}" for flag in after if flag not in before))


def _in_fields(old: str, new: str) -> tuple[str, ...]:
    """Of what torch writes as ``Name(field=value, …)``: the fields that differ."""
    before, after = _fields(old), _fields(new)
    return tuple(
        f"{name}: {before[name]} → {after[name]}" for name in before if before[name] != after.get(name) is not None
    )


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    inner = text.partition("(")[2]
    depth, start = 0, 0
    pieces: list[str] = []
    for position, char in enumerate(inner):
        depth += char in "([{"
        depth -= char in ")]}"
        if char == "," and depth == 0:
            pieces.append(inner[start:position])
            start = position + 1
    pieces.append(inner[start:])
    for piece in pieces:
        name, equals, value = piece.strip().partition("=")
        if equals:
            found[name] = value
    return found


def _of(text: str | None) -> str:
    return "not set" if text is None else text or "empty"


def distance(old: KeyStory, new: KeyStory) -> tuple[int, int]:
    """How much differs: parts, and lines of the program."""
    differing = sum(old.parts.get(name) != part for name, part in new.parts.items() if part.digest) + sum(
        name not in new.parts for name, part in old.parts.items() if part.digest
    )
    if old.text is None or new.text is None:
        return differing, 0
    before, after = old.text.splitlines(), new.text.splitlines()
    return differing, abs(len(before) - len(after)) + sum(a != b for a, b in zip(before, after, strict=False))


def only_program_differs(names: Sequence[str]) -> bool:
    """Whether of these parts all are the program."""
    return all(name in PROGRAMS for name in names)
