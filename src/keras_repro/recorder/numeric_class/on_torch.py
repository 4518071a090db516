"""The operations on PyTorch."""

from __future__ import annotations

from typing import Any, Callable, List

import torch

matmul, exp, log, tanh, sin = torch.matmul, torch.exp, torch.log, torch.tanh, torch.sin
sqrt, power, sigmoid = torch.sqrt, torch.pow, torch.sigmoid


def compute(function: Callable[..., List[Any]], inputs: List[Any]) -> List[Any]:
    """Return what a function of tensors makes of arrays, as NumPy arrays."""
    tensors = function(*(torch.from_numpy(each.copy()) for each in inputs))
    return [tensor.detach().numpy() for tensor in tensors]


def gradients(function: Callable[..., Any], *inputs: Any) -> List[Any]:
    """Return the gradients of a scalar function for each of its inputs."""
    leaves = [each.requires_grad_() for each in inputs]
    return list(torch.autograd.grad(function(*leaves), leaves))


def total(x: Any, axis: Any = None) -> Any:
    """Return the sum of all elements, or along an axis."""
    return torch.sum(x) if axis is None else torch.sum(x, axis)


mean = torch.mean


def softmax(x: Any) -> Any:
    """Return the softmax along the last axis."""
    return torch.softmax(x, -1)


def conv2d(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    """Return the convolution of NHWC images with HWIO filters, as Keras asks PyTorch for it."""
    images, filters = x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1)
    return torch.nn.functional.conv2d(images, filters, stride=stride, padding=padding)


def batch_normalization(x: Any, scale: Any, offset: Any) -> Any:
    """Return the columns of a matrix, normalised with their own mean and variance."""
    return torch.nn.functional.batch_norm(
        x, None, None, weight=scale, bias=offset, training=True, eps=1e-3
    )
