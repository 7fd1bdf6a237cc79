"""One forward pass, and networks made of networks (torch)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from typing import Any

import torch
from torch import Tensor

from napari_segment.deep.device import Precision
from napari_segment.deep.device import precision as number_type
from napari_segment.deep.inference.decoding import Activation, activate, uncertainty
from napari_segment.deep.inference.fallback import MemoryFallback
from napari_segment.deep.inference.tiling import Grid

_PART_OVERLAP = 0.25


def place(name: str) -> torch.device:
    """The device of a name that is known to be right."""
    return torch.device(name)


@torch.inference_mode()
def forward(
    network: Callable[[Tensor], Tensor],
    block: Tensor,
    fallback: MemoryFallback,
    precision: Precision,
) -> Tensor:
    """Outputs of some tiles, computed on the device and in the parts of the fallback."""
    block = block.to(place(fallback.device), non_blocking=True)
    if reduced_on_cpu(precision):
        block = block.contiguous(memory_format=channels_last(block.ndim))
    with cast(place(fallback.device), precision):
        if fallback.part == fallback.tile:
            return network(block)
        return in_parts(network, block, fallback.part)


def in_parts(network: Callable[[Tensor], Tensor], block: Tensor, part: tuple[int, ...]) -> Tensor:
    """Outputs of tiles ``(B, C, *tile)`` from overlapping smaller parts, one after the other."""
    grid = Grid(tuple(block.shape[2:]), part, _PART_OVERLAP)
    weight = outer([torch.from_numpy(h).to(block.device) for h in grid.hills])
    total = outer([torch.from_numpy(t).to(block.device) for t in grid.totals])
    sums = None
    for corner in product(*grid.starts):
        where = (..., *(slice(c, c + p) for c, p in zip(corner, part, strict=True)))
        output = network(block[where]).float()
        if sums is None:
            sums = output.new_zeros((*output.shape[:2], *block.shape[2:]))
        sums[where].addcmul_(output, weight)
    assert sums is not None
    return sums.div_(total)


def cast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Return the autocast context of a device: "auto" is float32 on the CPU, mixed elsewhere."""
    if precision == "auto" and device.type == "cpu":
        return nullcontext()
    kind = number_type(device, precision)
    return nullcontext() if kind == torch.float32 else torch.autocast(device.type, kind)


def reduced_on_cpu(precision: Precision) -> bool:
    """Return whether 16-bit numbers were asked for by name, which are fast in channels-last."""
    return precision in ("bfloat16", "float16")


def channels_last(dimensions: int) -> torch.memory_format:
    """The memory format in which channels are neighbours, for a tensor of 4 or 5 axes."""
    return torch.channels_last if dimensions == 4 else torch.channels_last_3d


class PlaneByPlane(torch.nn.Module):
    """Use a 2-D network on tiles ``(B, C, Z, Y, X)``: each plane is a picture of the batch."""

    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network

    def forward(self, block: Tensor) -> Tensor:
        planes = block.transpose(1, 2).flatten(0, 1)
        outputs = self.network(planes)
        return outputs.unflatten(0, (block.shape[0], block.shape[2])).transpose(1, 2)


class Flips(torch.nn.Module):
    """Mean output over mirrored inputs, each mirrored back.

    Parameters
    ----------
    network : module
        ``(B, C, *S)`` to ``(B, K, *S)``.
    axes : sequence of int
        Spatial axes that are mirrored, counted from the last (-1 is X); all combinations.
    flow : bool
        Whether the last outputs are directions, one an axis, which turn round in the mirror.
    """

    def __init__(
        self, network: Callable[[Tensor], Tensor], axes: Sequence[int], flow: bool = False
    ) -> None:
        super().__init__()
        self.network = network
        self.axes = tuple(axes)
        self.flow = flow

    def forward(self, block: Tensor) -> Tensor:
        total = self.network(block).float()
        for chosen in list(product((False, True), repeat=len(self.axes)))[1:]:
            flipped = [a for a, yes in zip(self.axes, chosen, strict=True) if yes]
            mirrored = self.network(block.flip(flipped)).flip(flipped).float()
            if self.flow:
                mirrored[:, flipped] *= -1
            total = total + mirrored
        return total / 2 ** len(self.axes)


class Ensemble(torch.nn.Module):
    """Mean output of several networks of the same task."""

    def __init__(self, networks: Sequence[Callable[[Tensor], Tensor]]) -> None:
        super().__init__()
        self.networks = torch.nn.ModuleList(networks)

    def forward(self, block: Tensor) -> Tensor:
        total = self.networks[0](block).float()
        for network in self.networks[1:]:
            total = total + network(block).float()
        return total / len(self.networks)


class Members(torch.nn.Module):
    """What several networks say, apart: mean outputs, mean probabilities, mean entropy.

    ``(B, C, *S)`` to ``(B, 2 K + 1, *S)``. The mean outputs are those of `Ensemble`;
    `decode.Disagreement` takes the others.
    """

    def __init__(
        self, networks: Sequence[Callable[[Tensor], Tensor]], activation: Activation
    ) -> None:
        super().__init__()
        self.networks = torch.nn.ModuleList(networks)
        self.activation = activation

    def forward(self, block: Tensor) -> Tensor:
        outputs = probabilities = doubts = 0.0
        for network in self.networks:
            output = network(block).float()
            probability = activate(output, self.activation, 1)
            outputs = output + outputs
            probabilities = probability + probabilities
            doubts = uncertainty(probability, self.activation, 1)[:, None] + doubts
        return torch.cat([outputs, probabilities, doubts], dim=1) / len(self.networks)


def outer(parts: Sequence[Tensor]) -> Tensor:
    """The product of one vector an axis, as a volume."""
    product_ = parts[0]
    for part in parts[1:]:
        product_ = product_[..., None] * part
    return product_
