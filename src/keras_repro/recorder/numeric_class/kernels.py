"""The kernels that every framework computes, made of the operations that it offers.

The sizes are those at which libraries change their ways: a vector, odd sides, a few of a register,
of a cache, and beyond.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple

from keras_repro.recorder.numeric_class.inputs import spread

MATRICES = (
    (1, 64, 1),
    (33, 1001, 1),
    (1, 784, 10),
    (3, 5, 7),
    (17, 33, 9),
    (64, 64, 64),
    (32, 784, 128),
    (127, 255, 129),
) + (((256, 512, 256),))
# Samples, height, width, channels; height, width and number of filters; stride; padding.
CONVOLUTIONS = (
    ((2, 28, 28, 1), (3, 3, 32), 1, "valid"),
    ((2, 14, 14, 32), (3, 3, 64), 1, "same"),
    ((1, 9, 11, 3), (5, 4, 7), 2, "valid"),
    ((3, 7, 7, 16), (1, 1, 8), 1, "valid"),
)
COUNTS = (1000, 10001, 100003, 1000000)
ODD = 4099


class Kernel(NamedTuple):
    """One computation: ``function`` of tensors gives a list of tensors."""

    function: Callable[..., List[Any]]
    inputs: List[Any]


def kernels(ops: Any) -> Dict[str, Callable[[], List[Any]]]:
    """Return {name: what computes it}; each gives a list of NumPy arrays.

    ``ops`` is a framework's module: ``compute(function, inputs)`` and the operations.
    """
    made = {
        "matmul": [
            Kernel(lambda x, y: [ops.matmul(x, y)], [spread(1, m, k), spread(2, k, n)])
            for m, k, n in MATRICES
        ],
        "dense_gradients": [
            Kernel(
                lambda x, w: ops.gradients(
                    lambda x, w: ops.total(ops.tanh(ops.matmul(x, w))), x, w
                ),
                [spread(3, m, k), spread(4, k, n)],
            )
            for m, k, n in MATRICES[4:8]
        ],
        "conv2d": [_convolution(ops, *each) for each in CONVOLUTIONS],
        "conv2d_gradients": [_convolution_gradients(ops, *each) for each in CONVOLUTIONS[:2]],
        "softmax": [
            Kernel(lambda x: [ops.softmax(8 * x)], [spread(5, *shape)])
            for shape in ((5, 10), (3, 7), (32, 1000))
        ],
        "sums": [
            Kernel(lambda x: [ops.total(x), ops.mean(x * x)], [spread(6, count)])
            for count in COUNTS
        ]
        + [
            Kernel(lambda x: [ops.total(x, 0), ops.total(x, 1)], [spread(7, *shape)])
            for shape in ((33, 1001), (1001, 33))
        ],
        "batch_normalization": [
            Kernel(
                lambda x, scale, offset: [ops.batch_normalization(x, scale, offset)],
                [spread(8, 33, 17), 1 + spread(9, 17), spread(10, 17)],
            )
        ],
        "lstm_step": [
            Kernel(
                lambda *tensors: _lstm_step(ops, *tensors),
                [spread(11, 5, 13), spread(12, 5, 20), spread(13, 5, 20), spread(14, 13, 80)]
                + [spread(15, 20, 80), spread(16, 80)],
            )
        ],
        "adam_step": [
            Kernel(
                lambda *tensors: _adam_step(ops, *tensors),
                [spread(17, ODD), spread(18, ODD), spread(19, ODD) / 8, 1 + spread(20, ODD)],
            )
        ],
    }
    made.update(_functions(ops))
    return {name: _computing(ops, each) for name, each in made.items()}


def _functions(ops: Any) -> Dict[str, List[Kernel]]:
    ranges = {"exp": 16, "tanh": 4, "sin": 64, "sigmoid": 8}
    found = {
        name: [
            Kernel(
                lambda x, name=name, most=most: [getattr(ops, name)(most * x)], [spread(21, ODD)]
            )
        ]
        for name, most in ranges.items()
    }
    positive = [2 + spread(22, ODD)]
    found["log"] = [Kernel(lambda x: [ops.log(x)], positive)]
    found["sqrt"] = [Kernel(lambda x: [1 / ops.sqrt(x)], positive)]
    found["power"] = [Kernel(lambda x: [ops.power(x, 1.7)], positive)]
    return found


def _computing(ops: Any, made: List[Kernel]) -> Callable[[], List[Any]]:
    def compute() -> List[Any]:
        return [array for each in made for array in ops.compute(*each)]

    return compute


def _convolution(ops: Any, images: Any, filters: Any, stride: int, padding: str) -> Kernel:
    height, width, count = filters
    return Kernel(
        lambda x, w: [ops.conv2d(x, w, stride, padding)],
        [spread(23, *images), spread(24, height, width, images[-1], count)],
    )


def _convolution_gradients(
    ops: Any, images: Any, filters: Any, stride: int, padding: str
) -> Kernel:
    _, inputs = _convolution(ops, images, filters, stride, padding)

    def loss(x: Any, w: Any) -> Any:
        y = ops.conv2d(x, w, stride, padding)
        return ops.total(y * y)

    return Kernel(lambda x, w: ops.gradients(loss, x, w), inputs)


def _lstm_step(ops: Any, x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    z = ops.matmul(x, kernel) + ops.matmul(h, recurrent) + bias
    units = 20
    gate, forget, new, out = (z[:, k * units : (k + 1) * units] for k in range(4))
    c = ops.sigmoid(forget) * c + ops.sigmoid(gate) * ops.tanh(new)
    return [ops.sigmoid(out) * ops.tanh(c), c]


def _adam_step(ops: Any, weight: Any, gradient: Any, first: Any, second: Any) -> Any:
    first = 0.9 * first + 0.1 * gradient
    second = 0.999 * second + 0.001 * gradient * gradient
    return [weight - 0.01 * first / (ops.sqrt(second) + 1e-7), first, second]
