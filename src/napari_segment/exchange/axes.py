"""Networks of other tools with their axes in the order of this project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_segment.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


class AxesAdapter:
    """A network called with ``(B, C, *S)`` that gives ``(B, K, *S)``, whatever its own axes.

    Parameters
    ----------
    network : callable
        From a tensor with the input axes to one with the output axes; called item by item.
    input_axes, output_axes : str
        Letters of "bczyx" in the network's order; another letter of the output is an axis of
        length 1. Axes that are missing have length 1.
    """

    def __init__(
        self, network: Callable[[Tensor], Tensor], input_axes: str, output_axes: str
    ) -> None:
        self.network, self.input_axes, self.output_axes = network, input_axes, output_axes
        self.axes = "bc" + "".join(a for a in "zyx" if a in input_axes)

    def __call__(self, block: Tensor) -> Tensor:
        import torch

        outputs = [self._single(item[None]) for item in block]
        return torch.cat(outputs) if len(outputs) > 1 else outputs[0]

    def _single(self, block: Tensor) -> Tensor:
        sides = tuple(block.shape[2:])
        absent = [i for i, letter in enumerate(self.axes) if letter not in self.input_axes]
        for axis in reversed(absent):
            block = block.squeeze(axis)
        shared = [letter for letter in self.axes if letter in self.input_axes]
        result = self._ordered(
            self.network(block.permute(*[shared.index(a) for a in self.input_axes]))
        )
        if tuple(result.shape[2:]) != sides:
            raise InputError(
                f"The network's output for a tile of {sides} voxels has {tuple(result.shape[2:])}, "
                "against its description: models whose output has the size of their input are "
                "supported."
            )
        return result

    def _ordered(self, result: Tensor) -> Tensor:
        """Bring an output to ``(B, K, *S)``; axes of length 1 are added and removed."""
        letters = list(self.output_axes)
        extra = [i for i, letter in enumerate(letters) if letter not in self.axes]
        for axis in reversed(extra):
            result = result.squeeze(axis)
        letters = [a for a in letters if a in self.axes]
        for missing in (a for a in self.axes if a not in letters):
            result, letters = result.unsqueeze(0), [missing, *letters]
        return result.permute(*[letters.index(a) for a in self.axes])
