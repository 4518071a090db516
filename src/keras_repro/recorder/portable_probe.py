"""Compute a little of all that has kernels for several processors, to see whether it crashes."""

from __future__ import annotations

from typing import Any, List

import numpy


def main(argv: List[str]) -> None:
    """Compute with NumPy, and with what Keras is to compute with: the one argument."""
    generator = numpy.random.RandomState(1)
    for dtype in ("float32", "float64"):
        one, other = (generator.rand(67, 67).astype(dtype) for _ in range(2))
        numpy.linalg.solve(one, numpy.exp(numpy.sin(one @ other)))
        one.sum(), numpy.tanh(one), numpy.log1p(one)
    images = generator.rand(2, 9, 11, 5).astype("float32")
    kernel = generator.rand(3, 3, 5, 7).astype("float32")
    matrix = images.reshape(-1, 33)
    # Theano's settings are its compiler's; what it calls besides is NumPy's.
    found = {"jax": _jax, "torch": _torch, "tensorflow": _tensorflow}.get(argv[0])
    if found is not None:
        found(matrix, images, kernel)


def _jax(matrix: Any, images: Any, kernel: Any) -> None:
    import jax  # noqa: PLC0415 - the others are not there

    def compute(matrix: Any, images: Any, kernel: Any) -> Any:
        names = ("NHWC", "HWIO", "NHWC")
        made = jax.lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=names)
        return jax.nn.softmax(jax.numpy.tanh(matrix @ matrix.T)), made.sum()

    jax.block_until_ready(jax.jit(compute)(matrix, images, kernel))


def _torch(matrix: Any, images: Any, kernel: Any) -> None:
    import torch  # noqa: PLC0415

    one = torch.from_numpy(matrix)
    square = one @ one.T
    torch.softmax(torch.tanh(square), -1).exp().sum()
    made = torch.nn.functional.conv2d(
        torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(kernel).permute(3, 2, 0, 1)
    )
    made.sum()
    torch.linalg.solve(square + torch.eye(len(square)), one)


def _tensorflow(matrix: Any, images: Any, kernel: Any) -> None:
    import tensorflow  # noqa: PLC0415

    def compute() -> Any:
        made = tensorflow.nn.conv2d(images, kernel, strides=[1, 1, 1, 1], padding="SAME")
        product = tensorflow.matmul(matrix, matrix, transpose_b=True)
        return tensorflow.nn.softmax(tensorflow.tanh(product)), tensorflow.reduce_sum(made)

    if tensorflow.__version__.startswith("1."):
        with tensorflow.compat.v1.Session() as session:
            session.run(compute())
    else:
        compute()
        tensorflow.function(compute, jit_compile=True)()
