"""The operations on JAX, jitted."""

from __future__ import annotations

from typing import Any, Callable, List

import jax
import jax.numpy as jnp

matmul, total, mean = jnp.matmul, jnp.sum, jnp.mean
exp, log, tanh, sin, sqrt, power = jnp.exp, jnp.log, jnp.tanh, jnp.sin, jnp.sqrt, jnp.power
softmax, sigmoid = jax.nn.softmax, jax.nn.sigmoid


def compute(function: Callable[..., List[Any]], inputs: List[Any]) -> List[Any]:
    """Return what a function of tensors makes of arrays, as NumPy arrays."""
    return list(jax.jit(function)(*inputs))


def gradients(function: Callable[..., Any], *inputs: Any) -> List[Any]:
    """Return the gradients of a scalar function for each of its inputs."""
    return list(jax.grad(function, tuple(range(len(inputs))))(*inputs))


def conv2d(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    """Return the convolution of NHWC images with HWIO filters."""
    form = ("NHWC", "HWIO", "NHWC")
    window = (stride, stride)
    return jax.lax.conv_general_dilated(x, kernel, window, padding.upper(), dimension_numbers=form)


def batch_normalization(x: Any, scale: Any, offset: Any) -> Any:
    """Return the columns of a matrix, normalised with their own mean and variance."""
    average, variance = mean(x, 0), jnp.var(x, 0)
    return (x - average) * jax.lax.rsqrt(variance + 1e-3) * scale + offset
