"""Networks made of networks: by plane, mirrored, averaged over an ensemble (torch)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import Tensor

from napari_segment.deep.inference.decoding import Activation, activate, uncertainty


class PlaneByPlane(torch.nn.Module):
    """A 2-D network for tiles ``(B, C, Z, Y, X)``: the planes are its batch."""

    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network

    def forward(self, block: Tensor) -> Tensor:
        planes = block.transpose(1, 2).flatten(0, 1)
        outputs = self.network(planes)
        return outputs.unflatten(0, (block.shape[0], block.shape[2])).transpose(1, 2)


class MirroredNetwork(torch.nn.Module):
    """A network whose output is the mean over mirrored inputs (test-time augmentation).

    Parameters
    ----------
    network : module
        ``(B, C, *S)`` to ``(B, K, *S)``.
    axes : sequence of int
        Spatial axes that are mirrored, counted from the last (-1 is X); all combinations.
    flow : bool
        Whether the last outputs are a flow, one component per axis, whose sign a mirror changes.
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

    def __init__(self, networks: Sequence[torch.nn.Module]) -> None:
        super().__init__()
        self.networks = torch.nn.ModuleList(networks)

    def forward(self, block: Tensor) -> Tensor:
        total = self.networks[0](block).float()
        for network in self.networks[1:]:
            total = total + network(block).float()
        return total / len(self.networks)


class EnsembleStatistics(torch.nn.Module):
    """An ensemble that also gives the mean probabilities and the mean entropy of its members.

    ``(B, C, *S)`` to ``(B, 2 K + 1, *S)``. The mean outputs are those of `Ensemble`;
    `decoding.Disagreement` takes the others.
    """

    def __init__(self, networks: Sequence[torch.nn.Module], activation: Activation) -> None:
        super().__init__()
        self.networks = torch.nn.ModuleList(networks)
        self.activation = activation

    def forward(self, block: Tensor) -> Tensor:
        first, *others = self.networks
        total = self._statistics(first, block)
        for network in others:
            total += self._statistics(network, block)
        return total / len(self.networks)

    def _statistics(self, network: torch.nn.Module, block: Tensor) -> Tensor:
        """Return outputs, probabilities and their entropy of one network, as channels."""
        output = network(block).float()
        probability = activate(output, self.activation, 1)
        entropy = uncertainty(probability, self.activation, 1)[:, None]
        return torch.cat([output, probability, entropy], dim=1)
