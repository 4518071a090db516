"""The operations on Theano."""

from __future__ import annotations

from typing import Any, Callable, List

import numpy as np
import theano
import theano.tensor as tt

from keras_repro.recorder import theano_blas, theano_cache, theano_compiler

matmul, total, mean = tt.dot, tt.sum, tt.mean
exp, log, tanh, sin, sqrt, power = tt.exp, tt.log, tt.tanh, tt.sin, tt.sqrt, tt.pow
softmax, sigmoid = tt.nnet.softmax, tt.nnet.sigmoid
theano.config.floatX = "float32"  # as Keras sets it
theano_blas.without_blas(theano)
theano_cache.keep_compiled(theano)
theano_compiler.compile_quickly(theano)


def compute(function: Callable[..., List[Any]], inputs: List[Any]) -> List[Any]:
    """Return what a function of tensors makes of arrays, as NumPy arrays."""
    tensors = [tt.TensorType(each.dtype, [False] * each.ndim)() for each in inputs]
    compiled = theano.function(tensors, function(*tensors))
    return [np.asarray(result) for result in compiled(*inputs)]


def gradients(function: Callable[..., Any], *inputs: Any) -> List[Any]:
    """Return the gradients of a scalar function for each of its inputs."""
    return list(theano.grad(function(*inputs), list(inputs)))


def conv2d(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    """Return the convolution of NHWC images with HWIO filters, as Keras asks Theano for it."""
    images, filters = x.dimshuffle(0, 3, 1, 2), kernel.dimshuffle(3, 2, 0, 1)
    mode = "half" if padding == "same" else "valid"
    return tt.nnet.conv2d(images, filters, border_mode=mode, subsample=(stride, stride))


def batch_normalization(x: Any, scale: Any, offset: Any) -> Any:
    """Return the columns of a matrix, normalised with their own mean and variance."""
    normalized, _, _ = tt.nnet.bn.batch_normalization_train(
        x, scale, offset, axes=(0,), epsilon=1e-3
    )
    return normalized
