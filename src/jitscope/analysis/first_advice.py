"""What can be done about a slow first call, in words that name what was seen."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.parts import found_in, programs_text
from jitscope.model.first_call import EagerPrograms, FirstCall
from jitscope.model.notation import cut

MANY = 5
"""Programs compiled by themselves that are worth a word."""
SHARE = 0.1
"""Share of a call that is worth a word, too."""


def advice_for(one: FirstCall) -> tuple[str, ...]:
    """What can be done, the most certain first; empty where nothing stands out."""
    found: list[str] = []
    operations = [each for each in one.eager_ops if each.library]
    if worth(operations, one.seconds):
        found.append(
            f"{told(operations)} compiled one by one inside of this call: move them into the jitted function, or make "
            "such values with numpy"
        )
    before = [each for each in one.eager_before if each.library]
    if worth(before, one.seconds):
        found.append(
            f"{told(before)} compiled one by one before this call: make its inputs with numpy, or all of them in one "
            "jitted function"
        )
    shares = {name: sum(part.seconds for part in found_in(one.parts, name)) / max(one.seconds, 1e-9) for name in _NAMES}
    if one.framework == "jax" and shares["trace"] > 0.5:
        found.append("tracing takes most of it, and no cache helps there: jax.lax.scan over equal layers traces one")
    if one.framework == "jax" and one.caches_off and shares["compile"] > 0.5:
        found.append(
            "no persistent cache is set: with jax_compilation_cache_dir the next process reads the program from disk "
            "(tracing and lowering remain)"
        )
    if sum(shares[name] for name in _KERNELS) > 0.3:
        found.append(
            "compiling kernels takes much of it: Inductor keeps what it built in TORCHINDUCTOR_CACHE_DIR, so let that "
            "folder outlive the process (by default it is in the temporary folder)"
        )
    if shares["autotune"] > 0.3:
        found.append("autotuning takes much of it: mode='max-autotune' is worth that only in long runs")
    return tuple(found)


_KERNELS = ("compile_file", "async_compile.wait", "async_compile.precompile")
_NAMES = ("trace", "compile", "autotune", *_KERNELS)


def worth(programs: Sequence[EagerPrograms], seconds: float) -> bool:
    """Whether programs compiled by themselves are worth a word beside a call of so many seconds."""
    return sum(one.count for one in programs) >= MANY or sum(one.seconds for one in programs) > SHARE * seconds > 0


def told(programs: Sequence[EagerPrograms]) -> str:
    """How many there are, and where the costliest came from: ``36 operations (add 12×; … at train.py:8) were``."""
    count = sum(one.count for one in programs)
    names = programs_text([cut(one.name, 30) for one in programs for _ in range(one.count)])
    site = next((one.sites[0].text for one in programs if one.sites), None)
    where = f"; the costliest at {site}" if site else ""
    return f"{count} operation{'s' if count != 1 else ''} ({names}{where}) {'were' if count != 1 else 'was'}"
