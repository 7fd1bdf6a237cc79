"""How much memory a prediction will take, told before it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from napari_segment.deep.inference.tiling import Grid

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 4


@dataclass(frozen=True)
class Estimate:
    """Bytes that a prediction takes beside the image.

    Parameters
    ----------
    weights : int
        The network's parameters.
    network : int
        The largest sum of what the network holds at once for one batch of tiles.
    blending : int
        The slab in which tiles are blended.
    result : int
        The finished result, where it is kept in memory.
    channels : int
        Outputs of the network, as seen in the trial.
    """

    weights: int
    network: int
    blending: int
    result: int
    channels: int

    @property
    def total(self) -> int:
        return self.weights + self.network + self.blending + self.result

    def __str__(self) -> str:
        parts = (
            f"network {size(self.weights + self.network)}",
            f"blending {size(self.blending)}",
            f"result {size(self.result)}",
        )
        return f"about {size(self.total)} of memory ({', '.join(parts)})"


def estimate(
    network: Callable[[Tensor], Tensor],
    grid: Grid,
    channels: int,
    batch: int = 1,
    values: int = 1,
) -> Estimate:
    """Estimate the memory of a prediction without running it.

    The network is traced with tensors that have a shape and no content; what lives at the same
    time is added up. The working memory of convolutions is not seen, so take a fifth on top.

    Parameters
    ----------
    network : module or callable
        ``(B, C, *tile)`` to ``(B, K, *tile)``.
    grid : Grid
        The tiles.
    channels : int
        C.
    batch : int
        Tiles at once.
    values : int
        Bytes a voxel of the result in memory; 0 where it goes to the disk.
    """
    from napari_segment.deep.inference.compute.memory_trace_torch import trace

    held, outputs = trace(network, (batch, channels, *grid.tile))
    slab = list(grid.shape)
    slab[grid.axis] = grid.tile[grid.axis]
    tiles = 3 * batch * channels * prod(grid.tile) * _FLOAT  # being read, in work, and stacked
    return Estimate(
        weights=_weights(network),
        network=held + tiles,
        blending=outputs * prod(slab) * _FLOAT + prod(grid.tile) * _FLOAT,
        result=values * prod(grid.shape),
        channels=outputs,
    )


def size(count: int) -> str:
    """Bytes for a person to read."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def _weights(network: Any) -> int:
    if not hasattr(network, "parameters"):
        return 0
    return sum(p.numel() * p.element_size() for p in network.parameters())
