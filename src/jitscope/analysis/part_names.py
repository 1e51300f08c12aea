"""What people call the steps that the frameworks time themselves.

JAX: jitscope's own phases. torch: the names that ``dynamo_timed`` is given (2.11, 2.13). What is not here keeps its
name.
"""

from __future__ import annotations

from typing import Final

NAMES: Final[dict[str, str]] = {
    "entire_frame_compile": "dynamo",
    "create_aot_dispatcher_function": "aot_autograd",
    "inductor_compile": "inductor",
    "entire_backward_compile": "backward",
    "CachingAutotuner.benchmark_all_configs": "autotune",
    "CachingAutotuner.coordinate_descent_tuning": "autotune",
    "CachingAutotuner.combo_sequential_autotune": "autotune",
    "AOTAutogradCache.inductor_load": "cache_read",
    "TritonBundler.read_and_emit": "cache_read",
    "GraphPickler.loads": "cache_read",
}
"""Steps that have the name of a phase."""

LABELS: Final[dict[str, str]] = {
    "compile": "compile (XLA)",
    "cache_read": "read persistent cache",
    "cache_write": "write persistent cache",
    "cache_key": "make keys for caches",
    "build_guards": "guards",
    "gc": "garbage collection",
    "backend_compile": "backend",
    "inductor_import": "import inductor",
    "inductor_codecache_torch_key": "hash torch for cache keys",
    "CacheBase.get_system.triton_key": "hash Triton for cache keys",
    "aot_collect_metadata": "collect metadata",
    "aot_trace_joint_graph": "trace joint graph",
    "min_cut_rematerialization_partition": "partition forward/backward",
    "_recursive_pre_grad_passes": "pre-grad passes",
    "_recursive_joint_graph_passes": "joint graph passes",
    "_recursive_post_grad_passes": "post-grad passes",
    "additional_fake_tensor_prop": "fake tensor propagation",
    "GraphLowering.run": "lower to inductor's IR",
    "GraphLowering.codegen": "codegen",
    "codegen": "codegen and kernels",
    "Scheduler.__init__": "schedule and fuse",
    "compile_file": "C++ compile",
    "async_compile.wait": "wait for kernels",
    "async_compile.precompile": "Triton compile",
    "CachingAutotuner.slow_precompile_config": "Triton compile",
    "StaticAutotunerFuture.warm_precompile": "load kernels of the cache",
    "TritonBundler.load_cached_static_autotuners": "load kernels of the cache",
    "reload_kernel_in_parent": "load kernels of workers",
    "AotCodeCompiler.compile": "AOT compile",
    "eager_op": "eager operations",
    "unwatched": "not watched",
    "run": "run",
    "python": "start Python and jitscope",
    "start cuda": "start CUDA",
    "start jax plugins": "look for JAX's plugins",
}

_LIFTED: Final = frozenset(
    {
        "bytecode_tracing",
        "fx_codegen_and_compile",
        "GraphLowering.compile_to_fn",
        "code_gen",
        "Scheduler.codegen",
        "PyCodeCache.load_by_key_path",
        "compile_fx.<locals>.fw_compiler_base",
        "compile_fx.<locals>.bw_compiler",
        "PythonWrapperCodegen.generate",
        "Scheduler.fused_nodes",
        "insert_deferred_runtime_asserts",
    }
)
_LIFTED_KINDS: Final = ("compile_attempt_", "pass.", "pgo.", "bytecode_hooks_")
"""Steps that only wrap others, or that nobody needs to know: their time is that of the step around them."""


def name_of(step: str) -> str:
    """The name that a step's part gets."""
    return "autotune" if step.endswith(("_template_autotuning", "_template_precompiling")) else NAMES.get(step, step)


def label_of(name: str) -> str:
    """What people call a step of that name."""
    known = LABELS.get(name)
    if known is None and name.startswith("start jax "):
        return f"start JAX's backend {name[10:]}"
    return known or name


def is_lifted(name: str) -> bool:
    """Whether a step only wraps others."""
    return name in _LIFTED or name.startswith(_LIFTED_KINDS)
