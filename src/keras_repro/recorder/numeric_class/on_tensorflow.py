"""The operations on TensorFlow: in a tf.function on 2, in a graph of their own on 1."""

from __future__ import annotations

from typing import Any, Callable, List

import tensorflow as tf

matmul, total, mean = tf.matmul, tf.reduce_sum, tf.reduce_mean
exp, log, tanh, sin, sqrt, power = tf.exp, tf.math.log, tf.tanh, tf.sin, tf.sqrt, tf.pow
softmax, sigmoid = tf.nn.softmax, tf.sigmoid
IS_FIRST = tf.__version__.startswith("1.")


def compute(function: Callable[..., List[Any]], inputs: List[Any]) -> List[Any]:
    """Return what a function of tensors makes of arrays, as NumPy arrays."""
    if not IS_FIRST:
        # As inputs, for what is constant is computed by another library beforehand.
        return [tensor.numpy() for tensor in tf.function(function)(*map(tf.constant, inputs))]
    with tf.Graph().as_default():
        tensors = [tf.compat.v1.placeholder(each.dtype, each.shape) for each in inputs]
        results = function(*tensors)
        with tf.compat.v1.Session(config=_configuration()) as session:
            return list(session.run(results, dict(zip(tensors, inputs))))


def _configuration() -> Any:
    """Return what Keras 2 makes of the variables that set TensorFlow 1's threads."""
    import os  # noqa: PLC0415 - on 1 alone

    count = int(os.environ.get("OMP_NUM_THREADS", "0"))
    return tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=count, inter_op_parallelism_threads=count
    )


def gradients(function: Callable[..., Any], *inputs: Any) -> List[Any]:
    """Return the gradients of a scalar function for each of its inputs."""
    return list(tf.gradients(function(*inputs), list(inputs)))


def conv2d(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    """Return the convolution of NHWC images with HWIO filters."""
    return tf.nn.conv2d(x, kernel, strides=[1, stride, stride, 1], padding=padding.upper())


def batch_normalization(x: Any, scale: Any, offset: Any) -> Any:
    """Return the columns of a matrix, normalised with their own mean and variance."""
    average, variance = tf.nn.moments(x, [0])
    return tf.nn.batch_normalization(x, average, variance, offset, scale, 1e-3)
