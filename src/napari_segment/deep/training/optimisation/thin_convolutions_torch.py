"""Run convolutions over inputs that are thinner than their kernel in float32 on CPUs.

oneDNN (3.x with avx512_bf16, as PyTorch 2.15 brings it) reads and writes beyond its buffers in the
bfloat16 weight gradient of a convolution whose input is no longer than its kernel along some axis:
a kernel of 3 over a depth of 2 gives infinite or, worse, wrong gradients now and then. Strides
over a single voxel are wrong too (PyTorch issue 169688). These are the small innermost layers of a
network, where float32 costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn


def spare_thin_inputs(network: nn.Module) -> None:
    """Let the convolutions of a network leave autocast where their input is thin."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            given = zip(module.kernel_size, module.dilation, module.stride, strict=True)
            thin = tuple(max(d * (k - 1) + 1, s) for k, d, s in given)
            vars(module)["forward"] = partial(_careful, module.forward, thin)


def _careful(convolve: Callable[[Tensor], Tensor], thin: tuple[int, ...], image: Tensor) -> Tensor:
    narrow = any(n <= t > 1 for n, t in zip(image.shape[2:], thin, strict=True))
    if not (narrow and torch.is_autocast_enabled("cpu")):
        return convolve(image)
    with torch.autocast("cpu", enabled=False):
        return convolve(image.float()).to(torch.get_autocast_dtype("cpu"))
