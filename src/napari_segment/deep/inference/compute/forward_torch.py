"""Compute one forward pass on a device, whole or in parts (torch)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from typing import Any

import torch
from torch import Tensor

from napari_segment.deep.device import Precision, supported_precision
from napari_segment.deep.device import precision as number_type
from napari_segment.deep.inference.fallback import MemoryFallback
from napari_segment.deep.inference.tiling import Grid

_PART_OVERLAP = 0.25


def device_of(name: str) -> torch.device:
    """Return the device of a resolved name."""
    return torch.device(name)


@torch.inference_mode()
def forward(
    network: Callable[[Tensor], Tensor],
    block: Tensor,
    fallback: MemoryFallback,
    precision: Precision,
) -> Tensor:
    """Compute the outputs of some tiles on the device and in the parts of the fallback."""
    block = block.to(device_of(fallback.device), non_blocking=True)
    if reduced_on_cpu(precision):
        block = block.contiguous(memory_format=channels_last(block.ndim))
    with autocast(device_of(fallback.device), precision):
        if fallback.part == fallback.tile:
            return network(block)
        return forward_in_parts(network, block, fallback.part)


def forward_in_parts(
    network: Callable[[Tensor], Tensor], block: Tensor, part: tuple[int, ...]
) -> Tensor:
    """Compute the outputs of tiles ``(B, C, *tile)`` in overlapping parts, one by one."""
    grid = Grid(tuple(block.shape[2:]), part, _PART_OVERLAP)
    weight = outer_product([torch.from_numpy(h).to(block.device) for h in grid.profiles])
    total = outer_product([torch.from_numpy(t).to(block.device) for t in grid.totals])
    sums = None
    for corner in product(*grid.starts):
        sides = (slice(c, c + p) for c, p in zip(corner, part, strict=True))
        where = (slice(None), slice(None), *sides)
        output = network(block[where]).float()
        if sums is None:
            sums = output.new_zeros((*output.shape[:2], *block.shape[2:]))
        sums[where].addcmul_(output, weight)
    assert sums is not None
    return sums.div_(total)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Return the autocast context of a device: "auto" is float32 on the CPU, mixed elsewhere."""
    if precision == "auto" and device.type == "cpu":
        return nullcontext()
    kind = number_type(device, supported_precision(device, precision))
    return nullcontext() if kind == torch.float32 else torch.autocast(device.type, kind)


def precision_message(devices: Sequence[str], precision: Precision) -> str:
    """Return what to say of devices that compute in another precision than requested, or ""."""
    other = {
        name: supported
        for name in devices
        if (supported := supported_precision(device_of(name), precision)) != precision
    }
    lines = (f"{name} has no {precision}: going on in {used}." for name, used in other.items())
    return " ".join(lines)


def reduced_on_cpu(precision: Precision) -> bool:
    """Return whether a 16-bit type was requested by name: those are fast in channels-last."""
    return precision in ("bfloat16", "float16")


def channels_last(dimensions: int) -> torch.memory_format:
    """Return the channels-last memory format for a tensor of 4 or 5 axes."""
    return torch.channels_last if dimensions == 4 else torch.channels_last_3d


def outer_product(parts: Sequence[Tensor]) -> Tensor:
    """Return the outer product of one vector per axis."""
    product_ = parts[0]
    for part in parts[1:]:
        product_ = product_[..., None] * part
    return product_
