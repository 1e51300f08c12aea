"""The start of CUDA, told to the recorder. Imports no Dynamo: it is there before anything is compiled."""

from __future__ import annotations

from time import perf_counter

from jitscope.capture import spans
from jitscope.capture.frameworks.torch_cuda_privates import on_cuda_start
from jitscope.capture.recorder import recorder


def time_cuda_start() -> None:
    """From now on the start of CUDA is told, if it is still to come; again does nothing."""
    on_cuda_start(_started)


def _started(seconds: float) -> None:
    try:
        began = perf_counter() - seconds
        spans.add("start cuda", began, seconds)
        recorder.started("start cuda", began, seconds)
    except Exception as error:
        recorder.internal_error("torch cuda", error)
