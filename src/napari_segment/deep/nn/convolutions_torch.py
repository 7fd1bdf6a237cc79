"""Change the number of input channels of a convolution (torch)."""

from __future__ import annotations

import torch
from torch import nn


def with_input_channels(layer: nn.Conv2d, channels: int, *, keep: bool = False) -> nn.Conv2d:
    """Return a convolution like another, for images of another number of channels.

    Parameters
    ----------
    layer : torch.nn.Conv2d
        Left as it is.
    channels : int
        Number of input channels of the new convolution.
    keep : bool
        Whether to derive the weights from those of `layer`, a kernel for three channels: their
        sum for one channel; else repeated cyclically, and rescaled so that the sum stays. Random
        weights otherwise.
    """
    kernel, stride = _pair(layer.kernel_size), _pair(layer.stride)
    padding = layer.padding if isinstance(layer.padding, str) else _pair(layer.padding)
    new = nn.Conv2d(
        channels, layer.out_channels, kernel, stride, padding, bias=layer.bias is not None
    )
    if keep:
        new.weight = nn.Parameter(_kernels(layer.weight.detach(), channels))
    return new


def _kernels(kernels: torch.Tensor, channels: int) -> torch.Tensor:
    """Return kernels ``(K, channels, *S)`` from those for three channels."""
    if channels == 1:
        return kernels.sum(1, keepdim=True)
    repeated = [kernels[:, i % 3] for i in range(channels)]
    return torch.stack(repeated, 1) * (3 / channels)


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    height, width = sizes
    return height, width
