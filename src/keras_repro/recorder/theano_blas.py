"""Let Theano multiply batches of matrices where there is no BLAS, as it does everything else.

With ``blas.ldflags=`` empty, Theano's other operations bring a BLAS of their own, made of NumPy's
C API; the C code of BatchedDot (theano/tensor/blas.py, 1.0.5) calls ``sgemm_`` all the same, and
what was compiled cannot be loaded. Without C code, Theano runs the operation's Python, in NumPy.
"""

from __future__ import annotations

from typing import Any


def without_blas(theano: Any) -> None:
    """Take the C code of BatchedDot away, unless there is a BLAS to link with."""
    if theano.config.blas.ldflags:
        return
    from theano.gof.utils import MethodNotDefined  # noqa: PLC0415
    from theano.tensor.blas import BatchedDot  # noqa: PLC0415

    def c_code(*_args: Any, **_kwargs: Any) -> Any:
        raise MethodNotDefined("c_code", BatchedDot)

    BatchedDot.c_code = c_code
