"""The networks' weights, and how a network is run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any


def weights(package: str, name: str) -> Path:
    """A file of an installed package, found without running the package's code. Raises FileNotFoundError."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / name


def session(weights: bytes) -> Any:
    """An onnxruntime session on one core, without threads, so that processes forked from this one can run it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Shapes differ from picture to picture; patterns of memory kept for each would only grow.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    frugal = {"arena_extend_strategy": "kSameAsRequested"}
    return onnxruntime.InferenceSession(weights, options, providers=[("CPUExecutionProvider", frugal)])


def spans(length: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    """Equal spans of at most `tile` that cover `length` and overlap their neighbours."""
    number = max(-(-(length - overlap) // (tile - overlap)), 1)
    step = (length - overlap) / number
    return [
        (round(index * step), min(round((index + 1) * step) + overlap, length)) for index in range(number)
    ]
