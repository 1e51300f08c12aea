"""Environment variables that change what is compiled, kept, printed or recorded."""

from __future__ import annotations

from collections.abc import Mapping

from jitscope.model.health import Variable
from jitscope.model.notation import cut

EFFECTS: dict[str, str] = {
    "JITSCOPE": "0 switches jitscope off: nothing is watched or recorded; 1 records a program, see jitscope env",
    "JITSCOPE_DIR": "the folder in which recordings are kept",
    "JITSCOPE_QUIET": "1 silences warnings of functions that compile again and again; recordings are the same",
    "JITSCOPE_PROGRESS": "seconds after which a compile that is still under way is told of; 0 never",
    "JITSCOPE_REPORT": "0 prints no report when a program ends that JITSCOPE=1 records",
    "JITSCOPE_WITH_SOURCE": "1 keeps the lines around each call in recordings",
    "JITSCOPE_PROGRAM": "set by jitscope run: this process belongs to one of its programs",
    "JITSCOPE_PARENT": "set by jitscope run: the process that started this one",
    "JITSCOPE_PLACE": "set by jitscope run: where its processes record to",
    "JITSCOPE_STRICT": "1 lets errors inside jitscope reach the program: for jitscope's own tests",
    "JAX_DISABLE_JIT": "set, jitted functions run without compiling: their calls are eager fallbacks",
    "JAX_CHECK_TRACER_LEAKS": "set, JAX keeps no traces: each miss traces anew",
    "JAX_DEBUG_NANS": "set, arguments are not donated, and what gives a NaN runs again operation by operation",
    "JAX_COMPILATION_CACHE_DIR": "JAX's persistent cache: a compilation can be a hit there",
    "JAX_ENABLE_COMPILATION_CACHE": "0 switches JAX's persistent cache off",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "compiles that take less are not kept in the persistent cache",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "programs that are smaller are not kept in the persistent cache",
    "JAX_ENABLE_X64": "part of JAX's cache keys; arrays of Python numbers get 64 bits",
    "JAX_DEFAULT_MATMUL_PRECISION": "part of JAX's cache keys",
    "JAX_PLATFORMS": "which devices JAX uses",
    "JAX_LOG_COMPILES": "JAX logs each compile; recordings are the same",
    "JAX_EXPLAIN_CACHE_MISSES": "JAX logs why it traces; recordings are the same",
    "JAX_TRACEBACK_FILTERING": "which frames of JAX are in tracebacks",
    "XLA_FLAGS": "options of the compiler; part of the persistent cache's keys",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false keeps JAX from taking most of the GPU's memory at once",
    "XLA_PYTHON_CLIENT_MEM_FRACTION": "how much of the GPU's memory JAX takes",
    "TORCH_COMPILE_DISABLE": "1 switches torch.compile off: nothing is compiled, and nothing recorded of it",
    "TORCHDYNAMO_DISABLE": "1 switches Dynamo off: nothing is compiled, and nothing recorded of it",
    "TORCHDYNAMO_SUPPRESS_ERRORS": "set, what fails to compile runs eager without an error",
    "TORCHDYNAMO_VERBOSE": "1 makes Dynamo's errors longer; recordings are the same",
    "TORCHDYNAMO_CAPTURE_SCALAR_OUTPUTS": "1 compiles through .item(): fewer graph breaks",
    "TORCHDYNAMO_CAPTURE_DYNAMIC_OUTPUT_SHAPE_OPS": "1 compiles through nonzero() and the like: fewer graph breaks",
    "TORCH_LOGS": "what torch logs (recompiles, guards, …), which costs time at each compile; recordings are the same",
    "TORCH_TRACE": "torch writes a trace of each compile, which costs time; recordings are the same",
    "TORCHINDUCTOR_CACHE_DIR": "the folder of Inductor's caches: a compilation can be a hit there",
    "TORCHINDUCTOR_FX_GRAPH_CACHE": "0 switches Inductor's cache of graphs off",
    "TORCHINDUCTOR_AUTOGRAD_CACHE": "0 switches AOTAutograd's cache off",
    "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1 switches all of Inductor's caches off",
    "TORCHINDUCTOR_COMPILE_THREADS": "how many processes compile kernels",
    "TORCHINDUCTOR_MAX_AUTOTUNE": "1 tries several kernels, which makes compiles much longer",
    "TRITON_CACHE_DIR": "the folder of Triton's cache of kernels",
    "CUDA_VISIBLE_DEVICES": "which GPUs the process sees",
}
"""What each does to a recording, or to what is recorded. Only the values of these are ever shown."""

_PREFIXES = ("JITSCOPE", "JAX_", "XLA_", "TORCH_", "TORCHDYNAMO_", "TORCHINDUCTOR_", "TRITON_")


def variables_of(environment: Mapping[str, str]) -> tuple[Variable, ...]:
    """Those that are set, by name; of those that jitscope does not know, the names only: a value may be a secret."""
    found = []
    for name in sorted(environment):
        if name in EFFECTS:
            found.append(Variable(name, cut(environment[name]), EFFECTS[name]))
        elif name.startswith(_PREFIXES):
            found.append(Variable(name, None, "not known to jitscope"))
    return tuple(found)
