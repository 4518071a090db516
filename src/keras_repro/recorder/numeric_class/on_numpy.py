"""What a script computes without the framework: NumPy's own kernels, and the C library's."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, List

import numpy as np

from keras_repro.recorder.numeric_class.inputs import spread
from keras_repro.recorder.numeric_class.kernels import COUNTS, MATRICES, ODD

TYPES = (np.float32, np.float64)


def kernels() -> Dict[str, Callable[[], List[Any]]]:
    """Return {name: what computes it}; each gives a list of NumPy arrays."""
    return {
        "numpy_matmul": _matmul,
        "numpy_solve": _solve,
        "numpy_sums": _sums,
        "numpy_functions": _functions,
        "libm": _libm,
    }


def _matmul() -> List[Any]:
    return [
        np.matmul(spread(31, m, k, dtype=dtype), spread(32, k, n, dtype=dtype))
        for m, k, n in MATRICES
        for dtype in TYPES
    ]


def _solve() -> List[Any]:
    def system(n: int, dtype: Any) -> Any:  # far from singular
        return spread(33, n, n, dtype=dtype) + n * np.eye(n, dtype=dtype)

    return [
        np.linalg.solve(system(n, dtype), spread(34, n, 3, dtype=dtype))
        for n in (5, 33, 100)
        for dtype in TYPES
    ]


def _sums() -> List[Any]:
    found = []
    for dtype in TYPES:
        for count in COUNTS:
            x = spread(35, count, dtype=dtype)
            found += [np.sum(x), np.mean(x), np.std(x)]
        x = spread(36, 33, 1001, dtype=dtype)
        found += [np.sum(x, axis=0), np.sum(x, axis=1), np.cumsum(x)]
    return found


def _functions() -> List[Any]:
    found = []
    for dtype in TYPES:
        x = spread(37, ODD, dtype=dtype)
        found += [np.exp(16 * x), np.sin(64 * x), np.cos(64 * x), np.tanh(4 * x)]
        found += [np.log(2 + x), np.sqrt(2 + x), np.power(2 + x, dtype(1.7))]
    return found


def _libm() -> List[Any]:
    x = [float(each) for each in spread(38, 1009, dtype=np.float64)]
    ways: List[Callable[[float], float]] = [
        lambda v: math.exp(16 * v),
        lambda v: math.sin(64 * v),
        lambda v: math.tanh(4 * v),
        lambda v: math.log(2 + v),
        lambda v: math.pow(2 + v, 1.7),
        math.atan,
    ]
    return [np.array([way(v) for v in x]) for way in ways]
